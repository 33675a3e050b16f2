package winrm_test

import (
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/masterzen/winrm"
)

// BenchmarkExec measures short commands in a row over each way, and the usual Go client beside them.
func BenchmarkExec(b *testing.B) {
	for _, way := range ways {
		b.Run(way, func(b *testing.B) {
			server, h := start(b, way)
			c := open(b, h)
			metered(b, server, func() error {
				_, err := c.Exec(b.Context(), engine.Process{Line: "say x", Stdout: io.Discard})
				return err
			})
		})
	}
	b.Run("masterzen basic http", func(b *testing.B) {
		server, _ := start(b, "basic http")
		address, port, _ := net.SplitHostPort(server.Addr())
		n, _ := strconv.Atoi(port)
		client, err := winrm.NewClient(winrm.NewEndpoint(address, n, false, false, nil, nil, nil, 20*time.Second), "ops", "s3cret")
		if err != nil {
			b.Fatal(err)
		}
		metered(b, server, func() error {
			_, err := client.RunWithContext(b.Context(), "say x", io.Discard, io.Discard)
			return err
		})
	})
}

func metered(b *testing.B, server *wsman.Server, f func() error) {
	before := len(server.Requests())
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(server.Requests())-before)/float64(b.N), "requests/op")
}

// BenchmarkOutput is 10 MB of output in one command.
func BenchmarkOutput(b *testing.B) {
	for _, way := range ways {
		b.Run(way, func(b *testing.B) {
			_, h := start(b, way)
			c := open(b, h)
			b.SetBytes(10 << 20)
			for b.Loop() {
				if _, err := c.Exec(b.Context(), engine.Process{Line: "flood 10485760", Stdout: io.Discard}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
