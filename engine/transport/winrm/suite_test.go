package winrm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// programs are what the suite needs and Windows does not have: they make every byte and every argument visible.
type programs struct {
	mu    sync.Mutex
	last  int
	alive map[int]bool
}

func (p *programs) run(ctx context.Context, name string, c *cmdexe.Process) uint32 {
	switch name {
	case "cat":
		_, _ = io.Copy(c.Stdout, c.Stdin)
	case "count":
		n, _ := io.Copy(io.Discard, c.Stdin)
		fmt.Fprintln(c.Stdout, n/1000)
	case "big":
		_, _ = io.Copy(c.Stdout, io.LimitReader(exes{}, 10_000_000))
	case "raw":
		_, _ = io.WriteString(c.Stdout, "\xff\xfe\x00\x80\n")
	case "args":
		for _, a := range c.Argv {
			_, _ = io.WriteString(c.Stdout, a+"\x00")
		}
	case "flood":
		ended := make(chan struct{})
		go func() {
			_, _ = io.WriteString(c.Stderr, strings.Repeat("e", 5_000_000))
			close(ended)
		}()
		_, _ = io.WriteString(c.Stdout, strings.Repeat("o", 5_000_000))
		<-ended
	case "env":
		for _, name := range c.Argv {
			_, _ = io.WriteString(c.Stdout, c.Getenv(name)+"\x00")
		}
	case "full":
		return p.full(c)
	case "powershell":
		return powershell(c)
	case "endless":
		id := p.begin()
		defer p.end(id)
		_, err := fmt.Fprintln(c.Stdout, id)
		for i := 0; err == nil && ctx.Err() == nil; i++ {
			_, err = fmt.Fprintln(c.Stdout, "line", i)
		}
	case "sleep":
		id := p.begin()
		defer p.end(id)
		fmt.Fprintln(c.Stdout, id)
		<-ctx.Done()
	case "alive":
		p.mu.Lock()
		defer p.mu.Unlock()
		if id, _ := strconv.Atoi(c.Argv[0]); !p.alive[id] {
			return 1
		}
	}
	return 0
}

type exes struct{}

func (exes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// full writes stdin to a device on which there is no space, and says what Windows says of it.
func (p *programs) full(c *cmdexe.Process) uint32 {
	device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(c.Stderr, err)
		return 2
	}
	defer device.Close()
	if _, err := io.Copy(device, c.Stdin); errors.Is(err, syscall.ENOSPC) {
		fmt.Fprintln(c.Stderr, "There is not enough space on the disk.") // ERROR_DISK_FULL
		return 1
	}
	return 0
}

// begin gives a process an id, under which it lives until end.
func (p *programs) begin() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.alive[p.last] = true
	return p.last
}

func (p *programs) end(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, id)
}

// computer is a cmd.exe with these programs.
func computer() func(context.Context, *wsman.Session) uint32 {
	p := &programs{alive: map[int]bool{}}
	d := disk.New("C:")
	for _, name := range []string{"cat", "count", "big", "raw", "args", "sleep", "alive", "flood", "endless", "env", "full", "powershell"} {
		d.Install(`C:\bin\`+name+".exe", name)
	}
	sys := &cmdexe.System{Disk: d, Program: p.run, Say: func(s string) string { return s }, Wait: engine.Wait, Version: "Version 10.0.17763.1"}
	return func(ctx context.Context, s *wsman.Session) uint32 {
		return cmdexe.Run(ctx, sys, &cmdexe.Process{User: s.User, Dir: `C:\`, Env: map[string]string{"PATH": `C:\bin`, "PATHEXT": ".EXE"},
			Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr}, s.Line)
	}
}

// TestSuite is the common suite.
func TestSuite(t *testing.T) {
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
				Commands: transporttest.Commands{
					Unknown: 1, // of cmd /c, as opposed to %errorlevel%
					Cat:     "cat", Count: "count", Big: "big", Raw: "raw", Sleep: "sleep", Args: []string{"args"},
					Flood: "flood", Endless: "endless", Env: []string{"env"}, Full: "full", PowerShell: encoded,
					Alive: func(pid string) string { return "alive " + pid },
				},
				Codes: map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510},
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
