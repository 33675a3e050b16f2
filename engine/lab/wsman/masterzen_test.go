package wsman_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/masterzen/winrm"
)

// say is a command line interpreter: "say TEXT", "complain TEXT", "cat", "exit N".
func say(ctx context.Context, s *wsman.Session) uint32 {
	word, rest, _ := strings.Cut(s.Line, " ")
	switch word {
	case "say":
		fmt.Fprint(s.Stdout, rest)
	case "complain":
		fmt.Fprint(s.Stderr, rest)
	case "cat":
		_, _ = io.Copy(s.Stdout, s.Stdin)
	case "exit":
		n, _ := strconv.ParseInt(rest, 10, 64)
		return uint32(n)
	case "wait":
		<-ctx.Done()
	}
	return 0
}

func listen(t *testing.T, o wsman.Options) *wsman.Server {
	t.Helper()
	if o.Users == nil {
		o.Users = map[string]string{"ops": "s3cret"}
	}
	if o.Handle == nil {
		o.Handle = say
	}
	s, err := wsman.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func endpoint(t *testing.T, s *wsman.Server) *winrm.Endpoint {
	t.Helper()
	host, text, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.Atoi(text)
	return winrm.NewEndpoint(host, port, false, false, nil, nil, nil, 20*time.Second)
}

// The library's own transports are independent enough to check the server with: SOAP wholly, NTLM on the client's side.
func TestMasterzen(t *testing.T) {
	for _, auth := range []string{"basic", "sealed"} {
		t.Run(auth, func(t *testing.T) {
			s := listen(t, wsman.Options{Basic: auth == "basic", NTLM: auth == "sealed", AllowUnencrypted: auth == "basic"})
			params := winrm.NewParameters("PT10S", "en-US", 153600)
			user := "ops"
			if auth == "sealed" {
				user = `CORP\ops`
				params.TransportDecorator = func() winrm.Transporter {
					e, err := winrm.NewEncryption("ntlm")
					if err != nil {
						t.Fatal(err)
					}
					return e
				}
			}
			client, err := winrm.NewClientWithParameters(endpoint(t, s), user, "s3cret", params)
			if err != nil {
				t.Fatal(err)
			}
			for line, want := range map[string]string{"say äöü & <b>": "äöü & <b>||0", "complain no": "|no|0", "exit 1060": "||1060"} {
				out, errOut, code, err := client.RunCmdWithContext(t.Context(), line)
				if got := fmt.Sprintf("%s|%s|%d", out, errOut, code); err != nil || got != want {
					t.Errorf("%s: %q, %v; want %q", line, got, err, want)
				}
			}
			for _, r := range s.Requests() {
				if r.Action != "" && r.Sealed != (auth == "sealed") {
					t.Errorf("%+v", r)
				}
			}
			if n := s.Shells(); n != 0 {
				t.Errorf("%d shells left", n)
			}
		})
	}
}
