package guest_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/guestops/localguest"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/vmware/govmomi/vim25/types"
)

// run executes a line and gives its output.
func run(t *testing.T, c engine.Shell, line string) (int, string, error) {
	t.Helper()
	var out bytes.Buffer
	code, err := c.Exec(t.Context(), engine.Process{Line: line, Stdout: &out, Stderr: io.Discard})
	return code, out.String(), err
}

func wantError(t *testing.T, err error, kind engine.ErrorKind, host, text string) {
	t.Helper()
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Host != host || !strings.Contains(e.Error(), text) || e.Hint == "" {
		t.Errorf("kind %q, host %q: %v (hint %q); want %q, %q and the text %q", engine.KindOf(err), engine.HostOf(err), err, engine.HintOf(err), kind, host, text)
	}
	if strings.Contains(err.Error()+engine.HintOf(err), "<word>") {
		t.Errorf("the error shows the password: %v", err)
	}
}

// Every fault of vSphere has a kind, somebody to blame, a cause and something to try.
func TestWhatOpenSays(t *testing.T) {
	tests := []struct {
		name   string
		before func(e *estate)
		change func(*guest.Settings)
		kind   engine.ErrorKind
		host   string
		text   string
	}{
		{"wrong password", nil, func(s *guest.Settings) { s.Password = engine.Plain("no") }, engine.KindAuth, "vm1", "refused the account"},
		{"off", func(e *estate) { e.vc.Set("vm1", vcenter.State{Power: vcenter.Off}) }, nil, engine.KindRefused, "vm1", "poweredOff"},
		{"suspended", func(e *estate) { e.vc.Set("vm1", vcenter.State{Power: vcenter.Suspended}) }, nil, engine.KindRefused, "vm1", "suspended"},
		{"standby", func(e *estate) { e.vc.Set("vm1", vcenter.State{Power: vcenter.Standby}) }, nil, engine.KindRefused, "vm1", "sleeps"},
		{"no Tools", func(e *estate) { e.vc.Set("vm1", vcenter.State{Power: vcenter.On}) }, nil, engine.KindRefused, "vm1", "VMware Tools do not run"},
		{"no such machine", nil, func(s *guest.Settings) { s.UUID = "00000000-0000-0000-0000-000000000000" }, engine.KindModule, "vm1", "has none"},
		{"no such name", nil, func(s *guest.Settings) { s.Name = "vm9" }, engine.KindModule, "vm1", "has none"},
		{"gone", nil, func(s *guest.Settings) { s.Moref = "vm-99999" }, engine.KindRefused, "vm1", "does not have this virtual machine"},
		{"agent away", refusing(&types.GuestOperationsUnavailable{}), nil, engine.KindRefused, "vm1", "do not answer"},
		{"ToolsUnavailable", refusing(&types.ToolsUnavailable{}), nil, engine.KindRefused, "vm1", "do not run"},
		{"busy", refusing(&types.TaskInProgress{}), nil, engine.KindRefused, "vm1", "busy"},
		{"disabled", refusing(&types.OperationDisabledByGuest{}), nil, engine.KindRefused, "vm1", "switched off"},
		{"not supported", refusing(&types.OperationNotSupportedByGuest{}), nil, engine.KindProtocol, "vm1", "cannot do this"},
		{"too old", refusing(&types.GuestComponentsOutOfDate{}), nil, engine.KindProtocol, "vm1", "too old"},
		{"not allowed there", refusing(&types.GuestPermissionDenied{}), nil, engine.KindModule, "vm1", "may not do this"},
		{"too many logons", refusing(&types.TooManyGuestLogons{}), nil, engine.KindRefused, "vm1", "too many users"},
		{"no privilege", refusing(&types.NoPermission{PrivilegeId: "VirtualMachine.GuestOperations.Query"}), nil, engine.KindAuth, "vc1", "VirtualMachine.GuestOperations.Query"},
	}
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer e.refuseWith(nil)
			defer e.vc.Set("vm1", vcenter.State{Power: vcenter.On, Tools: true})
			if tt.before != nil {
				tt.before(e)
			}
			c, err := e.open(t, func(s *guest.Settings) {
				hasty(s)
				if tt.change != nil {
					tt.change(s)
				}
			})
			if err == nil {
				_ = c.Close()
				t.Fatal("it was opened")
			}
			wantError(t, err, tt.kind, tt.host, tt.text)
			if !engine.IsUnreachable(err) {
				t.Errorf("Unreachable is not set: %v", err)
			}
		})
	}
}

func refusing(f types.BaseMethodFault) func(*estate) {
	return func(e *estate) { e.refuseWith(func(string) types.BaseMethodFault { return f }) }
}

// A wrong password is tried once per run, however often somebody dials.
func TestWrongPasswordLocksNobody(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	center := e.center(t)
	defer center.Close()
	h := host(func(s *guest.Settings) { s.Password = engine.Plain("no") })
	for range 10 {
		_, err := guest.Transport{}.Open(engine.WithPeers(t.Context(), peers{center}), h)
		wantError(t, err, engine.KindAuth, "vm1", "refused the account")
	}
	if n := e.guest.Wrong(`LAB\ops`); n != 1 {
		t.Errorf("the password was tried %d times", n)
	}
}

// Nor do many guests with one account of a domain, however many are opened at once.
func TestWrongPasswordOfADomain(t *testing.T) {
	_, system := newWindows(t)
	const guests = 6
	e := newEstate(t, system, "windows2019srv_64Guest", func(cfg *vcenter.Config) {
		for i := range guests {
			cfg.VMs = append(cfg.VMs, vcenter.VM{Name: fmt.Sprint("guest", i), Host: "esx1", UUID: fmt.Sprint("421e1137-5c49-56e4-8c11-00000000010", i),
				InstanceUUID: fmt.Sprint("501e1137-5c49-56e4-8c11-00000000010", i), Power: vcenter.On, GuestID: "windows2019srv_64Guest"})
		}
	})
	center := e.center(t)
	defer center.Close()
	errs := make(chan error, guests)
	for i := range guests {
		h := host(func(s *guest.Settings) { s.Name, s.Password = fmt.Sprint("guest", i), engine.Plain("no") })
		h.Name = fmt.Sprint("guest", i)
		go func() {
			_, err := guest.Transport{}.Open(engine.WithPeers(t.Context(), peers{center}), h)
			errs <- err
		}()
	}
	unsent := 0
	for range guests {
		err := <-errs
		wantError(t, err, engine.KindAuth, engine.HostOf(err), "refused")
		if strings.Contains(err.Error(), "its domain would lock the account") {
			unsent++
		}
	}
	if n := e.guest.Wrong(`LAB\ops`); n != 2 || unsent != guests-2 {
		t.Errorf("the password was tried %d times, and %d guests were not asked", n, unsent)
	}
}

// The ways to name a machine, and what it is then known as.
func TestFindAndIdentity(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	for _, change := range []func(*guest.Settings){hasty, func(s *guest.Settings) { s.UUID = bios }, func(s *guest.Settings) { s.UUID = strings.ToUpper(instance) }, func(s *guest.Settings) { s.Name = "vm1" }} {
		c := e.mustOpen(t, change)
		if id := c.Identity(); !strings.HasPrefix(id, "guest vm "+strings.ToLower(bios)+" via tls sha256:") {
			t.Errorf("identity %q", id)
		}
		if c.Family() != "windows" {
			t.Errorf("family %q", c.Family())
		}
		if code, out, err := run(t, c, "hostname"); code != 0 || err != nil || strings.TrimSpace(out) != "vm1" {
			t.Errorf("%d, %v, %q", code, err, out)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// waitFor runs f until it is true.
func waitFor(t *testing.T, what string, f func() bool) {
	t.Helper()
	for began := time.Now(); !f(); {
		if time.Since(began) > 20*time.Second {
			t.Fatal("waited in vain for " + what)
		}
		_ = engine.Wait(t.Context(), 5*time.Millisecond)
	}
}

// begin starts a line that lasts, and waits until it has said something.
func begin(t *testing.T, c engine.Shell, line string) (ended chan error) {
	t.Helper()
	var out safe
	ended = make(chan error, 1)
	go func() {
		_, err := c.Exec(t.Context(), engine.Process{Line: line, Stdout: &out, Stderr: io.Discard})
		ended <- err
	}()
	waitFor(t, "the command's first output", func() bool { return out.n.Load() > 0 })
	return ended
}

// safe counts bytes.
type safe struct{ n atomic.Int64 }

func (s *safe) Write(p []byte) (int, error) {
	s.n.Add(int64(len(p)))
	return len(p), nil
}

// A guest that reboots in the middle takes the command with it: lost, never a success.
func TestRebootInTheMiddleIsLost(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	c := e.mustOpen(t, hasty)
	defer c.Close()
	ended := begin(t, c, "sleep")
	g.Down()
	e.vc.Set("vm1", vcenter.State{Power: vcenter.On})
	_ = engine.Wait(t.Context(), 50*time.Millisecond)
	g.Up()
	e.vc.Set("vm1", vcenter.State{Power: vcenter.On, Tools: true})
	err := <-ended
	wantError(t, err, engine.KindLost, "vm1", "do not know the program any more")
	if code, _, err := run(t, c, "exit 5"); code != 5 || err != nil {
		t.Errorf("after the reboot: %d, %v", code, err)
	}
}

// VMware Tools that restart forget the command; on Linux it has left its code and its output, and is waited for.
func TestToolsRestartOnLinux(t *testing.T) {
	system := &localguest.System{Dir: t.TempDir()}
	e := newEstate(t, system, "rhel8_64Guest", nil)
	c := e.mustOpen(t, hasty)
	flag := filepath.Join(t.TempDir(), "flag")
	type end struct {
		code int
		err  error
	}
	var out safe
	ended := make(chan end, 1)
	go func() {
		code, err := c.Exec(t.Context(), engine.Process{Line: "echo on; until [ -e " + flag + " ]; do sleep 0.05; done; echo off; exit 7", Stdout: &out})
		ended <- end{code, err}
	}()
	waitFor(t, "the command's first output", func() bool { return out.n.Load() > 0 })
	system.RestartTools()
	before := e.requests.Load()
	waitFor(t, "some looks", func() bool { return e.requests.Load() > before+5 })
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-ended; got != (end{code: 7}) || out.n.Load() != int64(len("on\noff\n")) {
		t.Errorf("%d, %v, %d bytes of output", got.code, got.err, out.n.Load())
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	system.Wait()
	nothingLeft(t, system, 0)
}

// Power that goes away is told at once.
func TestPowerOffInTheMiddleIsLost(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	c := e.mustOpen(t, hasty)
	ended := begin(t, c, "sleep")
	g.Down()
	e.vc.Set("vm1", vcenter.State{Power: vcenter.Off})
	err := <-ended
	wantError(t, err, engine.KindLost, "vm1", "powered on")
	var x *engine.Error
	if errors.As(err, &x) && x.Orphan {
		t.Error("what has no power cannot run")
	}
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "is left there") {
		t.Errorf("temporary files are left in a guest that is off, and Close says %v", err)
	}
}

// A vMotion, a snapshot, a restart of Tools: the command goes on and its end is seen.
func TestToolsAwayForAMoment(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	c := e.mustOpen(t, hasty)
	defer c.Close()
	var asked atomic.Int64
	for _, fault := range []types.BaseMethodFault{&types.GuestOperationsUnavailable{}, &types.TaskInProgress{}, &types.InvalidState{}} {
		asked.Store(0)
		e.refuseWith(func(method string) types.BaseMethodFault {
			if method == "ListProcessesInGuest" && asked.Add(1) <= 7 {
				return fault
			}
			return nil
		})
		e.vc.Move("vm1", "esx2")
		if code, out, err := run(t, c, "echo done& exit 3"); code != 3 || err != nil || !strings.Contains(out, "done") {
			t.Errorf("%T: %d, %v, %q", fault, code, err, out)
		}
		if asked.Load() < 8 {
			t.Errorf("%T: only %d looks", fault, asked.Load())
		}
	}
}

// The answer to the start of a command is lost: it is looked for in the guest, and found, although it has ended.
func TestTheAnswerToAStartIsLost(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	c := e.mustOpen(t, hasty)
	defer c.Close()
	var once atomic.Bool
	e.mu.Lock()
	e.answer = func(method string) bool { return method == "StartProgramInGuest" && once.CompareAndSwap(false, true) }
	e.mu.Unlock()
	if code, out, err := run(t, c, "echo done& exit 6"); code != 6 || err != nil || !strings.Contains(out, "done") {
		t.Errorf("%d, %v, %q", code, err, out)
	}
	if !once.Load() {
		t.Error("no answer was lost")
	}
}

// A vCenter that ends the session is logged in to again; the command does not notice.
func TestSessionExpires(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	c := e.mustOpen(t, hasty)
	defer c.Close()
	var once atomic.Bool
	e.refuseWith(func(method string) types.BaseMethodFault {
		if method == "ListProcessesInGuest" && once.CompareAndSwap(false, true) {
			return &types.NotAuthenticated{}
		}
		return nil
	})
	if code, _, err := run(t, c, "exit 4"); code != 4 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

// Files go through an ESXi host whose certificate the vCenter knows; any other certificate is refused before a byte is sent.
func TestTransfersAreVerified(t *testing.T) {
	g, system := newWindows(t)
	var e *estate
	esxi := httptest.NewUnstartedServer(nil)
	esxi.Config.Handler = nil
	e = newEstate(t, system, "windows2019srv_64Guest", func(c *vcenter.Config) { c.Transfer = esxi.Listener.Addr().String() })
	esxi.Config.Handler = e.vc
	esxi.StartTLS()
	defer esxi.Close()
	if c, err := e.open(t, hasty); err == nil {
		_ = c.Close()
		t.Error("the vCenter knows no such certificate, and it was taken")
	} else {
		wantError(t, err, engine.KindTLS, "vm1", "is not trusted")
	}
	if left, _ := g.Disk().List(g.Temp(`LAB\ops`)); len(left) > 0 {
		t.Errorf("left in the guest: %v", left)
	}
	e.vc.SetCertificate("esx1", esxi.Certificate().Raw)
	for name, change := range map[string]func(*guest.Settings){
		"vouched for": hasty,
		"pinned": func(s *guest.Settings) {
			hasty(s)
			s.TransferFingerprint = fingerprint(esxi.Certificate().Raw)
		},
	} {
		c := e.mustOpen(t, change)
		if code, out, err := run(t, c, "echo x"); code != 0 || err != nil || strings.TrimSpace(out) != "x" {
			t.Errorf("%s: %d, %v, %q", name, code, err, out)
		}
		_ = c.Close()
	}
	if _, err := e.open(t, func(s *guest.Settings) { hasty(s); s.TransferFingerprint = strings.Repeat("ab", 32) }); err == nil || !strings.Contains(err.Error(), "transfer_fingerprint") {
		t.Errorf("another pin: %v", err)
	}
}

// Files both ways, 10 MB of noise.
func TestUploadDownload(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	center := e.center(t)
	defer center.Close()
	c, err := guest.Transport{}.Open(engine.WithPeers(t.Context(), peers{center}), host(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	files := c.(interface {
		engine.Conn
		uploader
	})
	data := make([]byte, 10<<20)
	_, _ = rand.Read(data)
	if err := files.Upload(t.Context(), `C:\ProgramData\x.bin`, bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	if there, err := g.Disk().Read(`C:\ProgramData\x.bin`); err != nil || !bytes.Equal(there, data) {
		t.Errorf("%d bytes arrived, %v", len(there), err)
	}
	var back bytes.Buffer
	if n, err := files.Download(t.Context(), `C:\ProgramData\x.bin`, &back); err != nil || n != int64(len(data)) || !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes came back, %v", n, err)
	}
	_, err = files.Download(t.Context(), `C:\ProgramData\none`, io.Discard)
	if engine.KindOf(err) != engine.KindModule || !strings.Contains(err.Error(), "the guest has no") {
		t.Errorf("a file that is not there: %v", err)
	}
}
