package moduletest_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/modules/esxi"
	"github.com/dsplay/dsplay/modules/exec"
	"github.com/dsplay/dsplay/modules/files"
	"github.com/dsplay/dsplay/modules/service"
)

type appliance struct {
	*unix.DSVA
	*site
}

func newAppliance(t *testing.T, c unix.DSVAConfig, faults ...string) *appliance {
	t.Helper()
	c.Name = "dsva1"
	a := &appliance{unix.NewDSVA(c), &site{family: "posix", net: newNetwork()}}
	if c.SudoPassword != "" {
		a.sudo = &engine.Sudo{Password: engine.Plain(c.SudoPassword)}
	} else {
		a.sudo = &engine.Sudo{}
	}
	a.up = func() bool { return a.State().Up }
	a.exec = func(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) (int, bool) {
		return a.Exec(ctx, "dsva", line, stdin, stdout, stderr), false
	}
	for _, fault := range faults {
		if err := a.Break(fault); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

type esxiHost struct {
	*unix.ESXi
	*site
}

func newESXi(t *testing.T, c unix.ESXiConfig, faults ...string) *esxiHost {
	t.Helper()
	c.Name = "esx1"
	e := &esxiHost{unix.NewESXi(c), &site{family: "posix", net: newNetwork()}}
	e.up = func() bool { return e.State().Up }
	e.exec = func(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) (int, bool) {
		return e.Exec(ctx, "root", line, stdin, stdout, stderr), false
	}
	for _, fault := range faults {
		if err := e.Break(fault); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// TestServiceOnAppliance restarts the stuck agent, through sudo with and without a password, and proves it.
func TestServiceOnAppliance(t *testing.T) {
	for name, test := range map[string]struct {
		config  unix.DSVAConfig
		command string
	}{
		"EL 6":                {unix.DSVAConfig{}, "/sbin/service ds_agent restart"},
		"EL 6, sudo asks":     {unix.DSVAConfig{SudoPassword: "hunter2!"}, "/sbin/service ds_agent restart"},
		"EL 7":                {unix.DSVAConfig{Systemd: true}, "systemctl restart ds_agent"},
		"EL 7, and sudo asks": {unix.DSVAConfig{Systemd: true, SudoPassword: "hunter2!"}, "systemctl restart ds_agent"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAppliance(t, test.config, unix.DSVAStuck)
				time.Sleep(time.Minute)
				result, diff, err := a.drive(t.Context(), t, &service.Service{Name: "ds_agent", State: "restarted"})
				if s := a.State(); err != nil || s.AgentStuck || !s.AgentRunning || s.AgentRestarts != 1 {
					t.Fatalf("%+v, %v, %+v", result, err, s)
				}
				st := result.(service.Status)
				if st.PID == nil || st.Started == nil || st.Enabled == nil || !*st.Enabled {
					t.Errorf("%+v", st)
				}
				if started, err := time.Parse(time.RFC3339, *st.Started); err != nil || started.Sub(a.State().AgentStarted).Abs() > time.Second {
					t.Errorf("started %s, was %s", *st.Started, a.State().AgentStarted)
				}
				if len(diff.Commands) != 1 || !strings.HasSuffix(diff.Commands[0], test.command) || strings.Contains(diff.Commands[0], "hunter2") {
					t.Errorf("%q", diff.Commands)
				}
			})
		})
	}
}

// TestServiceOnApplianceResumes: what one instance did, another proves; what nobody did, it does not.
func TestServiceOnApplianceResumes(t *testing.T) {
	for _, systemd := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := newAppliance(t, unix.DSVAConfig{Systemd: systemd})
			time.Sleep(time.Hour)
			since := time.Now()
			restart := func() *service.Service { return &service.Service{Name: "ds_agent", State: "restarted"} }
			time.Sleep(time.Second)
			if err := restart().Prove(t.Context(), a.machine(), since); engine.KindOf(err) != engine.KindCheck {
				t.Errorf("nobody restarted it, and Prove says %v", err)
			}
			if _, _, err := a.drive(t.Context(), t, restart()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if err := restart().Prove(t.Context(), a.machine(), since); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestServiceOnApplianceStates: start, stop, enable; a no-op is one, and an unknown service is named.
func TestServiceOnApplianceStates(t *testing.T) {
	for _, systemd := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := newAppliance(t, unix.DSVAConfig{Systemd: systemd}, unix.AgentStopped)
			steps := []*service.Service{
				{Name: "ds_agent", State: "started", Enabled: new(false)},
				{Name: "ds_agent", State: "stopped", Enabled: new(true)},
				{Name: "ds_agent", State: "started"},
			}
			for i, s := range steps {
				_, diff, err := a.drive(t.Context(), t, s)
				if err != nil || diff.Empty() || a.State().AgentRunning != (s.State == "started") {
					t.Fatalf("step %d: %+v, %v, %+v", i, diff, err, a.State())
				}
			}
			_, diff, err := a.drive(t.Context(), t, steps[2])
			if err != nil || !diff.Empty() || diff.Note == "" {
				t.Errorf("%+v, %v", diff, err)
			}
			_, _, err = a.drive(t.Context(), t, &service.Service{Name: "ds_agnt", State: "started"})
			if err == nil || !strings.Contains(err.Error(), `no service "ds_agnt"`) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestMuxOnESXi restarts the stuck Mux of either generation, and proves it although ESXi tells no ages.
func TestMuxOnESXi(t *testing.T) {
	for mux, generation := range map[string]string{unix.MuxNSXT: "nsx-t", unix.MuxNSXV: "nsx-v", unix.MuxBoth: "nsx-t"} {
		for _, fault := range []string{unix.MuxStuck, unix.MuxStopped} {
			t.Run(mux+", "+fault, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := newESXi(t, unix.ESXiConfig{Mux: mux}, fault)
					x := esxi.Mux().New().(*esxi.Args)
					x.State = "restarted"
					result, _, err := e.drive(t.Context(), t, x)
					if s := e.State(); err != nil || s.MuxStuck || !s.MuxRunning || s.MuxRestarts != 1 {
						t.Fatalf("%+v, %v, %+v", result, err, s)
					}
					if st := result.(esxi.Status); !st.Prepared || !st.Running || st.Generation != generation {
						t.Errorf("%+v", st)
					}
				})
			})
		}
	}
}

// TestMuxOnESXiResumes: another instance has only the record on the host.
func TestMuxOnESXiResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newESXi(t, unix.ESXiConfig{}, unix.MuxStuck)
		restart := func() *esxi.Args { return &esxi.Args{Service: "auto", State: "restarted"} }
		since := time.Now()
		time.Sleep(time.Minute)
		if err := restart().Prove(t.Context(), e.machine(), since); engine.KindOf(err) != engine.KindCheck {
			t.Errorf("nobody restarted it, and Prove says %v", err)
		}
		if _, _, err := e.drive(t.Context(), t, restart()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := restart().Prove(t.Context(), e.machine(), since); err != nil {
			t.Error(err)
		}
		if err := restart().Prove(t.Context(), e.machine(), time.Now().Add(-time.Minute)); engine.KindOf(err) != engine.KindCheck {
			t.Errorf("an old restart counts as a new one: %v", err)
		}
	})
}

// TestMuxOnESXiHangs: a restart that never returns has a deadline and fails; the next one heals.
func TestMuxOnESXiHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newESXi(t, unix.ESXiConfig{}, unix.MuxHangs)
		restart := func() *esxi.Args { return &esxi.Args{Service: "auto", State: "restarted"} }
		if _, _, err := e.drive(t.Context(), t, restart()); engine.KindOf(err) != engine.KindTimeout {
			t.Errorf("%v", err)
		}
		if _, _, err := e.drive(t.Context(), t, restart()); err != nil || e.State().MuxStuck || !e.State().MuxRunning {
			t.Errorf("%v, %+v", err, e.State())
		}
	})
}

func TestMuxNotPrepared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newESXi(t, unix.ESXiConfig{Mux: unix.MuxNone})
		status, err := esxi.Mux().New().(engine.Prober).Probe(t.Context(), e.machine())
		if err != nil || status.(esxi.Status).Prepared {
			t.Errorf("%+v, %v", status, err)
		}
		if _, _, err := e.drive(t.Context(), t, &esxi.Args{Service: "auto", State: "restarted"}); err == nil || !strings.Contains(err.Error(), "not prepared") {
			t.Errorf("%v", err)
		}
	})
}

// TestServiceOnESXi: the scripts of ESXi through the module for services.
func TestServiceOnESXi(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newESXi(t, unix.ESXiConfig{Mux: unix.MuxNSXV}, unix.MuxStuck)
		for _, state := range []string{"restarted", "stopped", "started"} {
			_, _, err := e.drive(t.Context(), t, &service.Service{Name: unix.MuxNSXV, State: state})
			if err != nil || e.State().MuxRunning != (state != "stopped") {
				t.Fatalf("%s: %v, %+v", state, err, e.State())
			}
		}
		status, err := (&service.Service{Name: "nsx-gi-file"}).Probe(t.Context(), e.machine())
		if err != nil || status.(service.Status).Exists {
			t.Errorf("%+v, %v", status, err)
		}
	})
}

// TestExecOnAppliance: words, texts, secrets on standard input, creates.
func TestExecOnAppliance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAppliance(t, unix.DSVAConfig{SudoPassword: "hunter2!"})
		x := &exec.Text{Text: "cat >'/tmp/a b' && chmod 600 '/tmp/a b'", Creates: "/tmp/a b", Stdin: engine.Plain("s3cret"), Env: map[string]string{"LANG": "C"}}
		result, diff, err := a.drive(t.Context(), t, x)
		if err != nil || *result.(exec.Result).Code != 0 || strings.Contains(diff.Commands[0], "s3cret") {
			t.Fatalf("%+v, %v, %q", result, err, diff.Commands)
		}
		got, err := (&exec.Argv{Argv: []string{"cat", "/tmp/a b"}}).Probe(t.Context(), a.machine())
		if err != nil || got.(exec.Result).Stdout != "s3cret" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, diff, err := a.drive(t.Context(), t, &exec.Text{Text: "false", Creates: "/tmp/a b"}); err != nil || diff.Note != "/tmp/a b exists" {
			t.Errorf("%+v, %v", diff, err)
		}
		if _, err := (&exec.Argv{Argv: []string{"/opt/ds_agent/dsa_query", "-c", "GetComponentInfo"}}).Probe(t.Context(), a.machine()); err != nil {
			t.Error(err)
		}
	})
}

// TestCopyOnUnix: a new file, another content, only the mode, nothing to do; as the connection's user and through sudo,
// with and without a password, and as root of an ESXi host. A secret is on no line.
func TestCopyOnUnix(t *testing.T) {
	sites := map[string]func(t *testing.T) *site{
		"appliance":            func(t *testing.T) *site { return newAppliance(t, unix.DSVAConfig{}).site },
		"appliance, sudo asks": func(t *testing.T) *site { return newAppliance(t, unix.DSVAConfig{SudoPassword: "hunter2!"}).site },
		"esxi":                 func(t *testing.T) *site { return newESXi(t, unix.ESXiConfig{}).site },
	}
	var secrets engine.Secrets
	token := secrets.Add("env:TOKEN", "s3cret token")
	for name, open := range sites {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			for i, step := range []struct {
				f     files.File
				noop  bool
				wants string
			}{
				{files.File{Content: engine.Plain("one\n")}, false, "-rw-r--r--"},
				{files.File{Content: engine.Plain("two\nlines\n"), Backup: true}, false, "-rw-r--r--"},
				{files.File{Content: engine.Plain("two\nlines\n")}, true, "-rw-r--r--"},
				{files.File{Content: engine.Plain("two\nlines\n"), Mode: "600"}, false, "-rw-------"},
				{files.File{Content: token}, false, "-rw-------"},
				{files.File{Content: token}, true, "-rw-------"},
				{files.File{Content: engine.Plain("")}, false, "-rw-------"},
			} {
				f := step.f
				f.Dest = "/tmp/one file (1)"
				_, diff, err := s.drive(t.Context(), t, &f)
				if err != nil || diff.Empty() != step.noop {
					t.Fatalf("step %d: %+v, %v", i, diff, err)
				}
				if strings.Contains(strings.Join(diff.Commands, " "), "s3cret") {
					t.Errorf("the secret is in %q", diff.Commands)
				}
				got, err := s.machine().ReadFile(t.Context(), f.Dest)
				if err != nil || string(got) != f.Content.Reveal() {
					t.Errorf("step %d: %q, %v", i, got, err)
				}
				out, err := s.machine().Run(t.Context(), engine.Command{Shell: "cd /tmp && ls -l * && ls -a"})
				if err != nil || !strings.Contains(out.Stdout, step.wants) || strings.Contains(out.Stdout, ".dsplay") {
					t.Errorf("step %d: %s, %v", i, out.Stdout, err)
				}
			}
			st, err := (&files.Path{Path: "/tmp/one file (1)", Content: true}).Probe(t.Context(), s.machine())
			if got := st.(files.Status); err != nil || got.Kind != "file" || got.Size != 0 || got.Content == nil || *got.Mode != "0600" {
				t.Errorf("%+v, %v", st, err)
			}
			if _, _, err := s.drive(t.Context(), t, &files.File{Content: token, Dest: "/nowhere/x"}); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestCopyWithoutTheRight: the user of the connection may not write there, and says so; root may.
func TestCopyWithoutTheRight(t *testing.T) {
	a := newAppliance(t, unix.DSVAConfig{})
	sudo := a.sudo
	a.sudo = nil
	f := files.File{Content: engine.Plain("x"), Dest: "/etc/ds_agent.conf"}
	if _, _, err := a.drive(t.Context(), t, &f); !errors.Is(err, fs.ErrPermission) || engine.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	a.sudo = sudo
	if _, _, err := a.drive(t.Context(), t, &f); err != nil {
		t.Error(err)
	}
}
