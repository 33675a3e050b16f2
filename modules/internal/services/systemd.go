package services

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// systemd keeps services as units; a name without a suffix means NAME.service.
type systemd struct{ name string }

func (s *systemd) words() (string, string) { return "active", "inactive" }

func (s *systemd) list() string { return "systemctl list-unit-files --type=service" }

// look reads properties of the unit; their names and values are not translated.
func (s *systemd) look(ctx context.Context, host engine.Reader) (Status, error) {
	out, err := host.Run(ctx, engine.Command{NoSudo: true,
		Argv: []string{"systemctl", "show", "--property=LoadState,ActiveState,MainPID,UnitFileState", "--", s.name}})
	if err != nil {
		return Status{}, err
	}
	return readUnit(out.Stdout), nil
}

func readUnit(text string) Status {
	p := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		p[key] = value
	}
	if p["LoadState"] == "not-found" || p["LoadState"] == "" {
		return Status{State: "missing", stopped: true}
	}
	st := Status{Exists: true, State: p["ActiveState"]}
	st.Running = st.State == "active" || st.State == "reloading"
	st.stopped = st.State == "inactive" || st.State == "failed"
	switch p["UnitFileState"] {
	case "enabled", "enabled-runtime":
		st.Enabled = new(true)
	case "disabled", "masked", "masked-runtime":
		st.Enabled = new(false)
	}
	if pid, err := strconv.Atoi(p["MainPID"]); err == nil && pid > 0 {
		st.PID = &pid
	}
	return st
}

// detail: look has it all.
func (s *systemd) detail(_ context.Context, _ engine.Reader, st Status) (Status, error) {
	return st, nil
}

func (s *systemd) age(ctx context.Context, host engine.Reader, st Status) (*time.Duration, error) {
	if st.PID != nil {
		return processAge(ctx, host, st.PID)
	}
	// A unit without a main process: since when it is active, counted from the boot like the uptime.
	out, err := host.Run(ctx, engine.Command{NoSudo: true,
		Shell: "cat /proc/uptime; systemctl show --property=ActiveEnterTimestampMonotonic -- " + engine.QuoteSh(s.name)})
	if err != nil {
		return nil, err
	}
	uptime, since, _ := strings.Cut(out.Stdout, "\n")
	up, _, _ := strings.Cut(uptime, " ")
	seconds, err1 := strconv.ParseFloat(up, 64)
	_, value, _ := strings.Cut(strings.TrimSpace(since), "=")
	micros, err2 := strconv.ParseFloat(value, 64)
	if err1 != nil || err2 != nil || micros == 0 {
		return nil, nil
	}
	age := time.Duration(seconds*float64(time.Second) - micros*float64(time.Microsecond))
	return &age, nil
}

func (s *systemd) commands(verb string, _ Status) ([]engine.Command, error) {
	return []engine.Command{{Argv: []string{"systemctl", verb, s.name}}}, nil
}

// do: systemctl itself waits until the job is done, and fails when the service does.
func (s *systemd) do(ctx context.Context, host engine.Machine, verb string) error {
	commands, _ := s.commands(verb, Status{})
	return run(ctx, host, commands)
}

func (s *systemd) prove(_ context.Context, host engine.Reader, _ Status, _ time.Time) error {
	return untold(host, s.name, "systemd does not say since when it is active")
}
