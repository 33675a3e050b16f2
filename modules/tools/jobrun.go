package tools

import (
	"context"
	"errors"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
	"github.com/dsplay/dsplay/modules/internal/boot"
)

// killed tells whether the host was booted after NAME.cmd was written. Task Scheduler goes on giving 267009 for a
// task that lost its power.
func (j job) killed(ctx context.Context, host engine.Reader) (bool, error) {
	age, err := j.age(ctx, host, ".cmd")
	if err != nil {
		return false, err
	}
	b, err := boot.Of(ctx, host)
	return err == nil && b.Age < age, err
}

// early forgives a host that runs commands, but cannot tell its boot yet: Windows is on its way up.
func early(err error) error {
	if engine.KindOf(err) == engine.KindExit {
		return nil
	}
	return err
}

const (
	// unread is how long an exit code that nobody has read counts as that of the present step.
	unread = time.Hour
	often  = 5 * time.Second
	// silent is how many looks in a row may find neither a task that runs nor an exit code, before it counts as killed.
	silent = 4
)

// run starts the job unless it runs or has ended unread, waits for its end and returns the exit code. Before it starts it, it
// asks ready, until that is so. Losses of the connection are waited out.
func (j job) run(ctx context.Context, host engine.Machine, within time.Duration, ready func(context.Context, engine.Reader) (bool, error)) (int, error) {
	started := false
	err := await.Until(ctx, within, often, func(ctx context.Context) (bool, error) {
		s, err := j.look(ctx, host)
		switch {
		case err != nil:
			return false, err
		case s.running && started:
			return true, nil
		case s.running:
			killed, err := j.killed(ctx, host)
			if err != nil || !killed {
				return err == nil, early(err)
			}
		case s.ended:
			age, err := j.age(ctx, host, ".exit")
			if err != nil || age <= unread {
				return err == nil, err
			}
		}
		if !started {
			if ok, err := ready(ctx, host); err != nil || !ok {
				return false, err
			}
		}
		started = true // also when the answer is lost: then the next look tells
		return true, j.launch(ctx, host)
	})
	if err != nil {
		return 0, err
	}
	return j.wait(ctx, host, within, false)
}

func (j job) launch(ctx context.Context, host engine.Machine) error {
	for _, c := range []engine.Command{j.write(), j.register(), j.start()} {
		if _, err := host.Do(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// wait looks until there is an exit code. doubt: the host may have been booted since the job was started. So it may
// after each loss of the connection.
func (j job) wait(ctx context.Context, host engine.Reader, within time.Duration, doubt bool) (int, error) {
	var s jobState
	gone := 0
	err := await.Until(ctx, within, often, func(ctx context.Context) (bool, error) {
		var err error
		s, err = j.look(ctx, host)
		switch {
		case err != nil:
			doubt = true
			return false, err
		case s.ended:
			return true, nil
		case s.running && doubt:
			killed, err := j.killed(ctx, host)
			if err != nil {
				return false, early(err)
			}
			doubt = false
			if killed {
				gone = silent
			}
		case s.running:
			gone = 0
		default:
			gone++
		}
		if gone >= silent {
			return false, failed(host, "the installer ended without leaving an exit code", "was the guest rebooted meanwhile? look at "+j.file(".log")+" in the guest")
		}
		return false, nil
	})
	if engine.KindOf(err) == engine.KindTimeout {
		err = silence(host, err)
	}
	return s.code, err
}

// silence is the error of a wait in vain: for an installer that does not end, or a guest that does not answer any more.
func silence(host engine.Reader, err error) error {
	e := &engine.Error{Kind: engine.KindTimeout, Host: host.Name(), Op: "wait for the installer of VMware Tools", Err: err,
		Hint: "it is not killed: the same step, run again, goes on waiting for it; look at the guest's console in vCenter"}
	if last := errors.Unwrap(err); engine.IsUnreachable(last) {
		e.Unreachable = true
		e.Hint = "it was started once, and how it ended is not known: has the guest lost its network adapter? Look at its console in vCenter; after a reboot there, the same step reads what the installer has left, and starts no second one"
	}
	return e
}
