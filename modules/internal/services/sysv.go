package services

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// sysv keeps services as scripts in /etc/init.d (RHEL and CentOS 6, of which appliances are made).
type sysv struct {
	name    string
	service string // full path: sbin is often not in the PATH of a remote command
	enabler string // /sbin/chkconfig or /usr/sbin/update-rc.d; "": none
}

func (s *sysv) words() (string, string) { return "running", "stopped" }

func (s *sysv) list() string { return "ls /etc/init.d" }

// Exit codes of "status" (Linux Standard Base, init script actions).
var lsb = map[int]string{0: "running", 1: "dead", 2: "dead", 3: "stopped", 4: "unknown"}

// pidText is how the scripts of Red Hat name the process, in every language: "(pid  2345) is running...".
var pidText = regexp.MustCompile(`\bpid[ :]+(\d+)`)

// look trusts the exit code. Only 0 and 3 are certain: a script that does not exist gives 1 on some systems.
func (s *sysv) look(ctx context.Context, host engine.Reader) (Status, error) {
	out, err := host.Run(ctx, engine.Command{Argv: []string{s.service, s.name, "status"}, AnyOK: true})
	if err != nil {
		return Status{}, err
	}
	if out.Code != 0 && out.Code != 3 {
		t, err := host.Run(ctx, engine.Command{Argv: []string{"test", "-e", "/etc/init.d/" + s.name}, OK: []int{0, 1}, NoSudo: true})
		if err != nil || t.Code != 0 {
			return Status{State: "missing", stopped: true}, err
		}
	}
	st := Status{Exists: true, State: lsb[out.Code], Running: out.Code == 0, stopped: out.Code >= 1 && out.Code <= 3}
	if st.State == "" {
		st.State = "unknown"
	}
	if m := pidText.FindStringSubmatch(out.Stdout); m != nil && st.Running {
		if pid, err := strconv.Atoi(m[1]); err == nil {
			st.PID = &pid
		}
	}
	return st, nil
}

func (s *sysv) detail(ctx context.Context, host engine.Reader, st Status) (Status, error) {
	var err error
	if st.Running && st.PID == nil {
		if st.PID, err = s.pid(ctx, host); err != nil {
			return st, err
		}
	}
	st.Enabled, err = s.enabled(ctx, host)
	return st, err
}

// pid is the oldest process that bears the service's name, for a status that names none.
func (s *sysv) pid(ctx context.Context, host engine.Reader) (*int, error) {
	short := s.name[:min(len(s.name), 15)] // the kernel keeps no more of a process's name
	out, err := host.Run(ctx, engine.Command{Argv: []string{"pgrep", "-o", "-x", short}, AnyOK: true})
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(out.Stdout))
	if err != nil {
		return nil, nil
	}
	return &pid, nil
}

// enabled: a start link in one of the runlevels in which servers run.
func (s *sysv) enabled(ctx context.Context, host engine.Reader) (*bool, error) {
	if s.enabler == "" {
		return nil, nil
	}
	out, err := host.Run(ctx, engine.Command{NoSudo: true, AnyOK: true, Shell: "ls /etc/rc[2345].d/S[0-9][0-9]" + engine.QuoteSh(s.name)})
	if err != nil {
		return nil, err
	}
	return new(strings.TrimSpace(out.Stdout) != ""), nil
}

func (s *sysv) age(ctx context.Context, host engine.Reader, st Status) (*time.Duration, error) {
	return processAge(ctx, host, st.PID)
}

func (s *sysv) commands(verb string, _ Status) ([]engine.Command, error) {
	switch {
	case verb != "enable" && verb != "disable":
		return []engine.Command{{Argv: []string{s.service, s.name, verb}}}, nil
	case strings.HasSuffix(s.enabler, "/update-rc.d"):
		return []engine.Command{{Argv: []string{s.enabler, s.name, verb}}}, nil
	}
	return []engine.Command{{Argv: []string{s.enabler, s.name, map[string]string{"enable": "on", "disable": "off"}[verb]}}}, nil
}

func (s *sysv) do(ctx context.Context, host engine.Machine, verb string) error {
	commands, _ := s.commands(verb, Status{})
	return run(ctx, host, commands)
}

func (s *sysv) prove(_ context.Context, host engine.Reader, _ Status, _ time.Time) error {
	return untold(host, s.name, "the host does not tell its process")
}
