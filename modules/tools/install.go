package tools

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
	"github.com/dsplay/dsplay/modules/internal/boot"
)

// job is the installer with the arguments of this step.
func (t *Tools) job(ctx context.Context, host engine.Reader, st Status) (job, error) {
	j := job{name: t.name()}
	options := "/qn REBOOT=R " // REBOOT=ReallySuppress, in the short form that VMware documents
	if t.AllowReboot {
		options = "/qn "
	}
	log := " /l*v " + j.file(".log")
	if t.Repair && t.Installer == auto {
		j.line = "msiexec.exe /fa " + st.product + " " + options + strings.TrimSpace(log)
		return j, nil
	}
	setup, err := t.setup(ctx, host)
	if err != nil {
		return j, err
	}
	what := "ADDLOCAL=" + strings.Join(t.Features, ",") // naming one that is installed changes nothing
	if t.Repair {
		what = "REINSTALL=ALL REINSTALLMODE=amus"
	}
	j.line = fmt.Sprintf(`%s /S /v"%s%s%s"`, setup, options, what, log)
	return j, nil
}

// name identifies runs with the same arguments, so that a step that was cut finds its installer.
func (t *Tools) name() string {
	data, _ := json.Marshal([]any{t.Features, t.Repair, t.Installer, t.AllowReboot}) // strings and bools always can be
	return fmt.Sprintf("tools-%x", sha256.Sum256(data))[:14]
}

const drives = "D E F G H I J K L M N O P Q R S T U V W X Y Z"

var found = regexp.MustCompile(`(?m)^([D-Z]:\\setup64\.exe)\s*$`)

// setup is the path of the installer, quoted where it must be.
func (t *Tools) setup(ctx context.Context, host engine.Reader) (string, error) {
	if t.Installer != auto {
		if strings.ContainsAny(t.Installer, " (),;=") {
			return `"` + t.Installer + `"`, nil
		}
		return t.Installer, nil
	}
	out, err := host.Run(ctx, engine.Command{Shell: `for %d in (` + drives + `) do @if exist %d:\setup64.exe echo %d:\setup64.exe`, AnyOK: true})
	if err != nil {
		return "", err
	}
	m := found.FindStringSubmatch(out.Stdout)
	if m == nil {
		return "", failed(host, "there is no installer of VMware Tools in the guest (setup64.exe on a drive from D to Z)",
			"connect its image to the guest through vCenter, or say where it is: installer")
	}
	return m[1], nil
}

// Apply runs the installer to its end, and tells what is installed then.
func (t *Tools) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	j := t.planned
	within, err := time.ParseDuration(t.Wait)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	code, started, err := j.run(ctx, host, within)
	if err != nil {
		return nil, err
	}
	t.read = true
	if code == rebooting && started {
		if err := booted(ctx, host, begun, within); err != nil {
			return nil, err
		}
	}
	if err := j.tidy(ctx, host); err != nil {
		return nil, err
	}
	if err := verdict(host, code, j); err != nil {
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
		var err error
		st, err = look(ctx, host)
		return err == nil, err
	})
	st.ExitCode = &code
	if code == rebootRequired && !st.PendingReboot {
		st.PendingReboot, st.RebootHint = true, "VMware Tools"
	}
	return st, err
}

func booted(ctx context.Context, host engine.Reader, begun time.Time, within time.Duration) error {
	err := await.Until(ctx, within, often, func(ctx context.Context) (bool, error) {
		b, err := boot.Of(ctx, host)
		return err == nil && b.After(begun), early(err)
	})
	if err != nil {
		return &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: "wait for the reboot that the installer began", Err: err, Hint: "look at its console"}
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
	return verdict(host, s.code, j)
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
