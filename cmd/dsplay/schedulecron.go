package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/dsplay/dsplay/engine/schedule"
)

// installLine puts a job into this account's crontab.
func (a *app) installLine(ctx context.Context, j schedule.Job, f scheduleFlags) error {
	for name, given := range map[string]bool{"--user": f.user != "", "--credential": f.credentials != nil} {
		if given {
			return fmt.Errorf("%s goes with --systemd; cron runs it as this account; nothing was written", name)
		}
	}
	tab, err := crontab(ctx)
	if err != nil {
		return err
	}
	next, err := schedule.Put(tab, j)
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	line, err := j.Line()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Into the crontab of this account, beside %s:\n\n%s\n", plural(strings.Count(tab, "\n"), "line"), line)
	tellNotes(a.out, cronNotes(tab))
	if ok, err := a.agreed(f); !ok {
		return err
	}
	if err := setCrontab(ctx, next); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Installed as %s. dsplay schedule list shows when it is due; dsplay schedule remove %[1]s takes it away.\n", j.Name)
	return nil
}

// cronNotes is what is different there from this shell.
func cronNotes(tab string) []string {
	notes := []string{"cron gives HOME, LOGNAME, SHELL and PATH=/usr/bin:/bin, and what its own lines set; nothing else of this shell is there."}
	if os.Getenv("SSH_AUTH_SOCK") != "" {
		notes = append(notes, "The SSH agent of this shell is not there: connections that need it have to name a key without a passphrase, or with passphrase = secret(\"file:…\").")
	}
	notes = append(notes, proxyNote("in a line of its own of the crontab (crontab -e)")...)
	if plainLocale(os.Getenv) {
		notes = append(notes, "No locale with UTF-8 is set, so what it prints is ASCII.")
	}
	to := "this account, if this machine can deliver mail"
	for line := range strings.Lines(tab) {
		if name, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.TrimSpace(name) == "MAILTO" {
			if to = strings.Trim(strings.TrimSpace(v), `"'`); to == "" {
				to = "nobody (MAILTO is empty)"
			}
		}
	}
	return append(notes, "What it prints is mailed by cron to "+to+": nothing when nothing happened, one page otherwise. --notify tells people whatever cron does.")
}

// crontab reads this account's crontab; none is an empty one.
func crontab(ctx context.Context) (string, error) {
	var out, complaint bytes.Buffer
	c := exec.CommandContext(ctx, "crontab", "-l")
	c.Stdout, c.Stderr = &out, &complaint
	c.Env = append(os.Environ(), "LC_ALL=C")
	err := c.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("there is no crontab(1) on this machine: install cron (Debian: cron, RHEL: cronie), or say --systemd; nothing was written")
	case err != nil && (strings.Contains(complaint.String(), "no crontab for") || strings.Contains(complaint.String(), "No such file")): // cron, cronie; BusyBox
		return "", nil
	case err != nil:
		return "", fmt.Errorf("crontab -l: %w: %s; nothing was written", err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// setCrontab replaces this account's crontab, which cron itself judges first.
func setCrontab(ctx context.Context, tab string) error {
	c := exec.CommandContext(ctx, "crontab", "-")
	c.Stdin = strings.NewReader(tab)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("crontab -: %w: %s; nothing was written", err, strings.TrimSpace(string(out)))
	}
	return nil
}
