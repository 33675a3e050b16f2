//go:build lab && linux

package winrm_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/realm"
	"github.com/dsplay/dsplay/engine/lab/wine"
	wineset "github.com/dsplay/dsplay/engine/lab/wine/settings"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

// template is made once: it costs ten seconds.
var template = sync.OnceValues(func() (*wine.Template, error) {
	dir, err := os.MkdirTemp("", "dsplay-wine")
	if err != nil {
		return nil, err
	}
	made, err := wine.Prepare(context.Background(), dir)
	if err == nil {
		afterAll = append(afterAll, made.Remove)
	}
	return made, err
})

// wineGuest is a Windows host whose processes, services and command line are not ours.
func wineGuest(t *testing.T, s wineset.Settings) (*wine.Guest, *engine.Host, *winrm.Settings) {
	t.Helper()
	made, err := template()
	if err != nil {
		t.Fatal("this test needs Debian's wine, wine64 and gcc-mingw-w64-x86-64-win32: ", err)
	}
	s.Users = map[string]string{"ops": "s3cret"}
	g, err := made.Start(t.Context(), t.TempDir(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Off(context.Background()); err != nil {
			t.Error(err)
		}
	})
	address, port, err := net.SplitHostPort(g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	set := winrm.New().Settings().(*winrm.Settings)
	set.User, set.Password, set.HTTPS = "ops", engine.Plain("s3cret"), false
	set.OperationTimeout = "5s"
	set.Port, _ = strconv.Atoi(port)
	return g, &engine.Host{Name: "wine", Address: address, Connection: engine.Connection{Type: "winrm", Settings: set}}, set
}

// TestLabWine is the common suite, every message sealed by NTLM, on real processes: CreateProcess, jobs, cmd.exe and
// CommandLineToArgvW are Wine's and Go's. Wine's cmd.exe expands %NAME% also where a caret stands in it, which Windows' does not.
func TestLabWine(t *testing.T) {
	g, h, _ := wineGuest(t, wineset.Settings{})
	on := true
	program := func(name string) string { return `C:\dsplay\guestd.exe ` + name }
	transporttest.Run(t, transporttest.Target{
		Windows: true, Many: 100, Slow: true,
		Flaky: "Wine's cmd.exe now and then cannot find a program on a busy machine",
		Open: func(t *testing.T) engine.Shell {
			if !on {
				if err := g.On(t.Context()); err != nil {
					t.Fatal(err)
				}
				on = true
			}
			return open(t, h)
		},
		Commands: transporttest.Commands{
			Cat: program("cat"), Count: program("count"), Big: program("big"), Both: program("both"), Raw: program("raw"), Flood: program("flood"),
			Sleep: program("parent"), Endless: program("endless"), Full: program("full"),
			Args: []string{`C:\dsplay\guestd.exe`, "args"}, Env: []string{`C:\dsplay\guestd.exe`, "env"},
			Alive: func(pid string) string { return program("alive " + pid) },
		},
		Codes: map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510},
		Lacks: map[string]string{
			"directory":   "in Wine 8.0 a cd that worked counts as failed for ||",
			"concurrency": "of 20 at once Wine's cmd.exe loses one in a thousand: no output, or a program that it cannot find",
		},
		Changes: func(word string) bool { return strings.Contains(word, "%PATH") || strings.Contains(word, "%OS%") },
		Cut: func(t *testing.T) {
			if err := g.Off(context.Background()); err != nil {
				t.Error(err)
			}
			on = false
		},
		Silence: func(t *testing.T) func() {
			if err := g.Freeze(); err != nil {
				t.Fatal(err)
			}
			return func() { _ = g.Thaw() }
		},
	})
}

// TestLabWineKerberos: MIT's KDC, a host that is not ours below the server, every message sealed by a key of the ticket.
func TestLabWineKerberos(t *testing.T) {
	r := mit(t, realm.Options{})
	keytab, err := r.Keytab("wine.keytab", guest1)
	if err != nil {
		t.Fatal(err)
	}
	_, h, set := wineGuest(t, wineset.Settings{Keytab: wine.Path(keytab)})
	set.Auth, set.User, set.Krb5Conf, set.SPN = "kerberos", "ops@"+realm.Name, r.Config, guest1
	c := connect(t, winrm.New(), h)
	says(t, c, "exit 1060", "||1060")
	for line, want := range map[string]string{"sc.exe query vsepflt": "RUNNING", "sc.exe queryex VMTools": "WIN32_OWN_PROCESS", "ver": "Windows"} {
		if got, err := exec(t.Context(), c, line, ""); err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %s, %v", line, got, err)
		}
	}
	set.Password = engine.Plain("wrong")
	if _, err := winrm.New().Open(t.Context(), h); engine.KindOf(err) != engine.KindAuth {
		t.Errorf("a wrong password: %v", err)
	}
}
