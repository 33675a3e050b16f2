package winrm_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"github.com/dsplay/dsplay/engine/transport/transporttest/wincomputer"
)

// computer is a cmd.exe with these programs.
func computer() func(context.Context, *wsman.Session) uint32 {
	var p wincomputer.Programs
	d := disk.New("C:")
	p.Install(d, `C:\bin`)
	d.Install(`C:\bin\powershell.exe`, "powershell")
	program := func(ctx context.Context, name string, c *cmdexe.Process) uint32 {
		if name == "powershell" {
			return powershell(c)
		}
		code, _ := p.Run(ctx, name, c)
		return code
	}
	sys := &cmdexe.System{Disk: d, Program: program, Say: func(s string) string { return s }, Wait: engine.Wait, Version: "Version 10.0.17763.1"}
	return func(ctx context.Context, s *wsman.Session) uint32 {
		return cmdexe.Run(ctx, sys, &cmdexe.Process{User: s.User, Dir: `C:\`, Env: map[string]string{"PATH": `C:\bin`, "PATHEXT": ".EXE"},
			Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr}, s.Line)
	}
}

// TestSuite is the common suite.
func TestSuite(t *testing.T) {
	commands := wincomputer.Commands()
	commands.PowerShell = encoded
	for _, way := range ways[:1] { // the way that does most; the tests above try the others
		t.Run(way, func(host *testing.T) {
			handle := computer() // processes outlive the service
			var server *wsman.Server
			var h *engine.Host
			down := true
			transporttest.Run(host, transporttest.Target{
				Windows: true,
				Open: func(t *testing.T) engine.Shell {
					if down {
						server, h = startWith(host, way, handle)
						down = false
					}
					if s, ok := h.Connection.Settings.(*settings); ok {
						s.ConnectTimeout, s.OperationTimeout = "10s", "2s"
						if strings.HasSuffix(t.Name(), "silence") { // where there is nothing to wait for
							s.ConnectTimeout, s.OperationTimeout = "1s", "300ms"
						}
					}
					return open(t, h)
				},
				Commands: commands,
				Codes:    map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510},
				Cut: func(*testing.T) {
					server.Close()
					down = true
				},
				Leaves: 1, // the server's loop
				Silence: func(*testing.T) func() {
					server.Fail(wsman.Fault{Mode: wsman.Silent})
					return server.Heal
				},
			})
		})
	}
}

// TestGuest speaks to the lab's Windows: codes and texts of real commands arrive as they are.
func TestGuest(t *testing.T) {
	guest := windows.New(windows.Config{Name: "vm1", Clock: clock.Clock{Speed: 5000}})
	_, h := startWith(t, "ntlm http", func(ctx context.Context, s *wsman.Session) uint32 {
		return guest.Exec(ctx, s.User, s.Line, s.Stdin, s.Stdout, s.Stderr)
	})
	c := open(t, h)
	for _, test := range []struct {
		line string
		code int
		text string
	}{
		{"sc query vsepflt", 0, "STATE              : 4  RUNNING"},
		{"sc query nonsense", 1060, "FAILED 1060"},
		{"sc stop vsepflt & sc query vmci", 0, "vmci"},
		{`echo ^<a^> "]]>" %COMPUTERNAME%`, 0, `<a> "]]>" VM1`},
		{`reg query HKLM\SOFTWARE\nonsense`, 1, ""},
	} {
		var out bytes.Buffer
		code, err := c.Exec(t.Context(), engine.Process{Line: test.line, Stdout: &out})
		if code != test.code || err != nil || !strings.Contains(strings.ToUpper(out.String()), strings.ToUpper(test.text)) {
			t.Errorf("%s: %d, %v, %q; want %d and %q", test.line, code, err, &out, test.code, test.text)
		}
	}
}
