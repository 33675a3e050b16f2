package tools

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
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
