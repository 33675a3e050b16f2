package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestSSHHealsAndTheDSMHearsOfItByHeartbeat(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: 20}) // half a minute between heartbeats: none comes by itself
	l.mustInject(t, "mux-stuck", "esx1")
	if l.offline(t, "guest1-1") {
		t.Error("the DSM knows of a fault before any heartbeat")
	}
	l.Heartbeat()
	if !l.offline(t, "guest1-1") {
		t.Error("the DSM does not know of a fault after a heartbeat")
	}
	esx, err := l.dial(t, "esx1", "root")
	if err != nil {
		t.Fatal(err)
	}
	defer esx.Close()
	if out := output(t, esx, "/etc/init.d/nsx-context-mux status"); !strings.Contains(out, "is running") {
		t.Errorf("a stuck Mux still runs: %q", out)
	}
	output(t, esx, "/etc/init.d/nsx-context-mux restart")
	eventually(t, "the restart healing", func() bool { return l.engine(t, "guest1-1") == EngineOnline })
	if !l.offline(t, "guest1-1") {
		t.Error("the DSM knows of the remedy before any heartbeat")
	}
	dsva, err := l.dial(t, "dsva1", "dsva")
	if err != nil {
		t.Fatal(err)
	}
	defer dsva.Close()
	session, err := dsva.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	session.Stdin = strings.NewReader(l.content(t, "secrets/dsva") + "\n")
	out, err := session.CombinedOutput("sudo -S -p '' /opt/ds_agent/dsa_control -m")
	if err != nil || !strings.Contains(string(out), "200") {
		t.Fatalf("heartbeat: %q, %v", out, err)
	}
	eventually(t, "the heartbeat that was asked for", func() bool { return !l.offline(t, "guest1-1") })
	if got := l.mutating("esx1"); !slices.Equal(got, []string{"/etc/init.d/nsx-context-mux restart"}) {
		t.Errorf("mutating on esx1: %q", got)
	}
	if got := l.mutating("dsva1"); !slices.Equal(got, []string{"sudo -S -p '' /opt/ds_agent/dsa_control -m"}) {
		t.Errorf("mutating on dsva1: %q", got)
	}
	l.keepsSecrets(t)
}

// keepsSecrets looks for every secret in received.jsonl.
func (l *Lab) keepsSecrets(t *testing.T) {
	t.Helper()
	text := l.content(t, "received.jsonl")
	if text == "" {
		t.Error("nothing was received")
	}
	secrets, err := filepath.Glob(filepath.Join(l.Dir(), "secrets", "*"))
	if err != nil || len(secrets) != len(l.keys.secrets()) {
		t.Errorf("the lab has secrets in %v (%v)", secrets, err)
	}
	for _, file := range secrets {
		if name := filepath.Join("secrets", filepath.Base(file)); strings.Contains(text, l.content(t, name)) {
			t.Errorf("received.jsonl holds %s", name)
		}
	}
	if n := strings.Count(text, "\n"); n != len(l.Received()) {
		t.Errorf("received.jsonl has %d lines, %d were received", n, len(l.Received()))
	}
}

func TestSSHAsksAsTheRealOnesDo(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: slow})
	password := l.content(t, "secrets/esxi")
	if _, err := l.dial(t, "esx1", "root", ssh.Password(password)); err == nil {
		t.Error("an ESXi host offers the method password")
	}
	ask := ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return slices.Repeat([]string{password}, len(questions)), nil
	})
	c, err := l.dial(t, "esx1", "root", ask)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if c, err = l.dial(t, "dsva1", "dsva", ssh.Password(l.content(t, "secrets/dsva"))); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err = l.dial(t, "dsva1", "root"); err == nil {
		t.Error("root may log in to an appliance")
	}
}

func TestWinRM(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 2, Speed: 600})
	l.mustInject(t, "driver-stopped", "guest1-2")
	c := l.remote(t, "guest1-2", l.content(t, "secrets/guests"))
	var out, errs bytes.Buffer
	if code, err := c.RunWithContext(t.Context(), "sc query vsepflt", &out, &errs); err != nil || code != 0 || !strings.Contains(out.String(), "1  STOPPED") {
		t.Errorf("query: %d, %v, %s%s", code, err, &out, &errs)
	}
	if code, err := c.RunWithContext(t.Context(), "sc start vsepflt", &out, &errs); err != nil || code != 0 {
		t.Errorf("start: %d, %v, %s%s", code, err, &out, &errs)
	}
	if got := l.engine(t, "guest1-2"); got != EngineOnline {
		t.Errorf("after the start the engine is %s", got)
	}
	if code, err := c.RunWithContext(t.Context(), "sc query nothing", &out, &errs); err != nil || code != 1060 {
		t.Errorf("exit code of a missing service: %d, %v", code, err)
	}
	if got := l.mutating("guest1-2"); !slices.Equal(got, []string{"sc start vsepflt"}) {
		t.Errorf("mutating: %q", got)
	}
	l.keepsSecrets(t)
}

func TestPowerGoesBothWays(t *testing.T) {
	l := start(t, Options{ESXi: 2, Guests: 4, Speed: fast})
	l.mustInject(t, "asleep", "guest1-2")
	l.Heartbeat()
	if !l.offline(t, "guest1-2") {
		t.Error("the DSM does not call a sleeping guest offline")
	}
	c := l.login(t)
	vm := l.vm(t, c, "guest1-2")
	eventually(t, "the vCenter showing it", func() bool { p, err := vm.PowerState(t.Context()); return err == nil && p == "suspended" })
	ip, port := l.address(t, "guest1-2")
	if !refused(ip, port) {
		t.Error("WinRM of a sleeping guest answers")
	}
	task, err := vm.PowerOn(t.Context())
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "waking", func() bool { return l.engine(t, "guest1-2") == EngineOnline })
	eventually(t, "WinRM coming back on the same port", func() bool { return !refused(ip, port) })
	task, err = vm.Reset(t.Context())
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the boot", func() bool { g, _ := l.World().Guest("guest1-2"); return g.Boots == 2 && g.Engine == EngineOnline })
	eventually(t, "Tools running", func() bool { ok, err := vm.IsToolsRunning(t.Context()); return err == nil && ok })
	if err := vm.RebootGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second boot", func() bool { g, _ := l.World().Guest("guest1-2"); return g.Boots == 3 && g.Engine == EngineOnline })
	var methods []string
	for _, line := range l.mutating("vc1") {
		method, _, _ := strings.Cut(line, " ")
		methods = append(methods, method)
		if !strings.HasSuffix(line, "(guest1-2)") {
			t.Errorf("the line does not name the machine: %q", line)
		}
	}
	if want := []string{"PowerOnVM_Task", "ResetVM_Task", "RebootGuest"}; !slices.Equal(slices.Compact(methods), want) {
		t.Errorf("mutating on vc1: %q, want %q", methods, want)
	}
	l.keepsSecrets(t)
}

func TestConnectionFaults(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 2, Speed: slow})
	for _, name := range []string{"esx1", "dsva1", "guest1-1", "vc1", "dsm1", "nsx1"} {
		ip, port := l.address(t, name)
		if refused(ip, port) {
			t.Errorf("%s is refused", name)
		}
		l.mustInject(t, "unreachable", name)
		if !refused(ip, port) {
			t.Errorf("%s is not refused", name)
		}
		l.mustInject(t, "silent", name)
		c, err := net.Dial("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s speaks: %d, %v", name, n, err)
		}
		c.Close()
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"esx1", "dsva1"} {
		l.mustInject(t, "wrong-host-key", name)
		var changed *knownhosts.KeyError
		if _, err := l.dial(t, name, "root"); !errors.As(err, &changed) || len(changed.Want) == 0 {
			t.Errorf("%s: %v, want a changed key", name, err)
		}
	}
	l.mustInject(t, "wrong-password", "guest1-2")
	if _, err := l.remote(t, "guest1-2", l.content(t, "secrets/guests")).CreateShell(); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("wrong-password: %v", err)
	}
	l.mustInject(t, "dsm-down", "")
	if ip, port := l.address(t, "dsm1"); !refused(ip, port) {
		t.Error("dsm-down: the DSM answers")
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	if c, err := l.dial(t, "esx1", "root"); err != nil {
		t.Errorf("after Clear: %v", err)
	} else {
		c.Close()
	}
	if code, _ := l.get(t, "/api/computers?expand=none"); code != http.StatusOK {
		t.Errorf("after Clear the DSM answers %d", code)
	}
}

func TestAGuestThatLosesItsNetworkComesBackOnItsPort(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: 6000})
	ip, port := l.address(t, "guest1-1")
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g := l.names["guest1-1"].(*guest)
	go func() {
		defer close(done)
		_ = g.machine().Reboot(ctx)
	}()
	eventually(t, "WinRM going away", func() bool { return refused(ip, port) })
	<-done
	eventually(t, "WinRM coming back", func() bool { return !refused(ip, port) })
	if w, _ := l.World().Guest("guest1-1"); w.Boots != 2 {
		t.Errorf("%d boots", w.Boots)
	}
}

func TestStaleAndDark(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 2, Speed: slow})
	l.mustInject(t, "dsm-stale", "")
	l.mustInject(t, "everything-dark", "")
	l.Heartbeat()
	if l.offline(t, "guest1-1") {
		t.Error("a stale DSM learned something")
	}
	_, body := l.get(t, "/api/computers?expand=none")
	var list struct {
		Computers []struct{ LastApplianceCommunication int64 }
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	communicated := 0
	for _, c := range list.Computers {
		if c.LastApplianceCommunication == 0 { // of what no appliance protects
			continue
		}
		communicated++
		if age := time.Since(time.UnixMilli(c.LastApplianceCommunication)); age < 26*time.Hour || age > 27*time.Hour {
			t.Errorf("a communication %s ago", age)
		}
	}
	if communicated != 2 {
		t.Errorf("%d computers have communicated, want both guests", communicated)
	}
	if n := l.World().Count(EngineOnline); n != 0 {
		t.Errorf("%d engines are online", n)
	}
	if err := l.Clear(); err != nil || l.World().Count(EngineOnline) != 2 || l.offline(t, "guest1-1") {
		t.Errorf("after Clear: %v", err)
	}
}

func TestDSM11HasNoREST(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: slow, NoREST: true})
	if code, _ := l.get(t, "/api/computers"); code != http.StatusNotFound {
		t.Errorf("REST answers %d", code)
	}
	if strings.Contains(l.content(t, "inventory.hcl"), "api_key") {
		t.Error("the inventory gives a key for an API that is not there")
	}
}

func TestAnApplianceThatIsOffProtectsNobody(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: fast})
	c := l.login(t)
	ref, err := object.NewSearchIndex(c.Client).FindByUuid(t.Context(), nil, l.hosts[0].appliance.bios, true, nil)
	if err != nil || ref == nil {
		t.Fatalf("the vCenter does not know the appliance: %v", err)
	}
	vm := object.NewVirtualMachine(c.Client, ref.Reference())
	if name, err := vm.ObjectName(t.Context()); err != nil || name != "Trend Micro Deep Security (1)" {
		t.Errorf("the appliance is called %q, %v", name, err)
	}
	ip, port := l.address(t, "dsva1")
	task, err := vm.PowerOff(t.Context())
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "SSH going away", func() bool { return refused(ip, port) })
	if got := l.engine(t, "guest1-1"); got != EngineOffline {
		t.Errorf("without its appliance the engine is %s", got)
	}
	eventually(t, "the DSM missing heartbeats", func() bool {
		_, body := l.get(t, "/api/computers?expand=computerStatus")
		return strings.Contains(body, `"applianceStatusMessages":["Offline"]`)
	})
	task, err = vm.PowerOn(t.Context())
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the boot", func() bool { return l.engine(t, "guest1-1") == EngineOnline && !refused(ip, port) })
	eventually(t, "a heartbeat", func() bool { return !l.offline(t, "guest1-1") })
}

func TestARestartThatHangs(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: fast})
	l.mustInject(t, "mux-hangs", "esx1")
	c, err := l.dial(t, "esx1", "root")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const line = "/etc/init.d/nsx-context-mux restart"
	if endsSoon(t, c, line) {
		t.Error("the first restart ends")
	}
	eventually(t, "the record of a command that was cut off", func() bool { return slices.Equal(l.mutating("esx1"), []string{line}) })
	if w := l.World().ESXi[0]; w.MuxRunning {
		t.Errorf("after a restart that hung: %+v", w)
	}
	for tries := 1; !endsSoon(t, c, line); tries++ { // on a slow machine the first one may have been cut off before it hung
		if tries == 3 {
			t.Fatal("every restart hangs")
		}
	}
	eventually(t, "another restart healing", func() bool { return l.engine(t, "guest1-1") == EngineOnline })
}

// endsSoon runs a line and cuts it off when it takes longer than a moment.
func endsSoon(t *testing.T, c *ssh.Client, line string) bool {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(line); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case <-ended:
		return true
	case <-time.After(500 * time.Millisecond):
		return false
	}
}
