package guest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/guestops/localguest"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// lent is a pool that dials anew after a Discard.
type lent struct {
	t    *testing.T
	e    *estate
	conn engine.Shell
}

func (l *lent) Get(context.Context, *engine.Host) (engine.Conn, error) {
	if l.conn == nil {
		c, err := l.e.open(l.t, func(s *guest.Settings) {
			hasty(s)
			s.AnswerTimeout = "20s" // files of some size take their time
		})
		if err != nil {
			return nil, err
		}
		l.conn = c
	}
	return unwrapped(l.conn), nil
}

// unwrapped is the guest's own connection, with everything that it can do.
func unwrapped(c engine.Shell) engine.Conn { return c.(both).Shell }

func (l *lent) Discard(*engine.Host, engine.Conn) {
	_ = l.conn.Close() // it is broken
	l.conn = nil
}

// machineOf is vm1 as an entry of a playbook sees it.
func (e *estate) machineOf(t *testing.T, o machine.Options) *machine.Host {
	t.Helper()
	pool := &lent{t: t, e: e}
	t.Cleanup(func() {
		if pool.conn != nil {
			if err := pool.conn.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return machine.New(pool, &engine.Host{Name: "vm1"}, o)
}

// put announces an upload and does it.
func put(ctx context.Context, h *machine.Host, u engine.Upload) ([]string, error) {
	lines, err := h.PutLines(ctx, u)
	if err != nil {
		return nil, err
	}
	return lines, h.Acting(lines).Put(ctx, u)
}

// 10 MB go both ways as files, and not through the input and the output of a command; small ones and secrets by a command.
func TestCopyWindows(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	var ran []string
	h := e.machineOf(t, machine.Options{Ran: func(line string) { ran = append(ran, line) }})
	_, data, content := transporttest.RandomFile(t, 10<<20)
	u := engine.Upload{Path: `C:\ProgramData\100% it's.bin`, Content: content}
	for _, acl := range []string{"", "D:(A;;FA;;;SY)"} { // a new file, and one with rights of its own
		if acl != "" {
			g.Disk().Put(u.Path, "old")
			g.Disk().SetACL(u.Path, acl)
		}
		ran = nil
		lines, err := put(t.Context(), h, u)
		if err != nil {
			t.Fatal(err)
		}
		if len(ran) != 3 || !strings.HasPrefix(ran[1], `guest operations: write C:\ProgramData\.dsplay-`) {
			t.Errorf("it ran %q", ran)
		}
		for _, line := range ran {
			if !strings.Contains(strings.Join(lines, "\n"), line) {
				t.Errorf("not in the plan: %s", line)
			}
		}
		if there, err := g.Disk().Read(u.Path); err != nil || !bytes.Equal(there, data) {
			t.Errorf("%d bytes arrived, %v", len(there), err)
		}
		if info, _ := g.Disk().Stat(u.Path); acl != "" && info.ACL != acl {
			t.Errorf("the rights are %q now", info.ACL)
		}
	}
	ran = nil
	var back bytes.Buffer
	if info, err := h.Get(t.Context(), u.Path, &back); err != nil || info.SHA256 != content.SHA256 || !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes came back, %v", back.Len(), err)
	}
	if last := ran[len(ran)-1]; last != "guest operations: read "+u.Path {
		t.Errorf("it was read by %q", last)
	}
	secret := engine.Upload{Path: `C:\ProgramData\token`, Content: engine.TextContent(new(engine.Secrets).Add("env:TOKEN", "hunter2"))}
	if _, err := put(t.Context(), h, secret); err != nil {
		t.Error(err)
	}
	if there, err := g.Disk().Read(secret.Path); string(there) != "hunter2" {
		t.Errorf("%q, %v", there, err)
	}
	if left := g.Disk().Match(`C:\ProgramData\*dsplay*`); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
}

func TestCopyLinux(t *testing.T) {
	system := &localguest.System{Dir: t.TempDir()}
	e := newEstate(t, system, "rhel8_64Guest", nil)
	var ran []string
	h := e.machineOf(t, machine.Options{Ran: func(line string) { ran = append(ran, line) }})
	_, data, content := transporttest.RandomFile(t, 10<<20)
	dir := t.TempDir()
	u := engine.Upload{Path: filepath.Join(dir, "100% it's"), Content: content, Mode: "0640"}
	if _, err := put(t.Context(), h, u); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(ran, "\n"), "\nguest operations: write "+dir+"/.dsplay-") {
		t.Errorf("it ran %q", ran)
	}
	if there, err := os.ReadFile(u.Path); err != nil || !bytes.Equal(there, data) {
		t.Errorf("%d bytes arrived, %v", len(there), err)
	}
	if info, err := os.Stat(u.Path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	var back bytes.Buffer
	if info, err := h.Get(t.Context(), u.Path, &back); err != nil || info.SHA256 != content.SHA256 || !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes came back, %v", back.Len(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("in the folder are %v", entries)
	}
	if _, err := h.Get(t.Context(), u.Path, &full{left: 1 << 20}); !errors.Is(err, syscall.ENOSPC) || engine.HostOf(err) != engine.Localhost {
		t.Errorf("a full disk here: %v", err)
	}
}

// full is a disk of this machine.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(b), nil
}

// A full disk of the guest is found before anything is sent, and named.
func TestCopyToAFullDisk(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	h := e.machineOf(t, machine.Options{})
	g.Disk().Put(`C:\ProgramData\x.bin`, "old")
	_, _, content := transporttest.RandomFile(t, 1<<20)
	g.Disk().SetRoom("C:", 900_000)
	before := e.requests.Load()
	_, err := put(t.Context(), h, engine.Upload{Path: `C:\ProgramData\x.bin`, Content: content})
	if !errors.Is(err, syscall.ENOSPC) || engine.HintOf(err) == "" || engine.IsUnreachable(err) {
		t.Errorf("%v", err)
	}
	if there, _ := g.Disk().Read(`C:\ProgramData\x.bin`); string(there) != "old" {
		t.Errorf("the old file has %d bytes", len(there))
	}
	if left := g.Disk().Match(`C:\ProgramData\*dsplay*`); len(left) > 0 || e.requests.Load() == before {
		t.Errorf("left behind: %+v", left)
	}
}

// The df of a Linux says whether there is space; one that says something else is not listened to.
func TestCopyToAFullLinux(t *testing.T) {
	for answer, want := range map[string]error{"/dev/sda1 5000 4800 200 96% /": syscall.ENOSPC, "/dev/sda1 5000 3000 2000 60% /": nil, "//server/some share 5000 4800 200 96% /": nil, "": nil} {
		bin, dir := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "df"), []byte("#!/bin/sh\n[ \"$1\" = -Pk ] || exit 9\necho Filesystem 1024-blocks Used Available Capacity Mounted on\necho '"+answer+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		e := newEstate(t, &localguest.System{Dir: t.TempDir()}, "rhel8_64Guest", nil)
		_, _, content := transporttest.RandomFile(t, 1<<20)
		_, err := put(t.Context(), e.machineOf(t, machine.Options{}), engine.Upload{Path: dir + "/x", Content: content})
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: %v", answer, err)
		}
		if entries, _ := os.ReadDir(dir); want != nil && len(entries) > 0 {
			t.Errorf("left behind: %v", entries)
		}
	}
}

// A source that has become another one is refused, and so is one that has become shorter.
func TestCopyOfAChangedSource(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	h := e.machineOf(t, machine.Options{})
	for _, size := range []int{100_000, 200_000} {
		file, _, content := transporttest.RandomFile(t, 200_000)
		u := engine.Upload{Path: `C:\ProgramData\x.bin`, Content: content}
		lines, err := h.PutLines(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := h.Acting(lines).Put(t.Context(), u); err == nil || !strings.Contains(err.Error(), "another one than what was planned") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// The transfer is cut in the middle: by the caller, whose time is over, or by a vCenter that breaks. The old file stays, and
// the temporary one is removed, by a new connection where need be.
func TestCopyIsCut(t *testing.T) {
	for _, how := range []string{"stopped", "broken"} {
		t.Run(how, func(t *testing.T) {
			g, system := newWindows(t)
			e := newEstate(t, system, "windows2019srv_64Guest", nil)
			h := e.machineOf(t, machine.Options{})
			g.Disk().Put(`C:\ProgramData\x.bin`, "old")
			_, _, content := transporttest.RandomFile(t, 20<<20)
			u := engine.Upload{Path: `C:\ProgramData\x.bin`, Content: content}
			lines, err := h.PutLines(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cut := e.amid(func() {
				if how == "stopped" {
					cancel()
					return
				}
				e.server.CloseClientConnections()
			})
			err = h.Acting(lines).Put(ctx, u)
			if !cut() {
				t.Fatal("nothing was cut")
			}
			want := map[string]string{"stopped": "stopped", "broken": "the old file is untouched"}[how]
			if err == nil || !strings.Contains(err.Error(), want) || how == "broken" && engine.KindOf(err) != engine.KindModule {
				t.Errorf("%v (%s)", err, engine.HintOf(err))
			}
			if there, _ := g.Disk().Read(u.Path); string(there) != "old" {
				t.Errorf("the old file has %d bytes", len(there))
			}
			if left := g.Disk().Match(`C:\ProgramData\*dsplay*`); len(left) > 0 {
				t.Errorf("left behind: %+v", left)
			}
			if _, err := put(t.Context(), h, u); err != nil {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

// amid has f called in the middle of the next large file that is sent; done tells whether it was.
func (e *estate) amid(f func()) (done func() bool) {
	was := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.body = func(r io.ReadCloser) io.ReadCloser {
		return &watchedBody{ReadCloser: r, left: 1 << 20, f: func() {
			close(was)
			f()
			_ = engine.Wait(context.Background(), 50*time.Millisecond) // let it be felt before the rest is read
		}}
	}
	return func() bool {
		select {
		case <-was:
			return true
		default:
			return false
		}
	}
}

// watchedBody calls f once, when left bytes have passed.
type watchedBody struct {
	io.ReadCloser
	left int
	f    func()
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 && b.f != nil {
		b.f()
		b.f = nil
	}
	return n, err
}
