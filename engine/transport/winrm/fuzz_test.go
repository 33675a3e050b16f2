package winrm

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/bodgit/ntlmssp"
)

// clear is a session that seals nothing.
type clear struct{}

func (clear) Wrap(b []byte) (sealed, signature []byte, err error) { return b, make([]byte, 16), nil }
func (clear) Unwrap(b, _ []byte) ([]byte, error)                  { return b, nil }

// FuzzHost: what a host answers never ends the program.
func FuzzHost(f *testing.F) {
	f.Add([]byte("HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate YWJj, Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><a:Action xmlns:a="x">y</a:Action></s:Header><s:Body><s:Fault><s:Code><s:Subcode><s:Value>w:TimedOut</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>`))
	f.Add([]byte(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:r="r"><s:Body><r:ReceiveResponse><r:Stream Name="stdout">eA==</r:Stream><r:CommandState State="x/CommandState/Done"><r:ExitCode>0</r:ExitCode></r:CommandState></r:ReceiveResponse></s:Body></s:Envelope>`))
	f.Add([]byte("NTLMSSP\x00\x02\x00\x00\x00\x00\x00\x00\x00\x38\x00\x00\x00\x35\x82\x89\xe2\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x04\x00\x38\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x00\x00"))
	if sealed, err := seal(clear{}, spnegoEncrypted, []byte("x")); err == nil {
		f.Add(sealed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parse(b, http.StatusOK); err == nil {
			_ = a.shell()
			if news := a.Received; news != nil {
				_ = news.done()
				_, _ = news.exitCode()
				for _, s := range news.Streams {
					_, _ = s.bytes()
				}
			}
		} else if fault := (*Fault)(nil); errors.As(err, &fault) && len(fault.Error()) > 20_000 {
			t.Errorf("a reason of %d bytes", len(fault.Error()))
		}
		_, _ = unseal(clear{}, b)
		if r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil); err == nil {
			_ = r.Body.Close()
			_ = offersOf(r.Header).String()
			_, _ = tokenOf(r.Header, negotiate)
		}
		if checkChallenge(b, true) != nil {
			return
		}
		client, err := ntlmssp.NewClient(ntlmssp.SetUserInfo("ops", "s3cret"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = client.Authenticate(nil, nil); err != nil {
			t.Fatal(err)
		}
		token, err := client.Authenticate(b, nil)
		if err == nil && bytes.Contains(token, []byte("s3cret")) {
			t.Error("the password is in the answer")
		}
	})
}
