package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/schedule"
)

// installUnits writes a timer and a service, and starts the timer.
func (a *app) installUnits(ctx context.Context, j schedule.Job, f scheduleFlags) error {
	u, err := unit(j, f)
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	if err := a.understood(ctx, u); err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	files, err := u.Files()
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	dir, err := unitDir()
	if err != nil {
		return err
	}
	for _, file := range files {
		fmt.Fprintf(a.out, "==> %s\n%s\n", filepath.Join(dir, file.Name), file.Text)
	}
	tellNotes(a.out, unitNotes(u))
	if ok, err := a.agreed(f); !ok {
		return err
	}
	if err := writeUnits(dir, j.Name, files); err != nil {
		return err
	}
	for _, args := range [][]string{{"daemon-reload"}, {"enable", "--now", schedule.UnitName(j.Name) + ".timer"}} {
		if err := systemctl(ctx, args...); err != nil {
			return fmt.Errorf("the units are written to %s, but %w", dir, err)
		}
	}
	fmt.Fprintf(a.out, "Installed as %s. dsplay schedule list shows when it is due; dsplay schedule remove %[1]s takes it away.\n", j.Name)
	return nil
}

// understood shows when it is due, and refuses what systemd would not understand, or not have when the time comes: an OnFailure= of
// the same account would fail as well, so nobody would be told. Where systemd is not, nobody can be asked.
func (a *app) understood(ctx context.Context, u schedule.Unit) error {
	due, err := answer(ctx, "--when", "systemd-analyze", "calendar", "--iterations=3", u.When)
	if err != nil {
		return err
	}
	if due != "" {
		fmt.Fprintf(a.out, "%s\n", due)
	}
	if u.Delay != "" {
		_, err = answer(ctx, "--delay", "systemd-analyze", "timespan", u.Delay)
	}
	if err == nil && u.User != "" {
		_, err = answer(ctx, "--user", "id", "-u", "--", u.User) // it knows accounts of directories (LDAP), too
	}
	return err
}

// answer is what a program says to a flag's value; empty where there is no such program.
func answer(ctx context.Context, flag, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("%s: %s", flag, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

func unit(j schedule.Job, f scheduleFlags) (schedule.Unit, error) {
	u := schedule.Unit{Job: j, Title: "dsplay: " + filepath.Base(j.Argv[2]) + " (schedule " + j.Name + ")", System: isRoot(), User: f.user, Delay: f.delay}
	if f.user != "" && !u.System {
		return u, errors.New("--user: only root writes units for another account")
	}
	for _, c := range f.credentials {
		name, file, ok := strings.Cut(c, "=")
		path, err := filepath.Abs(file)
		if !ok || name == "" || err != nil {
			return u, fmt.Errorf("--credential %s: write NAME=FILE", c)
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return u, fmt.Errorf("--credential %s: there is no file %s, so systemd would not even start it", c, path)
		}
		u.Credentials = append(u.Credentials, name+":"+path)
	}
	if f.run.metrics != "" {
		path, err := filepath.Abs(f.run.metrics)
		if err != nil {
			return u, err
		}
		u.Writes = append(u.Writes, filepath.Dir(path))
	}
	if dir := os.Getenv(lockDir); filepath.IsAbs(dir) {
		u.Writes = append(u.Writes, "-"+dir) // systemd.exec(5): it may not be there yet
	}
	if f.run.notify != "" {
		path, err := filepath.Abs(f.run.notify)
		if err != nil {
			return u, err
		}
		u.Failed = []string{j.Argv[0], "notify", "crashed", schedule.UnitName(j.Name) + ".service", path}
	}
	return u, nil
}

func unitNotes(u schedule.Unit) []string {
	notes := []string{"systemd keeps what it prints in its journal: journalctl -u " + schedule.UnitName(u.Name)}
	if u.System {
		notes = append(notes, "Its record is in /var/lib/dsplay. It can write there and nowhere else, and cannot become another account: a step with sudo on localhost fails.")
		if slices.ContainsFunc(u.Argv, func(w string) bool {
			_, path, _ := strings.Cut("="+w, "=/")
			return strings.HasPrefix(path, "tmp/") || strings.HasPrefix(path, "var/tmp/")
		}) {
			notes = append(notes, "It has a /tmp and a /var/tmp of its own (PrivateTmp): the files of its command line that are there it will not find.")
		}
		if u.User != "" {
			notes = append(notes, fmt.Sprintf("The account %s has to be able to read playbook, inventory, policy and keys.", u.User))
		}
	} else {
		notes = append(notes, "Without a login the timer runs only after: loginctl enable-linger "+os.Getenv("USER"))
	}
	notes = append(notes, proxyNote("with systemctl edit "+schedule.UnitName(u.Name)+".service (Environment= in [Service])")...)
	if u.Failed == nil {
		notes = append(notes, "Nobody is told: say --notify FILE.")
	}
	return notes
}

// unitDir is where this account's units belong.
func unitDir() (string, error) {
	if isRoot() {
		return "/etc/systemd/system", nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("%w; nothing was written", err)
	}
	return filepath.Join(config, "systemd", "user"), nil
}

// writeUnits writes files, but never over one that somebody else wrote.
func writeUnits(dir, name string, files []schedule.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	for _, f := range files {
		old, err := os.ReadFile(filepath.Join(dir, f.Name))
		switch {
		case err == nil && !schedule.IsOwn(string(old), name):
			return fmt.Errorf("%s was not written by dsplay schedule: move it away, or say another --name; nothing was written", filepath.Join(dir, f.Name))
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w; nothing was written", err)
		}
	}
	for _, f := range files {
		if err := replaceFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func systemctl(ctx context.Context, args ...string) error {
	if !isRoot() {
		args = append([]string{"--user"}, args...)
	}
	if out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
