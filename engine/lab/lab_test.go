package lab

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fast makes lab minutes take milliseconds; slow lets no heartbeat and no boot happen by itself during a test.
const (
	fast = 30000
	slow = 1
)

func start(t *testing.T, o Options) *Lab {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	l, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *Lab) mustInject(t *testing.T, fault, target string) {
	t.Helper()
	if err := l.Inject(fault, target); err != nil {
		t.Fatal(err)
	}
}

// run executes a line on a machine as its administrator, past the network.
func (l *Lab) run(t *testing.T, name, line string) string {
	t.Helper()
	var out bytes.Buffer
	switch m := l.names[name].(type) {
	case *host:
		m.machine().Exec(t.Context(), "root", line, nil, &out, &out)
	case *appliance:
		m.machine().Exec(t.Context(), "root", line, nil, &out, &out)
	case *guest:
		m.machine().Exec(t.Context(), guestUser, line, nil, &out, &out)
	default:
		t.Fatalf("there is no %s", name)
	}
	return out.String()
}

func (l *Lab) engine(t *testing.T, guest string) string {
	t.Helper()
	g, ok := l.World().Guest(guest)
	if !ok {
		t.Fatalf("there is no guest %s", guest)
	}
	return g.Engine
}

// eventually waits for what takes lab time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("%s did not happen", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// The remedies of a small estate: what each does about guest1-1 and its host.
var remedies = map[string]func(t *testing.T, l *Lab){
	"agent":  func(t *testing.T, l *Lab) { l.run(t, "dsva1", "service ds_agent restart") },
	"mux":    func(t *testing.T, l *Lab) { l.run(t, "esx1", "/etc/init.d/nsx-context-mux restart") },
	"driver": func(t *testing.T, l *Lab) { l.run(t, "guest1-1", "sc start vsepflt") },
	"enable": func(t *testing.T, l *Lab) { l.run(t, "guest1-1", "sc config vsepflt start= boot && sc start vsepflt") },
	"feature": func(t *testing.T, l *Lab) {
		l.run(t, "guest1-1", `D:\setup64.exe /S /v"/qn REBOOT=R ADDLOCAL=VMCI,FileIntrospection"`)
	},
	"repair": func(t *testing.T, l *Lab) {
		l.run(t, "guest1-1", `D:\setup64.exe /S /v"/qn REBOOT=R REINSTALL=ALL REINSTALLMODE=vomus"`)
	},
	"reboot": func(t *testing.T, l *Lab) {
		if l.names["guest1-1"].(*guest).powerNow() == On {
			_ = l.names["guest1-1"].(*guest).machine().Reboot(t.Context())
		}
	},
	"power on": func(_ *testing.T, l *Lab) {
		if g := l.names["guest1-1"].(*guest); g.powerNow() != Standby { // a vCenter refuses it for a machine that is on
			g.setPower(On)
		}
	},
	"tag": func(t *testing.T, l *Lab) { l.tag(t, "guest1-1", "deepsecurity", "protected") },
	"another tag": func(t *testing.T, l *Lab) {
		l.tag(t, "guest1-1", "deepsecurity", "Protected") // letter case counts
		l.tag(t, "guest1-1", "", "protected")
	},
	"reset": func(_ *testing.T, l *Lab) {
		if g := l.names["guest1-1"].(*guest); g.powerNow() != Off && g.powerNow() != Suspended { // likewise
			g.setPower(Off)
			g.setPower(On)
		}
	},
}

func TestEachFaultIsHealedOnlyByItsOwnRemedy(t *testing.T) {
	heals := map[string]struct {
		target string
		by     []string
	}{
		"dsva-stuck":                  {"esx1", []string{"agent"}},
		"mux-stuck":                   {"esx1", []string{"mux"}},
		"agent-stopped":               {"esx1", []string{"agent"}},
		"mux-stopped":                 {"esx1", []string{"mux"}},
		"driver-stopped":              {"guest1-1", []string{"driver", "enable", "reboot", "reset", "repair"}},
		"driver-disabled":             {"guest1-1", []string{"enable", "repair"}},
		"tools-without-introspection": {"guest1-1", []string{"feature"}},
		"tools-broken":                {"guest1-1", []string{"repair"}},
		"tools-damaged":               {"guest1-1", []string{"repair"}},
		"disconnected":                {"guest1-1", []string{"reboot", "reset"}},
		"asleep":                      {"guest1-1", []string{"power on"}},
		"standby":                     {"guest1-1", []string{"reset"}},
		"off":                         {"guest1-1", []string{"power on"}},
		"lone-guest":                  {"esx1", []string{"driver", "enable", "reboot", "reset", "repair"}},
		"everything-dark":             {"", nil},
		"tag-missing":                 {"guest1-1", []string{"tag"}},
	}
	l := start(t, Options{ESXi: 1, Guests: 2, Speed: fast})
	for _, f := range Faults() {
		h, ok := heals[f.Name]
		if !ok {
			continue // it concerns connections or the DSM's knowledge, not engines
		}
		delete(heals, f.Name)
		for name, apply := range remedies {
			if err := l.Clear(); err != nil {
				t.Fatal(err)
			}
			if got := l.engine(t, "guest1-1"); got != EngineOnline {
				t.Fatalf("after Clear the engine is %s", got)
			}
			l.mustInject(t, f.Name, h.target)
			if got := l.engine(t, "guest1-1"); got == EngineOnline {
				t.Fatalf("%s leaves the engine %s", f.Name, got)
			}
			apply(t, l)
			if slices.Contains(h.by, name) {
				eventually(t, name+" healing "+f.Name, func() bool { return l.engine(t, "guest1-1") == EngineOnline })
				continue
			}
			if err := l.clock.Wait(t.Context(), 2*bootTakes); err != nil { // whatever heals has had its time
				t.Fatal(err)
			}
			if got := l.engine(t, "guest1-1"); got == EngineOnline {
				t.Errorf("%s is healed by %s", f.Name, name)
			}
		}
	}
	if len(heals) > 0 {
		t.Errorf("no such faults: %v", heals)
	}
}

func TestFaultsAddUp(t *testing.T) {
	l := start(t, Options{ESXi: 2, Guests: 4, Speed: fast})
	l.mustInject(t, "dsva-stuck", "dsva1") // the appliance's own name works, too
	l.mustInject(t, "mux-stuck", "esx1")
	l.mustInject(t, "driver-stopped", "guest1-3")
	if n := l.World().Count(EngineOffline); n != 4 {
		t.Errorf("%d engines are offline, want those of host 1", n)
	}
	remedies["agent"](t, l)
	if got := l.engine(t, "guest1-1"); got != EngineOffline {
		t.Errorf("one of two remedies: %s", got)
	}
	remedies["mux"](t, l)
	eventually(t, "both remedies healing", func() bool { return l.engine(t, "guest1-1") == EngineOnline })
	if got := l.engine(t, "guest1-3"); got != EngineOffline {
		t.Errorf("the guest with a fault of its own: %s", got)
	}
	w := l.World()
	if w.DSVA[0].AgentRestarts != 1 || w.ESXi[0].MuxRestarts != 1 || w.DSVA[1].AgentRestarts != 0 || w.ESXi[1].MuxRestarts != 0 {
		t.Errorf("restarts: %+v %+v", w.DSVA, w.ESXi)
	}
}

func TestScopeIsExercised(t *testing.T) {
	l := start(t, Options{ESXi: 2, Guests: 4, Speed: slow})
	if got := l.engine(t, "guest2-4"); got != EngineAgent {
		t.Errorf("the last guest: %s", got)
	}
	if got := l.engine(t, "guest2-3"); got != EngineOff {
		t.Errorf("the one before it: %s", got)
	}
	if n := l.World().Count(EngineOnline); n != 6 {
		t.Errorf("%d engines are online", n)
	}
	everyone := start(t, Options{ESXi: 2, Guests: 4, Speed: slow, Everyone: true})
	if n := everyone.World().Count(EngineOnline); n != 8 {
		t.Errorf("with Everyone %d engines are online", n)
	}
}

func TestInjectRefusesNonsense(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: slow})
	for _, c := range []struct{ fault, target, says string }{
		{"dsva-stuk", "esx1", "known are dsva-stuck"},
		{"dsva-stuck", "", "needs a target"},
		{"dsva-stuck", "guest1-1", `no ESXi host "guest1-1"`},
		{"asleep", "esx1", `no guest "esx1"`},
		{"dsm-stale", "dsm1", "takes no target"},
		{"wrong-password", "esx1", "esx1 has no such thing"},
		{"unreachable", "esx7", `no system "esx7"`},
	} {
		if err := l.Inject(c.fault, c.target); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("inject %s %s: %v, want %q", c.fault, c.target, err, c.says)
		}
	}
	if w := l.World(); len(w.Faults) != 0 {
		t.Errorf("refused faults are listed: %v", w.Faults)
	}
}

func TestRemote(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: slow})
	r, ctx := Remote{l.Dir()}, t.Context()
	if err := r.Inject(ctx, "mux-stuck", "esx1"); err != nil {
		t.Fatal(err)
	}
	if w, err := r.World(ctx); err != nil || w.ESXi[0].MuxHealthy || len(w.Faults) != 1 || w.Guests[0].Engine != EngineOffline {
		t.Errorf("world %+v, %v", w, err)
	}
	if err := r.Inject(ctx, "nonsense", ""); err == nil || !strings.Contains(err.Error(), "no fault") {
		t.Errorf("nonsense: %v", err)
	}
	if err := r.Clear(ctx); err != nil || l.engine(t, "guest1-1") != EngineOnline {
		t.Errorf("clear: %v", err)
	}
	if _, err := Start(ctx, Options{Dir: l.Dir()}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second lab in the same directory: %v", err)
	}
	if err := r.Down(ctx); err != nil {
		t.Fatal(err)
	}
	<-l.Done()
	if err := r.Down(ctx); err != nil { // twice does not hurt
		t.Error(err)
	}
	if _, err := (Remote{t.TempDir()}).World(ctx); err == nil || !strings.Contains(err.Error(), "no lab runs in") {
		t.Errorf("no lab: %v", err)
	}
}

// TestManual keeps the table of faults in the manual complete.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "lab.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Faults() {
		target := f.Target
		if target == "" {
			target = "–"
		}
		if row := "| `" + f.Name + "` | " + target + " | " + f.What + " | " + f.Remedy + " |\n"; !strings.Contains(string(manual), row) {
			t.Errorf("docs/lab.md lacks the row\n%s", row)
		}
	}
	if n := strings.Count(string(manual), "\n| `"); n != len(Faults()) {
		t.Errorf("docs/lab.md has %d rows for %d faults", n, len(Faults()))
	}
}

// vMotion: the guest is protected by its new host, and every system says where it is.
func TestMoved(t *testing.T) {
	l := start(t, Options{ESXi: 2, Guests: 2, Speed: fast})
	l.mustInject(t, "mux-stuck", "esx1")
	l.mustInject(t, "moved", "guest1-1")
	for guest, want := range map[string]string{"guest1-1": EngineOnline, "guest1-2": EngineOffline} {
		if got := l.engine(t, guest); got != want {
			t.Errorf("the engine of %s is %s, want %s", guest, got, want)
		}
	}
	if g, _ := l.World().Guest("guest1-1"); g.ESXi != "esx2" {
		t.Errorf("it is on %s", g.ESXi)
	}
	if c, _ := l.dsm.Computer(l.names["guest1-1"].(*guest).id); c.ESXi != l.hosts[1].id {
		t.Errorf("the DSM has it on %d", c.ESXi)
	}
	eventually(t, "the DSM sees its engine", func() bool {
		l.Heartbeat()
		c, _ := l.dsm.Computer(l.names["guest1-1"].(*guest).id)
		return c.Online
	})
	if err := l.Heal("esx1"); err != nil {
		t.Fatal(err)
	}
	if got := l.engine(t, "guest1-2"); got != EngineOnline {
		t.Errorf("esx1 is healed, and the engine of guest1-2 is %s", got)
	}
}
