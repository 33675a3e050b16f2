//go:build lab && linux

package ssh_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wine"
	wineset "github.com/dsplay/dsplay/engine/lab/wine/settings"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"github.com/dsplay/dsplay/engine/transport/transporttest/winetarget"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// wineHost reaches the guest by SSH as it is now.
func wineHost(t *testing.T, g *wine.Guest) *engine.Host {
	t.Helper()
	addr, wire := g.SSH()
	key, err := xssh.ParsePublicKey(wire)
	if err != nil {
		t.Fatal(err)
	}
	address, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	s := ssh.New().Settings().(*ssh.Settings)
	s.User, s.Password, s.Agent, s.Keepalive = "ops", engine.Plain("s3cret"), false, "2s"
	s.Port, _ = strconv.Atoi(port)
	s.KnownHosts = known(t, knownhosts.Line([]string{addr}, key))
	return &engine.Host{Name: "wine", Address: address, Connection: engine.Connection{Type: "ssh", Settings: s}}
}

// TestLabWineSSH: Windows behind SSH, whose commands are real processes of a cmd.exe. The server ends them when it is told to.
func TestLabWineSSH(t *testing.T) {
	template, err := wine.Prepare(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal("this test needs Debian's wine, wine64 and gcc-mingw-w64-x86-64-win32: ", err)
	}
	g, err := template.Start(t.Context(), t.TempDir(), wineset.Settings{Users: map[string]string{"ops": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Off(context.Background()) })
	h := machine.New(&redialer{open: func() engine.Shell { return open(t, wineHost(t, g)) }}, &engine.Host{Name: "wine"}, machine.Options{})
	if platform, err := h.Platform(t.Context()); platform != engine.Windows || err != nil {
		t.Fatalf("the platform is %q, %v", platform, err)
	}
	for _, test := range []struct {
		c    engine.Command
		want string
	}{
		{engine.Command{Argv: []string{"sc.exe", "query", "vsepflt"}}, "RUNNING"},
		{engine.Command{Argv: []string{"sc.exe", "query", "nonsense"}, OK: []int{1060}}, "1060"},
		{engine.Command{Argv: []string{`C:\dsplay\guestd.exe`, "args", `a "b" & c`, "%PATHX%"}}, "a \"b\" & c\x00%PATHX%\x00"},
		{engine.Command{Argv: []string{`C:\dsplay\guestd.exe`, "env", "GREETING"}, Env: map[string]string{"GREETING": "a & b"}}, "a & b\x00"},
		{engine.Command{Shell: "ver&exit -1073741510", OK: []int{-1073741510}}, "Windows"},
	} {
		out, err := h.Run(t.Context(), test.c)
		if err != nil || !strings.Contains(out.Stdout, test.want) {
			t.Errorf("%+v: %q, %v", test.c, out.Stdout, err)
		}
	}
	target := winetarget.Of(g, func(t *testing.T) engine.Shell { return open(t, wineHost(t, g)) })
	target.Lacks["long line"] = "SSH carries more than cmd.exe takes; the engine looks at the length when it knows that it is Windows"
	transporttest.Run(t, target)
}
