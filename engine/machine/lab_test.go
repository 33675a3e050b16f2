package machine_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/engine/machine"
)

// shell is one of the lab's simulated systems.
type shell struct {
	conn
	user string
	exec func(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int
}

func (s *shell) Exec(ctx context.Context, p engine.Process) (int, error) {
	stdin := p.Stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	return s.exec(ctx, s.user, p.Line, stdin, p.Stdout, p.Stderr), nil
}

func (s *shell) Get(context.Context, *engine.Host) (engine.Conn, error) { return s, nil }
func (s *shell) Discard(*engine.Host, engine.Conn)                      {}

func inLab(s *shell, sudo *engine.Sudo) *machine.Host {
	s.host = &host{}
	return machine.New(s, &engine.Host{Name: "lab1"}, machine.Options{Sudo: sudo})
}

// TestTheLabsAppliance: the lab's sudo was written by others, from sudo's manual.
func TestTheLabsAppliance(t *testing.T) {
	appliance := unix.NewDSVA(unix.DSVAConfig{Name: "dsva1", SudoPassword: "s3cret", NoSudo: []string{"nobody"}})
	restart := engine.Command{Argv: []string{"service", "ds_agent", "status"}}
	m := inLab(&shell{user: "dsva", exec: appliance.Exec}, &engine.Sudo{Password: engine.Plain("s3cret")})
	if platform, err := m.Platform(t.Context()); platform != engine.POSIX || err != nil {
		t.Fatalf("got %q, %v", platform, err)
	}
	if out, err := m.Run(t.Context(), restart); err != nil || !strings.Contains(out.Stdout, "running") || out.Stderr != "" {
		t.Errorf("got %+v, %v", out, err)
	}
	if out, err := m.Run(t.Context(), engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("own")}); err != nil || out.Stdout != "own" {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := m.ReadFile(t.Context(), "/var/log/messages"); err != nil {
		t.Errorf("root may read it: %v", err)
	}
	if _, err := inLab(&shell{user: "dsva", exec: appliance.Exec}, nil).ReadFile(t.Context(), "/var/log/messages"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("dsva may not: %v", err)
	}
	for user, sudo := range map[string]*engine.Sudo{"dsva": {Password: engine.Plain("wrong")}, "nobody": {Password: engine.Plain("s3cret")}} {
		if _, err := inLab(&shell{user: user, exec: appliance.Exec}, sudo).Run(t.Context(), restart); engine.KindOf(err) != engine.KindAuth {
			t.Errorf("%s: %v", user, err)
		}
	}
	if _, err := inLab(&shell{user: "dsva", exec: appliance.Exec}, &engine.Sudo{}).Run(t.Context(), restart); engine.KindOf(err) != engine.KindAuth {
		t.Errorf("without a password: %v", err)
	}
}

func TestTheLabsESXi(t *testing.T) {
	esxi := unix.NewESXi(unix.ESXiConfig{Name: "esx1", Mux: unix.MuxNSXV})
	m := inLab(&shell{user: "root", exec: esxi.Exec}, &engine.Sudo{Password: engine.Plain("s3cret")})
	if platform, err := m.Platform(t.Context()); platform != engine.ESXi || err != nil {
		t.Fatalf("got %q, %v", platform, err)
	}
	status := engine.Command{Argv: []string{"/etc/init.d/vShield-Endpoint-Mux", "status"}}
	if out, err := m.Run(t.Context(), status); err != nil || !strings.Contains(out.Stdout, "is running") {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := m.ReadFile(t.Context(), "/nonexistent/file"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
