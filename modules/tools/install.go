package tools

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
	"github.com/dsplay/dsplay/modules/internal/boot"
)

// job is the installer with the arguments of this step; there tells whether it is in the guest already.
func (t *Tools) job(ctx context.Context, host engine.Reader, st Status) (j job, there bool, err error) {
	j = job{name: t.name()}
	options := "/qn REBOOT=R " // REBOOT=ReallySuppress, in the short form that VMware documents
	if t.AllowReboot {
		options = "/qn "
	}
	log := " /l*v " + j.file(".log")
	if t.Repair && t.Installer == auto {
		j.line = "msiexec.exe /fa " + st.product + " " + options + strings.TrimSpace(log)
		return j, true, nil
	}
	setup, err := t.setup(ctx, host, &j)
	if err != nil {
		return j, false, err
	}
	what := "ADDLOCAL=" + strings.Join(t.Features, ",") // naming one that is installed changes nothing
	if t.Repair {
		what = "REINSTALL=ALL REINSTALLMODE=amus"
	}
	j.line = fmt.Sprintf(`%s /S /v"%s%s%s"`, setup, options, what, log)
	there, err = t.there(ctx, host)
	return j, there, err
}

// name identifies runs with the same arguments, so that a step that was cut finds its installer.
func (t *Tools) name() string {
	data, _ := json.Marshal([]any{t.Features, t.Repair, t.Installer, t.AllowReboot}) // strings and bools always can be
	return fmt.Sprintf("tools-%x", sha256.Sum256(data))[:14]
}

const drives = "D E F G H I J K L M N O P Q R S T U V W X Y Z"

// upgrader is a file that only the image of VMware Tools has: other images have a setup64.exe, too, and what is found is run
// as SYSTEM.
const upgrader = `VMwareToolsUpgrader.exe`

// images prints the installers on images of VMware Tools.
const images = `for %d in (` + drives + `) do @if exist %d:\` + upgrader + ` if exist %d:\setup64.exe echo %d:\setup64.exe`

var found = regexp.MustCompile(`(?m)^([D-Z]:\\setup64\.exe)\s*$`)

// setup is how the installer is called. Where it has to be found or fetched first, when the job runs, j gets a line for that.
func (t *Tools) setup(ctx context.Context, host engine.Reader, j *job) (string, error) {
	switch {
	case t.Installer == media:
		// %%d, because it stands in a file; it passes cmd.exe's command line as it is.
		j.before = `for %%d in (` + drives + `) do @if exist %%d:\` + upgrader + ` set setup=%%d:\setup64.exe`
		return "!setup!", nil
	case t.onShare(): // the change takes the network away: what is installed from must be here
		j.before = `copy /y "` + t.Installer + `" ` + j.file(".exe") + ` ^>nul`
		return "if exist " + j.file(".exe") + " " + j.file(".exe"), nil
	case t.Installer != auto:
		return quoted(t.Installer), nil
	}
	out, err := host.Run(ctx, engine.Command{Shell: images, AnyOK: true})
	if err != nil {
		return "", err
	}
	m := found.FindStringSubmatch(out.Stdout)
	if m == nil {
		return "", failed(host, "there is no installer in the guest (the image of VMware Tools on a drive from D to Z); nothing was started",
			`let a step before this one put the image in (vm_tools_media, and here installer = "media"), or say where the installer is: installer`)
	}
	return m[1], nil
}

func (t *Tools) onShare() bool { return strings.HasPrefix(t.Installer, `\\`) }

func quoted(path string) string {
	if strings.ContainsAny(path, " (),;=") {
		return `"` + path + `"`
	}
	return path
}

// there tells whether the installer is in the guest. Of a share only SYSTEM of the guest can tell.
func (t *Tools) there(ctx context.Context, host engine.Reader) (bool, error) {
	line := images
	switch {
	case t.Installer == auto || t.onShare():
		return true, nil
	case t.Installer != media:
		line = "if exist " + quoted(t.Installer) + " echo " + t.Installer
	}
	out, err := host.Run(ctx, engine.Command{Shell: line, AnyOK: true})
	return err == nil && strings.TrimSpace(out.Stdout) != "", err
}

// showsUp is how long a guest may take to show what was put into its drive.
const showsUp = 2 * time.Minute

// ready is asked before the installer is started; false: not yet. An error tells what keeps it from that: nothing was done then.
func (t *Tools) ready(ctx context.Context, host engine.Reader) (bool, error) {
	st := Status{}
	if err := st.lookBusy(ctx, host); err != nil {
		return false, err
	}
	if st.Busy != "" {
		return false, &engine.Error{Kind: engine.KindBusy, Host: host.Name(), Op: "change VMware Tools", Msg: st.Busy + "; nothing was started",
			Hint: `try again when that is over: retry { on = ["busy"] }; a mark that stays for hours is left of an installation that was cut, and goes with a reboot`}
	}
	if t.Repair && t.Installer == auto {
		return true, nil
	}
	there, err := t.there(ctx, host)
	if t.sought.IsZero() {
		t.sought = time.Now()
	}
	if err == nil && !there && (t.Installer != media || time.Since(t.sought) > showsUp) {
		err = t.absent(host)
	}
	return there, err
}

func (t *Tools) absent(host engine.Reader) error {
	if t.Installer == media {
		return failed(host, "the image of VMware Tools is on no drive of the guest; nothing was started",
			"a step before this one has to put it in (vm_tools_media); has Windows given the drive a letter?")
	}
	return failed(host, "there is no "+t.Installer+" in the guest; nothing was started", "bring it there (copy), or put the image in (vm_tools_media) and say installer = \"media\"")
}

// Apply runs the installer to its end, and tells what is installed then.
func (t *Tools) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	j := t.planned
	within, err := time.ParseDuration(t.Wait)
	if err != nil {
		return nil, err
	}
	code, err := j.run(ctx, host, within, t.ready)
	if err != nil {
		return nil, err
	}
	t.read = true
	if code == rebooting {
		if err := j.rebooted(ctx, host, within); err != nil {
			return nil, err
		}
	}
	if err := j.tidy(ctx, host); err != nil {
		return nil, err
	}
	if err := verdict(ctx, host, code, j); err != nil {
		return nil, err
	}
	return t.result(ctx, host, code)
}

// tidy marks the exit code as read. The network may still be on its way back.
func (j job) tidy(ctx context.Context, host engine.Machine) error {
	return await.Until(ctx, 5*time.Minute, often, func(ctx context.Context) (bool, error) {
		_, err := host.Do(ctx, j.finish())
		return err == nil, err
	})
}

// result looks at what is installed now; the network may be going up and down.
func (t *Tools) result(ctx context.Context, host engine.Reader, code int) (Status, error) {
	var st Status
	err := await.Until(ctx, 5*time.Minute, often, func(ctx context.Context) (bool, error) {
		x, err := t.Probe(ctx, host)
		if err == nil {
			st = x.(Status)
		}
		return err == nil, early(err)
	})
	st.ExitCode, st.Outcome = &code, "done"
	switch code {
	case rebootRequired:
		st.Outcome = "reboot_pending"
		if !st.PendingReboot {
			st.PendingReboot, st.RebootHint = true, "VMware Tools"
		}
	case rebooting:
		st.Outcome = "rebooted"
	}
	return st, err
}

// rebooted waits until the guest has booted after the installer wrote its exit code, both on the guest's clock.
func (j job) rebooted(ctx context.Context, host engine.Reader, within time.Duration) error {
	err := await.Until(ctx, within, often, func(ctx context.Context) (bool, error) {
		b, err := boot.Of(ctx, host)
		if err != nil {
			return false, early(err)
		}
		age, err := j.age(ctx, host, ".exit") // asked later: a boot is not missed for the time between the two
		return err == nil && b.Age < age, early(err)
	})
	if err != nil {
		return &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: "wait for the reboot that the installer began", Err: err,
			Unreachable: engine.IsUnreachable(errors.Unwrap(err)), Hint: "look at its console in vCenter"}
	}
	return nil
}

// Prove shows that a repair ended well after since. Who did not see it finds the record that it left, and waits
// for it while it runs.
func (t *Tools) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	if t.read {
		return nil
	}
	j := job{name: t.name()}
	s, err := j.look(ctx, host)
	if err != nil {
		return err
	}
	within, err := time.ParseDuration(t.Wait)
	if err != nil {
		return err
	}
	ending := ".exit"
	switch {
	case s.running:
		if s.code, err = j.wait(ctx, host, within, true); err != nil {
			return err
		}
	case !s.ended:
		ending = ".last"
		if s, err = j.last(ctx, host); err != nil {
			return err
		}
	}
	age, err := j.age(ctx, host, ending)
	if err != nil {
		return err
	}
	if age > time.Since(since) {
		return unproven(host, fmt.Sprintf("the last run that the guest has on record ended %s ago", age.Round(time.Second)))
	}
	return verdict(ctx, host, s.code, j)
}

// last reads the exit code that was read before.
func (j job) last(ctx context.Context, host engine.Reader) (jobState, error) {
	out, err := host.Run(ctx, engine.Command{Shell: "type " + j.file(".last"), AnyOK: true})
	if err != nil {
		return jobState{}, err
	}
	m := exitCode.FindStringSubmatch(out.Stdout)
	if m == nil {
		return jobState{}, unproven(host, "the guest has no record of it")
	}
	code, err := strconv.Atoi(m[1])
	return jobState{ended: true, code: code}, err
}

func unproven(host engine.Reader, why string) error {
	return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "repair VMware Tools", Msg: "it cannot be shown that it happened: " + why}
}
