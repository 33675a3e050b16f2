package services

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
	"github.com/dsplay/dsplay/modules/internal/scm"
)

// settle is how long a service may take to start or stop. Windows itself gives up on a service that shows no
// progress after 30 seconds, on most.
const settle = 2 * time.Minute

// windows is the service control manager, asked through sc.exe ("sc" alone is Set-Content in PowerShell).
type windows struct {
	name    string
	stopped time.Time // when this instance saw it stopped, during a restart
}

func (w *windows) words() (string, string) { return "RUNNING", "STOPPED" }

func (w *windows) list() string { return "sc.exe query type= all state= all" }

func (w *windows) look(ctx context.Context, host engine.Reader) (Status, error) {
	s, err := w.query(ctx, host, "query")
	if err != nil || !s.Exists {
		return Status{State: "missing", stopped: true}, err
	}
	return Status{Exists: true, Running: s.State == scm.Running, State: s.Word, stopped: s.State == scm.Stopped, driver: s.Driver}, nil
}

func (w *windows) detail(ctx context.Context, host engine.Reader, st Status) (Status, error) {
	if st.Running && !st.driver {
		s, err := w.query(ctx, host, "queryex")
		if err != nil {
			return st, err
		}
		if s.PID > 0 {
			st.PID = &s.PID
		}
	}
	out, err := host.Run(ctx, engine.Command{Argv: []string{"sc.exe", "qc", w.name}, AnyOK: true})
	if err != nil {
		return st, err
	}
	if atBoot, known := scm.AtBoot(out); known {
		st.Enabled = &atBoot
	}
	return st, nil
}

func (w *windows) query(ctx context.Context, host engine.Reader, verb string) (scm.Service, error) {
	out, err := host.Run(ctx, engine.Command{Argv: []string{"sc.exe", verb, w.name}, AnyOK: true})
	if err != nil {
		return scm.Service{}, err
	}
	s, err := scm.Parse(out)
	return s, onHost(host, err)
}

// age asks for the age of the process on the host's own clock. A driver has no process.
func (w *windows) age(ctx context.Context, host engine.Reader, st Status) (*time.Duration, error) {
	if st.PID == nil {
		return nil, nil
	}
	script := fmt.Sprintf("[long]((Get-Date) - (Get-Process -Id %d).StartTime).TotalMilliseconds", *st.PID)
	ask := engine.PowerShellCommand(script)
	ask.AnyOK = true
	out, err := host.Run(ctx, ask)
	if err != nil {
		return nil, err
	}
	ms, err := strconv.ParseInt(strings.TrimSpace(out.Stdout), 10, 64)
	if err != nil {
		return nil, nil
	}
	return new(time.Duration(ms) * time.Millisecond), nil
}

// start and stop are no failure when there is nothing to do: another may have been faster.
func (w *windows) start() engine.Command {
	return engine.Command{Argv: []string{"sc.exe", "start", w.name}, AnyOK: true}
}

func (w *windows) stop() engine.Command {
	return engine.Command{Argv: []string{"sc.exe", "stop", w.name}, AnyOK: true}
}

func (w *windows) commands(verb string, st Status) ([]engine.Command, error) {
	switch verb {
	case "start":
		return []engine.Command{w.start()}, nil
	case "stop":
		return []engine.Command{w.stop()}, nil
	case "restart":
		return []engine.Command{w.stop(), w.start()}, nil
	}
	if st.driver {
		return nil, engine.BadArg{Arg: "enabled", Problem: w.name + " is a driver: its start type is set by the product that it belongs to"}
	}
	return []engine.Command{w.config(verb)}, nil
}

func (w *windows) config(verb string) engine.Command {
	return engine.Command{Argv: []string{"sc.exe", "config", w.name, "start=", map[string]string{"enable": "auto", "disable": "demand"}[verb]}}
}

func (w *windows) do(ctx context.Context, host engine.Machine, verb string) error {
	switch verb {
	case "start":
		return w.started(ctx, host)
	case "stop":
		return w.ended(ctx, host)
	case "restart":
		if err := w.ended(ctx, host); err != nil {
			return err
		}
		w.stopped = time.Now()
		return w.started(ctx, host)
	}
	_, err := host.Do(ctx, w.config(verb))
	return err
}

func (w *windows) started(ctx context.Context, host engine.Machine) error {
	return w.tell(ctx, host, w.start(), scm.CodeAlreadyRunning, scm.Running)
}

func (w *windows) ended(ctx context.Context, host engine.Machine) error {
	return w.tell(ctx, host, w.stop(), scm.CodeNotStarted, scm.Stopped)
}

// tell sends one command, for which fine is no failure either, and waits for the state that it leads to.
func (w *windows) tell(ctx context.Context, host engine.Machine, c engine.Command, fine, state int) error {
	op := c.Argv[1] + " " + w.name
	out, err := host.Do(ctx, c)
	if err != nil {
		return err
	}
	if out.Code != 0 && out.Code != fine {
		return onHost(host, scm.Failed(op, out))
	}
	var last scm.Service
	err = await.Until(ctx, settle, time.Second, func(ctx context.Context) (bool, error) {
		now, err := w.query(ctx, host, "query")
		if err != nil {
			return false, err
		}
		last = now
		if state == scm.Running && last.State == scm.Stopped {
			return false, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: op, Msg: "it stopped again: " + scm.Reason(last.Exit),
				Hint: "look into the Windows event log (System)"}
		}
		return last.State == state, nil
	})
	if engine.KindOf(err) == engine.KindTimeout {
		return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: op, Msg: fmt.Sprintf("it is still %s after %s", last.Word, settle), Err: err}
	}
	return onHost(host, err)
}

// onHost says which host an error is about.
func onHost(host engine.Reader, err error) error {
	if e, ok := err.(*engine.Error); ok && e.Host == "" { //nolint:errorlint // only the error itself is ours to complete
		e.Host = host.Name()
	}
	return err
}

// prove is for what has no process: this instance saw it stopped, after since, and it runs now.
func (w *windows) prove(_ context.Context, host engine.Reader, _ Status, since time.Time) error {
	if w.stopped.After(since) {
		return nil
	}
	return untold(host, w.name, "it has no process whose age would tell")
}
