package guest_test

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

// BenchmarkExec is one short command, over guest operations and over WinRM, in the same simulated Windows: how many
// requests it takes, and how long. In reality VMware Tools need up to a second to notice an end; "real Tools" has that.
func BenchmarkExec(b *testing.B) {
	const line = "sc query vsepflt"
	g, system := newWindows(b)
	for name, speed := range map[string]float64{"guest, real Tools": 1, "guest, fast Tools": 1000} {
		b.Run(name, func(b *testing.B) {
			e := newEstate(b, system, "windows2019srv_64Guest", func(c *vcenter.Config) { c.Clock = clock.Clock{Speed: speed} })
			center := e.center(b)
			defer center.Close()
			c, err := guest.Transport{}.Open(engine.WithPeers(b.Context(), peers{center}), host(nil))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			measure(b, c.(engine.Shell), line, e.requests.Load)
		})
	}
	b.Run("winrm", func(b *testing.B) {
		server, err := wsman.Listen(wsman.Options{Users: map[string]string{"ops": "s3cret"}, NTLM: true, Handle: func(ctx context.Context, s *wsman.Session) uint32 {
			return g.Exec(ctx, s.User, s.Line, s.Stdin, s.Stdout, s.Stderr)
		}})
		if err != nil {
			b.Fatal(err)
		}
		defer server.Close()
		address, port, _ := net.SplitHostPort(server.Addr())
		s := winrm.New().Settings().(*winrm.Settings)
		s.User, s.Password, s.HTTPS = "ops", engine.Plain("s3cret"), false
		s.Port, _ = strconv.Atoi(port)
		c, err := winrm.New().Open(b.Context(), &engine.Host{Name: "vm1", Address: address, Connection: engine.Connection{Type: "winrm", Settings: s}})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		measure(b, c.(engine.Shell), line, func() int64 { return int64(len(server.Requests())) })
	})
}

func measure(b *testing.B, c engine.Shell, line string, requests func() int64) {
	b.Helper()
	before := requests()
	for b.Loop() {
		if code, err := c.Exec(b.Context(), engine.Process{Line: line, Stdout: io.Discard, Stderr: io.Discard}); code != 0 || err != nil {
			b.Fatal(code, err)
		}
	}
	b.ReportMetric(float64(requests()-before)/float64(b.N), "requests/op")
}

// BenchmarkCopy is 100 MB to the simulated Windows as the module copy does it, and the raw stream's share of its time: the
// same bytes by one transfer.
func BenchmarkCopy(b *testing.B) {
	_, system := newWindows(b)
	e := newEstate(b, system, "windows2019srv_64Guest", nil)
	center := e.center(b)
	defer center.Close()
	c, err := guest.Transport{}.Open(engine.WithPeers(b.Context(), peers{center}), host(hasty))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	transporttest.CompareCopy(b, c.(engine.Shell), engine.Upload{Path: `C:\x.bin`}, func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		return c.(uploader).Upload(b.Context(), `C:\raw.bin`, f, info.Size())
	})
}
