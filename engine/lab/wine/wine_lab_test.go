//go:build lab && linux

package wine_test

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wine"
	"github.com/dsplay/dsplay/engine/lab/wine/settings"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

func TestLabWine(t *testing.T) {
	began := time.Now()
	template, err := wine.Prepare(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal("this test needs Debian's wine, wine64 and gcc-mingw-w64-x86-64-win32: ", err)
	}
	t.Log(time.Since(began))
	g, err := template.Start(t.Context(), t.TempDir(), settings.Settings{Users: map[string]string{"ops": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(began))
	defer func() { _ = g.Off(context.Background()) }()
	host, port, _ := net.SplitHostPort(g.Addr())
	s := winrm.Transport{}.Settings().(*winrm.Settings)
	s.User, s.Password, s.HTTPS = "ops", engine.Plain("s3cret"), false
	s.Port, _ = strconv.Atoi(port)
	conn, err := winrm.Transport{}.Open(t.Context(), &engine.Host{Name: "w", Address: host, Connection: engine.Connection{Type: "winrm", Settings: s}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, line := range []string{"ver", "exit 1060", "sc query vsepflt", "sc queryex VMTools", "sc stop vsepflt", "sc query vsepflt", "sc query nonsense", "cd", "sc qc vsepflt"} {
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		code, err := conn.(engine.Shell).Exec(ctx, engine.Process{Line: line, Stdout: &out, Stderr: &out})
		cancel()
		t.Log(time.Since(began), line, code, err, strings.TrimSpace(out.String()))
	}
}
