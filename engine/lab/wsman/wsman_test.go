package wsman_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/bodgit/ntlmssp"
	"github.com/dsplay/dsplay/engine/lab/wsman"
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

const sealedType = `multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"`

// client is one connection that logs in by hand, so that a test can spoil any byte.
type client struct {
	t    *testing.T
	url  string
	http http.Client
	ntlm *ntlmssp.Client
}

func dial(t *testing.T, s *wsman.Server, user, password string) *client {
	t.Helper()
	domain, name := "", user
	if before, after, found := strings.Cut(user, `\`); found {
		domain, name = before, after
	}
	ntlm, err := ntlmssp.NewClient(ntlmssp.SetUserInfo(name, password), ntlmssp.SetDomain(domain))
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, url: s.URL(), ntlm: ntlm, http: http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func (c *client) post(authorization, contentType string, body []byte) (*http.Response, []byte) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, answer
}

// login gives the status after the last leg; spoil may change it before it is sent.
func (c *client) login(spoil func([]byte)) int {
	c.t.Helper()
	token, err := c.ntlm.Authenticate(nil, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	response, _ := c.post("Negotiate "+base64.StdEncoding.EncodeToString(token), "", nil)
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(response.Header.Get("WWW-Authenticate"), "Negotiate "))
	if err != nil {
		c.t.Fatal(err)
	}
	if token, err = c.ntlm.Authenticate(challenge, nil); err != nil {
		c.t.Fatal(err)
	}
	if spoil != nil {
		spoil(token)
	}
	response, _ = c.post("Negotiate "+base64.StdEncoding.EncodeToString(token), "", nil)
	return response.StatusCode
}

func (c *client) seal(plain string) []byte {
	c.t.Helper()
	sealed, signature, err := c.ntlm.SecuritySession().Wrap([]byte(plain))
	if err != nil {
		c.t.Fatal(err)
	}
	body := fmt.Appendf(nil, "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"+
		"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n", len(plain))
	body = append(append(binary.LittleEndian.AppendUint32(body, 16), signature...), sealed...)
	return append(body, "--Encrypted Boundary--\r\n"...)
}

func message(action, shell, body string) string {
	const ns = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
	if action == "Create" || action == "Delete" {
		action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/" + action
	} else {
		action = ns + "/" + action
	}
	return `<Envelope><Header><Action>` + action + `</Action><ResourceURI>` + ns + `/cmd</ResourceURI><OperationTimeout>PT0.2S</OperationTimeout>` +
		`<SelectorSet><Selector Name="ShellId">` + shell + `</Selector></SelectorSet></Header><Body>` + body + `</Body></Envelope>`
}

func TestNTLM(t *testing.T) {
	s := listen(t, wsman.Options{NTLM: true, Users: map[string]string{"ops": "s3cret", `CORP\adm`: "pässwörd"}})
	for _, test := range []struct {
		user, password string
		spoil          func([]byte)
		want           int
	}{
		{"ops", "s3cret", nil, 200},
		{`ANY\OPS`, "s3cret", nil, 200},
		{"ops@corp.example", "s3cret", nil, 200},
		{`corp\adm`, "pässwörd", nil, 200},
		{`other\adm`, "pässwörd", nil, 401},
		{"ops", "S3cret", nil, 401},
		{"nobody", "s3cret", nil, 401},
		{"ops", "s3cret", func(b []byte) { b[80] ^= 1 }, 401},                                      // the MIC
		{"ops", "s3cret", func(b []byte) { b[62] ^= 0x20 }, 401},                                   // a flag, which the MIC covers
		{"ops", "s3cret", func(b []byte) { binary.LittleEndian.PutUint16(b[20:], 24) }, 401},       // NTLMv1's length
		{"ops", "s3cret", func(b []byte) { binary.LittleEndian.PutUint32(b[24:], 1<<31) }, 401},    // out of the message
		{"ops", "s3cret", func(b []byte) { b[binary.LittleEndian.Uint32(b[24:])+3] ^= 0x40 }, 401}, // the proof
	} {
		if got := dial(t, s, test.user, test.password).login(test.spoil); got != test.want {
			t.Errorf("%s %s: %d, want %d", test.user, test.password, got, test.want)
		}
	}
}

// A login is a connection's; a message is accepted once, in its order, unchanged, and never in clear.
func TestSealing(t *testing.T) {
	s := listen(t, wsman.Options{NTLM: true})
	other := dial(t, s, "ops", "s3cret")
	if r, _ := other.post("", sealedType, []byte("x")); r.StatusCode != 401 {
		t.Errorf("a connection that is not logged in: %d", r.StatusCode)
	}
	c := dial(t, s, "ops", "s3cret")
	c.login(nil)
	first := c.seal(message("Create", "", ""))
	if r, _ := c.post("", sealedType, first); r.StatusCode != 200 || r.Header.Get("Content-Type") != sealedType {
		t.Errorf("%d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
	if r, _ := c.post("", sealedType, first); r.StatusCode != 400 {
		t.Errorf("a repeated message: %d", r.StatusCode)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"a changed byte": func(b []byte) []byte { b[len(b)-60] ^= 1; return b },
		"a shorter one":  func(b []byte) []byte { return b[:len(b)-40] },
		"none":           func([]byte) []byte { return []byte("--Encrypted Boundary--") },
	} {
		c := dial(t, s, "ops", "s3cret")
		c.login(nil)
		if r, _ := c.post("", sealedType, spoil(c.seal(message("Create", "", "")))); r.StatusCode != 400 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	c = dial(t, s, "ops", "s3cret")
	c.login(nil)
	if r, _ := c.post("", "application/soap+xml", []byte(message("Create", "", ""))); r.StatusCode != 500 || s.Shells() != 1 {
		t.Errorf("in clear: %d, %d shells", r.StatusCode, s.Shells())
	}
}

// What belongs to a user, and what a host refuses.
func TestFaults(t *testing.T) {
	s := listen(t, wsman.Options{Basic: true, AllowUnencrypted: true, ShellQuota: 2, MaxEnvelope: 4000, Users: map[string]string{"ops": "a", "eve": "b"}})
	ask := func(user, body string) (int, string) {
		c := dial(t, s, "", "")
		r, answer := c.post("Basic "+base64.StdEncoding.EncodeToString([]byte(user)), "application/soap+xml", []byte(body))
		return r.StatusCode, string(answer)
	}
	wants := func(what string, code int, user, body string) string {
		t.Helper()
		status, answer := ask(user, body)
		if code == 0 && status != 200 || code != 0 && (status != 500 || !strings.Contains(answer, fmt.Sprintf(`Code="%d"`, code))) {
			t.Errorf("%s: %d %s", what, status, answer)
		}
		return answer
	}
	between := func(text, from, to string) string {
		_, text, _ = strings.Cut(text, from)
		text, _, _ = strings.Cut(text, to)
		return text
	}
	shell := between(wants("first", 0, "ops:a", message("Create", "", "")), "<rsp:ShellId>", "<")
	wants("second", 0, "ops:a", message("Create", "", ""))
	wants("third", 2150859173, "ops:a", message("Create", "", ""))
	wants("another user's", 0, "eve:b", message("Create", "", ""))
	wants("a foreign shell", 5, "eve:b", message("Delete", shell, ""))
	wants("no shell", 2150858843, "ops:a", message("Delete", "nonsense", ""))
	wants("no command", 2150858752, "ops:a", message("Receive", shell, `<Receive><DesiredStream CommandId="x">stdout</DesiredStream></Receive>`))
	wants("too large", 2150858776, "ops:a", message("Create", "", strings.Repeat("<a/>", 1000)))
	wants("not SOAP", 2150858817, "ops:a", "<Envelope>")
	wants("no such action", 2150858754, "ops:a", message("Connect", shell, ""))

	run := func(line string) string {
		answer := wants(line, 0, "ops:a", message("Command", shell, `<CommandLine><Command>`+line+`</Command></CommandLine>`))
		return between(answer, "<rsp:CommandId>", "<")
	}
	receive := func(id string) string {
		return message("Receive", shell, `<Receive><DesiredStream CommandId="`+id+`">stdout stderr</DesiredStream></Receive>`)
	}
	wants("nothing yet", 2150858793, "ops:a", receive(run("wait")))
	long := run("say " + strings.Repeat("x", 3000))
	for _, last := range []bool{false, false, true} { // what is larger than an envelope comes in parts
		if answer := wants("a part", 0, "ops:a", receive(long)); len(answer) > 4000 || strings.Contains(answer, "CommandState/Done") != last {
			t.Errorf("%d bytes: %s", len(answer), answer)
		}
	}
	wants("deleted", 0, "ops:a", message("Delete", shell, ""))
	wants("gone", 2150858843, "ops:a", receive(long))
	s.Reset()
	if n := s.Shells(); n != 0 {
		t.Errorf("%d shells after a reset", n)
	}
	for i := range 26 {
		if i == 0 {
			shell = between(wants("again", 0, "ops:a", message("Create", "", "")), "<rsp:ShellId>", "<")
		}
		if i < 25 {
			run("wait")
		}
	}
	wants("a 26th process", 2150859172, "ops:a", message("Command", shell, `<CommandLine><Command>say</Command></CommandLine>`))
	if status, _ := ask("ops:wrong", message("Create", "", "")); status != 401 {
		t.Error(status)
	}
}
