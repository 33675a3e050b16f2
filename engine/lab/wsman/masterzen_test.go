package wsman_test

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/masterzen/winrm"
)

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
