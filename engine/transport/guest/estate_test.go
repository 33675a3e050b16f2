package guest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/zclconf/go-cty/cty"
)

const (
	bios     = "421e1137-5c49-56e4-8c11-0000000000aa"
	instance = "501e1137-5c49-56e4-8c11-0000000000bb"
)

// estate is a vCenter with one guest, vm1.
type estate struct {
	t      testing.TB
	vc     *vcenter.VCenter
	guest  *guestops.Guest
	server *httptest.Server
	way    func(*https.Settings) // how the vCenter is reached; nil: directly
	ca     string

	requests atomic.Int64

	mu     sync.Mutex
	refuse func(method string) types.BaseMethodFault
	seen   []string
	answer func(method string) bool          // true: this method is carried out, and its answer lost; may be nil
	mute   chan struct{}                     // not nil: nobody is answered until it is closed
	body   func(io.ReadCloser) io.ReadCloser // around the next large file that is sent
}

// newEstate starts the vCenter; guestID says which family. configure may be nil.
func newEstate(t testing.TB, system guestops.System, guestID string, configure func(*vcenter.Config)) *estate {
	t.Helper()
	e := &estate{t: t, guest: &guestops.Guest{System: system, Lockout: 5,
		Password: func(user string) (string, bool) { return "pa$$ <word>", user == `LAB\ops` }}}
	cfg := vcenter.Config{User: "ops@vsphere.local", Password: "s3cret", Hosts: []string{"esx1", "esx2"}, Clock: clock.Clock{Speed: 1000},
		VMs: []vcenter.VM{{Name: "vm1", Host: "esx1", UUID: bios, InstanceUUID: instance, Power: vcenter.On, GuestID: guestID},
			{Name: "vm2", Host: "esx1", UUID: "421e1137-5c49-56e4-8c11-0000000000cc", InstanceUUID: "501e1137-5c49-56e4-8c11-0000000000dd", Power: vcenter.Off, GuestID: guestID}},
		Guest: func(string) *guestops.Guest { return e.guest },
		Refuse: func(method, _ string) types.BaseMethodFault {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.refuse == nil {
				return nil
			}
			return e.refuse(method)
		},
		Record: func(_, text string, _ bool) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.seen = append(e.seen, text)
		},
	}
	if configure != nil {
		configure(&cfg)
	}
	var err error
	if e.vc, err = vcenter.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.vc.Close)
	e.listen()
	t.Cleanup(func() { e.server.Close() })
	return e
}

func (e *estate) listen() {
	e.server = httptest.NewUnstartedServer(http.HandlerFunc(e.serve))
	e.server.EnableHTTP2 = false
	e.server.StartTLS()
	e.ca = filepath.Join(e.t.TempDir(), "ca.pem")
	if err := os.WriteFile(e.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.server.Certificate().Raw}), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) serve(w http.ResponseWriter, r *http.Request) {
	e.requests.Add(1)
	e.mu.Lock()
	mute, body, answer := e.mute, e.body, e.answer
	if r.ContentLength > 1<<20 && body != nil {
		r.Body, e.body = body(r.Body), nil
	}
	e.mu.Unlock()
	if mute != nil {
		select {
		case <-mute:
		case <-r.Context().Done():
			return
		}
	}
	if answer != nil && r.Method == http.MethodPost {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(text))
		for _, method := range []string{"StartProgramInGuest"} {
			if bytes.Contains(text, []byte("<"+method+" ")) && answer(method) {
				e.vc.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			}
		}
	}
	e.vc.ServeHTTP(w, r)
}

// cut resets every connection and listens at another port from then on.
func (e *estate) cut() {
	e.server.CloseClientConnections()
	e.server.Close()
	e.listen()
}

func (e *estate) silence() (undo func()) {
	mute := make(chan struct{})
	e.mu.Lock()
	e.mute = mute
	e.mu.Unlock()
	var once sync.Once
	return func() {
		once.Do(func() {
			e.mu.Lock()
			e.mute = nil
			e.mu.Unlock()
			close(mute)
		})
	}
}

// refuseWith lets f judge every guest operation; nil: nothing is refused.
func (e *estate) refuseWith(f func(method string) types.BaseMethodFault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse = f
}

// peers are the estate's inventory.
type peers struct{ conn engine.Conn }

func (p peers) Host(name string) *engine.Host                     { return &engine.Host{Name: name} }
func (p peers) Conn(context.Context, string) (engine.Conn, error) { return p.conn, nil }

// center opens a connection to the vCenter.
func (e *estate) center(t testing.TB) engine.Conn {
	t.Helper()
	host, port, _ := net.SplitHostPort(e.server.Listener.Addr().String())
	s := https.Transport{}.Settings().(*https.Settings)
	s.Kind, s.User, s.Password, s.CA = "vsphere", "ops@vsphere.local", new(engine.Secrets).Add("vc", "s3cret"), e.ca
	s.Port, _ = strconv.Atoi(port)
	if e.way != nil {
		e.way(s)
	}
	c, err := https.Transport{}.Open(t.Context(), &engine.Host{Name: "vc1", Address: host, Connection: engine.Connection{Type: "https", Settings: s}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// host is vm1 as the source vsphere gives it.
func host(change func(*guest.Settings)) *engine.Host {
	s := guest.Transport{}.Settings().(*guest.Settings)
	s.VCenter, s.User, s.Password = "vc1", `LAB\ops`, new(engine.Secrets).Add("guests", "pa$$ <word>")
	if change != nil {
		change(s)
	}
	return &engine.Host{Name: "vm1", Attrs: map[string]cty.Value{"uuid": cty.StringVal(instance)}, Connection: engine.Connection{Type: "guest", Settings: s}}
}

// both closes the vCenter's connection with the guest's.
type both struct {
	engine.Shell
	center engine.Conn
}

func (b both) Close() error {
	err := b.Shell.Close()
	_ = b.center.Close() // the vCenter may be gone by now
	return err
}

// open connects to vm1.
func (e *estate) open(t *testing.T, change func(*guest.Settings)) (engine.Shell, error) {
	t.Helper()
	center := e.center(t)
	c, err := guest.Transport{}.Open(engine.WithPeers(t.Context(), peers{center}), host(change))
	if err != nil {
		_ = center.Close()
		return nil, err
	}
	return both{c.(engine.Shell), center}, nil
}

func (e *estate) mustOpen(t *testing.T, change func(*guest.Settings)) engine.Shell {
	t.Helper()
	c, err := e.open(t, change)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// uploader is what the connection offers besides commands.
type uploader interface {
	Upload(ctx context.Context, path string, r io.Reader, size int64) error
	Download(ctx context.Context, path string, w io.Writer) (int64, error)
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:])
}
