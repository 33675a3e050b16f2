package winrm_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// lent is a pool of the one connection.
type lent struct{ engine.Conn }

func (l lent) Get(context.Context, *engine.Host) (engine.Conn, error) { return l.Conn, nil }
func (l lent) Discard(*engine.Host, engine.Conn)                      {}

// windowsGuest is a simulated Windows behind WinRM.
func windowsGuest(t testing.TB, way string) (*windows.Guest, *wsman.Server, engine.Shell) {
	t.Helper()
	g := windows.New(windows.Config{Name: "guest1"})
	server, h := startWith(t, way, func(ctx context.Context, s *wsman.Session) uint32 {
		return g.Exec(ctx, s.User, s.Line, s.Stdin, s.Stdout, s.Stderr)
	})
	return g, server, open(t, patient(h))
}

// TestCopy: a file goes to Windows and back by one process each way; the host gets no line that was not announced.
func TestCopy(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			g, _, shell := windowsGuest(t, way)
			_, data, content := transporttest.RandomFile(t, 1_234_567)
			var ran []string
			h := machine.New(lent{shell}, &engine.Host{Name: "guest1"}, machine.Options{Ran: func(line string) { ran = append(ran, line) }})
			u := engine.Upload{Path: `C:\Windows\Temp\x.msi`, Content: content}
			lines, err := h.PutLines(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Acting(lines).Put(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			if len(ran) != 1 || !slices.Contains(lines, ran[0]) {
				t.Errorf("it ran %d commands: %q", len(ran), ran)
			}
			if got, err := g.Disk().Read(u.Path); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			var back bytes.Buffer
			if info, err := h.Get(t.Context(), u.Path, &back); err != nil || info.SHA256 != content.SHA256 || !bytes.Equal(back.Bytes(), data) {
				t.Errorf("%+v, %d bytes, %v", info, back.Len(), err)
			}
			if left := g.Disk().Match(`C:\Windows\Temp\*dsplay*`); len(left) > 0 {
				t.Errorf("left behind: %+v", left)
			}
		})
	}
}

// TestCopyIsCut: the step is stopped in the middle. The process is killed, the temporary file removed, the old one stays.
func TestCopyIsCut(t *testing.T) {
	g, _, shell := windowsGuest(t, "basic http")
	g.Disk().Put(`C:\x.bin`, "old")
	_, _, content := transporttest.RandomFile(t, 30_000_000)
	h := machine.New(lent{shell}, &engine.Host{Name: "guest1"}, machine.Options{})
	u := engine.Upload{Path: `C:\x.bin`, Content: content}
	lines, err := h.PutLines(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // as soon as something of it is there
		for ctx.Err() == nil {
			if part := g.Disk().Match(`C:\.dsplay*`); len(part) > 0 && part[0].Size > 0 {
				cancel()
			}
			_ = engine.Wait(ctx, time.Millisecond)
		}
	}()
	err = h.Acting(lines).Put(ctx, u)
	if err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("%v", err)
	}
	if got, err := g.Disk().Read(u.Path); err != nil || string(got) != "old" {
		t.Errorf("the old file has %d bytes, %v", len(got), err)
	}
	if left := g.Disk().Match(`C:\*dsplay*`); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
}

// BenchmarkCopy is 100 MB to a simulated Windows, and the raw stream's share of its time: the same bytes on the standard
// input of a program over the same connection. Base64 alone makes a third more of them.
func BenchmarkCopy(b *testing.B) {
	for _, way := range ways {
		b.Run(way, func(b *testing.B) {
			_, _, shell := windowsGuest(b, way)
			transporttest.CompareCopy(b, shell, engine.Upload{Path: `C:\x.bin`}, func(f *os.File) error {
				_, err := shell.Exec(b.Context(), engine.Process{Line: `more >C:\raw.bin`, Stdin: f})
				return err
			})
		})
	}
}
