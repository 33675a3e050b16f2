package faults_test

import (
	"context"
	"encoding/pem"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/guestops/winguest"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	guestUser   = `LAB\ops`
	centerUser  = "ops@vsphere.local"
	questions   = "the questions how far it is"
	loginAgain  = "logged in again"
	leftFiles   = "temporary files"
	answerLimit = "`answer_timeout`"
)

// rig is a vCenter (behind the wire), its ESXi host, which hands files over, and the Windows in its machine h1.
type rig struct {
	vc            *vcenter.VCenter
	center, esxi  *httptest.Server
	windows       *windows.Guest
	host          *engine.Host // the vCenter
	release       chan struct{}
	logins, looks atomic.Int32
	disturbed     atomic.Bool

	mu     sync.Mutex
	conn   engine.Conn
	refuse func(method string) types.BaseMethodFault
}

// Host and Conn are engine.Peers: the inventory has one vCenter.
func (r *rig) Host(string) *engine.Host { return r.host }

func (r *rig) Conn(ctx context.Context, _ string) (engine.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		return r.conn, nil
	}
	conn, err := https.Transport{}.Open(ctx, r.host)
	if err == nil {
		r.conn = conn
	}
	return conn, err
}

func (r *rig) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		_ = r.conn.Close() // the vCenter may be gone
		r.conn = nil
	}
}

func (r *rig) end() {
	r.windows.Down() // ends what was left
	for _, server := range []*httptest.Server{r.center, r.esxi} {
		server.CloseClientConnections()
		server.Close()
	}
	r.vc.Close()
}

// refuseWith lets f judge every guest operation.
func (r *rig) refuseWith(f func(method string) types.BaseMethodFault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = f
}

func (r *rig) judge(method, _ string) types.BaseMethodFault {
	if method == "ListProcessesInGuest" {
		r.looks.Add(1)
	}
	r.mu.Lock()
	f := r.refuse
	r.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(method)
}

// files are those that dsplay left in the guest.
func (r *rig) files() bool {
	left, _ := r.windows.Disk().List(r.windows.Temp(guestUser))
	return len(left) > 0
}

// counted counts the commands of a scene, but for the programs by which they are ended.
type counted struct {
	winguest.System
	s *scene
}

func (c counted) Start(user string, p guestops.Program, ended func(code int32)) (int64, error) {
	if strings.HasSuffix(p.Path, "cmd.exe") {
		c.s.commands.Add(1)
	}
	return c.System.Start(user, p, ended)
}

func (s *scene) startGuest(set *setup) (string, any, error) {
	r := &rig{release: make(chan struct{})}
	s.guest, s.transport = r, guest.Transport{}
	r.windows = windows.New(windows.Config{Name: "h1", Clock: clock.Clock{Speed: 50}, Program: s.program})
	for _, name := range []string{"wait", "until"} {
		r.windows.Disk().Install(`C:\Windows\System32\`+name+".exe", name)
	}
	inside := &guestops.Guest{System: counted{winguest.System{Ctx: context.WithoutCancel(s.t.Context()), Guest: func() *windows.Guest { return r.windows }}, s},
		Password: func(user string) (string, bool) { return password, user == guestUser }}
	r.esxi = httptest.NewUnstartedServer(nil)
	var err error
	r.vc, err = vcenter.New(vcenter.Config{User: centerUser, Password: password, Hosts: []string{"esx1", "esx2"}, Clock: clock.Clock{Speed: 1000},
		VMs:   []vcenter.VM{{Name: "h1", Host: "esx1", UUID: "421e1137-5c49-56e4-8c11-0000000000aa", InstanceUUID: "501e1137-5c49-56e4-8c11-0000000000bb", Power: vcenter.On, GuestID: "windows2019srv_64Guest"}},
		Guest: func(string) *guestops.Guest { return inside }, Refuse: r.judge, Transfer: r.esxi.Listener.Addr().String(),
		Record: func(_, text string, _ bool) {
			if strings.Contains(text, "Login") {
				r.logins.Add(1)
			}
		}})
	if err != nil {
		return "", nil, err
	}
	r.host = &engine.Host{Name: "vc1", Connection: engine.Connection{Type: "https", Settings: s.centerSettings(set)}}
	r.center = httptest.NewUnstartedServer(r.vc)
	for _, server := range []*httptest.Server{r.esxi, r.center} {
		file := ""
		server.TLS, file = s.certificate(false)
		server.Config.Handler, server.Config.ErrorLog = r.vc, quiet
		server.StartTLS()
		r.host.Connection.Settings.(*https.Settings).CA = file // of the last one, which is the vCenter
		if server == r.esxi {
			text, _ := os.ReadFile(file)
			block, _ := pem.Decode(text)
			r.vc.SetCertificate("esx1", block.Bytes)
			r.vc.SetCertificate("esx2", block.Bytes)
			if err := os.Remove(file); err != nil {
				return "", nil, err
			}
		}
	}
	settings := s.transport.Settings().(*guest.Settings)
	settings.VCenter, settings.User, settings.Password, settings.Name = "vc1", guestUser, engine.Plain(password), "h1"
	settings.AnswerTimeout, settings.Poll, settings.ToolsTimeout = "1s", "3ms", "5s"
	return r.center.Listener.Addr().String(), settings, nil
}

func (s *scene) centerSettings(set *setup) *https.Settings {
	settings := https.Transport{}.Settings().(*https.Settings)
	settings.Kind, settings.User, settings.Password = "vsphere", centerUser, engine.Plain(password)
	settings.ConnectTimeout, settings.RequestTimeout = connectTimeout(set), "10s"
	return settings
}

// program is one in the guest: "wait" ends when it is killed, "until" also when the scene says so.
func (s *scene) program(ctx context.Context, name string, c *cmdexe.Process) (uint32, bool) {
	var done chan struct{}
	switch name {
	case "until":
		done = s.guest.release
	case "wait":
	default:
		return 0, false
	}
	s.running.Add(1)
	defer s.running.Add(-1)
	_, _ = io.WriteString(c.Stdout, "on\n")
	select {
	case <-ctx.Done():
	case <-done:
	}
	return 0, true
}

// survives makes a fault while a command runs that ends a moment later, and gives what becomes of it.
func (s *scene) survives(fault func()) error {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.do("until") }()
	until(s.t, "the command runs", func() bool { return s.running.Load() > 0 && s.guest.looks.Load() > 0 || len(ended) > 0 })
	s.began()
	s.guest.disturbed.Store(true)
	fault()
	close(s.guest.release)
	return <-ended
}

// triedInGuest is what was done more than once with a guest.
func (s *scene) triedInGuest(err error) string {
	switch {
	case s.commands.Load() > 1:
		return "sent more than once"
	case s.guest.logins.Load() > 1:
		return loginAgain
	case err == nil && s.guest.disturbed.Load():
		return questions
	}
	return no
}

// leftInGuest is what is left in the guest, when the connection is closed.
func (s *scene) leftInGuest(unknown bool) string {
	var left []string
	switch {
	case unknown:
		left = append(left, perhaps)
	case len(s.guest.windows.Processes()) > 0:
		s.t.Errorf("processes are left in the guest: %v", s.guest.windows.Processes())
	}
	if s.guest.files() {
		left = append(left, leftFiles)
	}
	if len(left) == 0 {
		return nothing
	}
	return strings.Join(left, "; ")
}

// inGuests are faults of vCenter, ESXi host, VMware Tools and guest.
func inGuests() []fault {
	here := func(kind engine.ErrorKind, within string, bound time.Duration, tried, left string) map[string]expect {
		return only("guest", expect{kind, within, bound, tried, left})
	}
	refused := here(engine.KindRefused, atOnce, moment, no, nothing)
	run := func(s *scene) error { return s.do("echo done") }
	state := func(state vcenter.State) func(s *scene) error {
		return func(s *scene) error {
			s.guest.vc.Set("h1", state)
			return s.do("echo done")
		}
	}
	return []fault{
		{name: "the vCenter refuses the password", on: here(engine.KindAuth, atOnce, moment, no, nothing), act: func(s *scene) error {
			s.guest.host.Connection.Settings.(*https.Settings).Password = engine.Plain("s3cret")
			return run(s)
		}},
		{name: "the vCenter's user lacks a privilege", on: here(engine.KindAuth, atOnce, moment, no, nothing), act: func(s *scene) error {
			s.guest.refuseWith(func(string) types.BaseMethodFault {
				return &types.NoPermission{PrivilegeId: "VirtualMachine.GuestOperations.Query"}
			})
			return run(s)
		}},
		{name: "the virtual machine is off", on: refused, act: state(vcenter.State{Power: vcenter.Off})},
		{name: "the guest sleeps", on: refused, act: state(vcenter.State{Power: vcenter.Standby})},
		{name: "VMware Tools do not run in the guest", on: refused, act: state(vcenter.State{Power: vcenter.On})},
		{name: "the ESXi host shows another certificate than the vCenter knows", on: here(engine.KindTLS, atOnce, moment, no, nothing), act: func(s *scene) error {
			s.guest.vc.SetCertificate("esx1", s.guest.center.Certificate().Raw)
			return run(s)
		}},
		{name: "the ESXi host is not reached", on: here(engine.KindRefused, atOnce, moment, no, nothing), act: func(s *scene) error {
			_ = s.guest.esxi.Listener.Close()
			return run(s)
		}},
		{name: "the ESXi host is not reached any more when a command has ended", on: here(engine.KindLost, "at once, and after 3 tries", moment, no, nothing), act: func(s *scene) error {
			return s.survives(func() {
				_ = s.guest.esxi.Listener.Close()
				s.guest.esxi.CloseClientConnections()
			})
		}},
		{name: "shell gone: the guest restarts while a command runs", on: here(engine.KindLost, "when VMware Tools answer again", 5*time.Second, no, nothing), act: func(s *scene) error {
			return s.busy(func() {
				s.guest.windows.Down()
				s.guest.vc.Set("h1", vcenter.State{Power: vcenter.On})
				time.Sleep(50 * time.Millisecond) // to be noticed
				s.guest.windows.Up()
				s.guest.vc.Set("h1", vcenter.State{Power: vcenter.On, Tools: true})
			})
		}},
		{name: "the virtual machine is switched off while a command runs", on: here(engine.KindLost, atOnce, moment, no, leftFiles), act: func(s *scene) error {
			return s.busy(func() {
				s.guest.windows.Down()
				s.guest.vc.Set("h1", vcenter.State{Power: vcenter.Off})
			})
		}},
		{name: "vMotion while a command runs: VMware Tools are away, and then at another ESXi host", on: here("", atOnce+" (`tools_timeout` is how long it is waited for)", moment, questions, nothing), act: func(s *scene) error {
			var asked atomic.Int32
			return s.survives(func() {
				s.guest.refuseWith(func(method string) types.BaseMethodFault {
					if method == "ListProcessesInGuest" && asked.Add(1) <= 7 {
						return &types.GuestOperationsUnavailable{}
					}
					return nil
				})
				s.guest.vc.Move("h1", "esx2")
				until(s.t, "it is asked again", func() bool { return asked.Load() > 7 })
			})
		}},
		{name: "VMware Tools end while a command runs", on: here(engine.KindLost, "`tools_timeout`", 500*time.Millisecond+moment, no, perhaps+"; "+leftFiles), act: func(s *scene) error {
			s.host.Connection.Settings.(*guest.Settings).ToolsTimeout = "500ms"
			return s.busy(func() { s.guest.vc.Set("h1", vcenter.State{Power: vcenter.On}) })
		}},
		{name: "the session at the vCenter ends while a command runs", on: here("", atOnce, moment, loginAgain, nothing), act: func(s *scene) error {
			var once atomic.Bool
			return s.survives(func() {
				s.guest.refuseWith(func(string) types.BaseMethodFault {
					if once.CompareAndSwap(false, true) {
						return &types.NotAuthenticated{}
					}
					return nil
				})
				until(s.t, "it is logged in again", func() bool { return s.guest.logins.Load() > 1 })
			})
		}},
		{name: "the connections to the vCenter are reset while a command runs", on: here("", atOnce, moment, questions, nothing), act: func(s *scene) error {
			return s.survives(func() {
				before := s.wire.count()
				s.wire.reset()
				until(s.t, "it is connected again", func() bool { return s.wire.count() > before })
			})
		}},
	}
}
