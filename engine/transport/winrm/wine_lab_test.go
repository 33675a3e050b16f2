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
	"github.com/dsplay/dsplay/engine/transport/transporttest/winetarget"
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
// CommandLineToArgvW are Wine's and Go's.
func TestLabWine(t *testing.T) {
	g, h, _ := wineGuest(t, wineset.Settings{})
	transporttest.Run(t, winetarget.Of(g, func(t *testing.T) engine.Shell { return open(t, h) }))
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
