package moduletest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// api is a host that speaks HTTPS, and knows nothing but the answers of a case. No byte leaves the process.
type api struct {
	h     *host
	login string // "rest": only a key; "soap": only user and password; "both"

	mu       sync.Mutex // of the maps and lists, here and of h.done: a module may ask for several things at a time
	sessions map[string]*session
	closes   []func(context.Context) error
}

func (a *api) Identity() string { return "none" }
func (a *api) Close() error     { return nil }
func (a *api) Kind() string     { return string(a.h.c.host) }
func (a *api) Tenant() string   { return "" }
func (a *api) Endpoint() *url.URL {
	return &url.URL{Scheme: "https", Host: "api.example:4119"}
}
func (a *api) HTTP() *http.Client { return &http.Client{Transport: a} }

func (a *api) Login() (string, engine.Secret) {
	if a.login == "rest" {
		return "", engine.Secret{}
	}
	return "api", engine.Plain("pw")
}

func (a *api) Key() engine.Secret {
	if a.login == "soap" {
		return engine.Secret{}
	}
	return engine.Plain("key")
}

// session is one that is there, or is being opened.
type session struct {
	mu    sync.Mutex
	value any // nil: none yet
}

func (a *api) Session(ctx context.Context, name string, open func(context.Context) (any, func(context.Context) error, error)) (any, error) {
	a.mu.Lock()
	x := a.sessions[name]
	if x == nil {
		x = &session{}
		a.sessions[name] = x
	}
	a.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.value != nil {
		return x.value, nil
	}
	s, end, err := open(ctx)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	x.value, a.closes = s, append(a.closes, end)
	return s, nil
}

func (a *api) Forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, name)
}

// end ends the sessions, as a connection does.
func (a *api) end(ctx context.Context) {
	for _, end := range a.closes {
		if err := end(ctx); err != nil {
			a.h.t.Errorf("end a session: %v", err)
		}
	}
}

// RoundTrip answers a request as the case says. What changes something must have been announced.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	line, operation := requestLine(r, body)
	if acts(r, operation) {
		if !slices.ContainsFunc(a.h.allowed, func(c string) bool { return announces(c, line) }) {
			a.h.t.Errorf("a request was made that Check did not announce: %s", line)
		}
		a.mu.Lock()
		a.h.done = append(a.h.done, line)
		a.mu.Unlock()
	}
	out, err := a.h.answer(r.Context(), engine.Command{Shell: line, AnyOK: true})
	if err != nil {
		return nil, err
	}
	code := out.Code
	if code == 0 {
		code = http.StatusOK
	}
	text := out.Stdout
	if operation != "" && code == http.StatusOK {
		text = "<Envelope><Body><" + operation + "Response>" + text + "</" + operation + "Response></Body></Envelope>"
	}
	return &http.Response{StatusCode: code, Status: fmt.Sprint(code, " ", http.StatusText(code)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// announces tells whether a command of a diff means a request. ID stands for a number that is not known before.
func announces(command, line string) bool {
	before, _, open := strings.Cut(command, "/ID (")
	return command == line || open && strings.HasPrefix(line, before+"/")
}

// acts tells whether a request changes something.
func acts(r *http.Request, operation string) bool {
	switch {
	case operation != "":
		return operation != "authenticate" && operation != "endSession" && !strings.HasPrefix(operation, "get") &&
			!strings.HasSuffix(operation, "Get") && !strings.HasSuffix(operation, "Retrieve") && operation != "hostGetStatus" && operation != "hostJobProgress"
	case r.Method == http.MethodGet, strings.HasSuffix(r.URL.Path, "/search"):
		return false
	}
	return true
}

// requestLine is a request as a case file writes it: "POST /api/x {…}", or the SOAP operation with its arguments but for the
// session and the password. The range of a time filter is told from now.
func requestLine(r *http.Request, body []byte) (line, operation string) {
	if r.Header.Get("SOAPAction") == "" {
		return strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body)), ""
	}
	var envelope struct {
		Body struct {
			Inner xmlNode `xml:",any"`
		} `xml:"Body"`
	}
	if err := xml.NewDecoder(bytes.NewReader(body)).Decode(&envelope); err != nil {
		return "SOAP that cannot be read", "unknown"
	}
	call := envelope.Body.Inner
	return stamp.ReplaceAllStringFunc(call.String(), func(text string) string {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return text
		}
		return fmt.Sprintf("now%+d", int(time.Until(t).Round(time.Second).Seconds())) + "s"
	}), call.XMLName.Local
}

var stamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)

type xmlNode struct {
	XMLName  xml.Name
	Children []xmlNode `xml:",any"`
	Text     string    `xml:",chardata"`
}

func (n xmlNode) String() string {
	parts := []string{n.XMLName.Local}
	for _, c := range n.Children {
		switch name := c.XMLName.Local; {
		case name == "sID" || name == "password":
		case len(c.Children) > 0:
			parts = append(parts, name+"={"+strings.TrimPrefix(c.String(), name+" ")+"}")
		default:
			parts = append(parts, name+"="+c.Text)
		}
	}
	return strings.Join(parts, " ")
}
