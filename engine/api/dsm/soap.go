package dsm

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// element is one element of a request: a text or children. Every one is written, empty or not: a DSM takes a
// missing number for an error.
type element struct {
	name, text string
	children   []element
}

func (e element) write(b *strings.Builder) {
	b.WriteString("<urn:" + e.name + ">")
	_ = xml.EscapeText(b, []byte(e.text)) // a Builder does not fail
	for _, c := range e.children {
		c.write(b)
	}
	b.WriteString("</urn:" + e.name + ">")
}

// node is one element of an answer, by its local name: the prefixes differ between versions.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

// child is the first child of this name; the zero node when there is none.
func (n node) child(name string) node {
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			return c
		}
	}
	return node{}
}

func (n node) text(name string) string { return strings.TrimSpace(n.child(name).Text) }

func (n node) all(name string) (found []node) {
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			found = append(found, c)
		}
	}
	return found
}

// soap speaks with one DSM. It notes the DSM's clock from every answer.
type soap struct {
	api engine.API

	mu     sync.Mutex
	header http.Header
	at     time.Time // when header came
}

// send executes one operation and returns its response element. asks says that it may be repeated.
func (s *soap) send(ctx context.Context, op string, asks bool, args ...element) (node, error) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:Manager"><soapenv:Header/><soapenv:Body>`)
	element{name: op, children: args}.write(&b)
	b.WriteString(`</soapenv:Body></soapenv:Envelope>`)
	u := s.api.Endpoint().JoinPath("webservice", "Manager")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(b.String()))
	if err != nil {
		return node{}, err
	}
	req.Header = http.Header{"Content-Type": {"text/xml;charset=UTF-8"}, "Soapaction": {`"` + op + `"`}}
	if asks {
		req.Header["Idempotency-Key"] = nil // see transport/https; not sent
	}
	res, err := s.api.HTTP().Do(req)
	if err != nil {
		return node{}, plain(err)
	}
	defer res.Body.Close()
	s.note(res.Header)
	return s.read(op, res)
}

func (s *soap) note(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header, s.at = h, time.Now()
}

func (s *soap) skew() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return skew(s.header, s.at)
}

func (s *soap) read(op string, res *http.Response) (node, error) {
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusInternalServerError {
		return node{}, httpError(op, res.StatusCode, res.Status)
	}
	var envelope struct {
		Body node `xml:"Body"`
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return node{}, err
	}
	if err := xml.NewDecoder(bytes.NewReader(text)).Decode(&envelope); err != nil {
		return node{}, &engine.Error{Kind: engine.KindProtocol, Op: op, Msg: "the answer of the DSM (" + res.Status + ") is no SOAP", Err: err}
	}
	if f := envelope.Body.child("Fault"); f.XMLName.Local != "" {
		return node{}, newFault(op, f)
	}
	answer := envelope.Body.child(op + "Response")
	if answer.XMLName.Local == "" {
		return node{}, &engine.Error{Kind: engine.KindProtocol, Op: op, Msg: "the DSM (" + res.Status + ") did not answer with " + op + "Response"}
	}
	return answer, nil
}

func httpError(op string, code int, status string) error {
	e := &engine.Error{Kind: engine.KindProtocol, Op: op, Msg: "the DSM answers " + status}
	switch code {
	case http.StatusForbidden, http.StatusNotFound:
		e.Hint = enableSOAP
	case http.StatusUnauthorized:
		e.Kind = engine.KindAuth
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		e.Kind, e.Hint = engine.KindModule, "the DSM is busy or starting"
	}
	return e
}

// fault is an exception of the DSM. It unwraps to the *engine.Error that explains it.
type fault struct {
	name string // local name of the detail: ManagerLockoutException
	err  *engine.Error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// isFault tells whether err is the DSM's exception of this name.
func isFault(err error, name string) bool {
	var f *fault
	return errors.As(err, &f) && f.name == name
}

func newFault(op string, f node) error {
	name := ""
	for _, c := range f.child("detail").Children {
		if strings.HasSuffix(c.XMLName.Local, "Exception") {
			name = c.XMLName.Local
		}
	}
	e := &engine.Error{Kind: engine.KindModule, Op: op, Msg: strings.TrimSpace(name + ": " + f.text("faultstring")), Hint: hints[name]}
	switch name {
	case "ManagerAuthenticationException", "ManagerAuthorizationException", "ManagerLockoutException", "ManagerSecurityException":
		e.Kind = engine.KindAuth
	}
	if name == "ManagerAuthenticationException" && !strings.HasPrefix(op, "authenticate") {
		e.Hint = "the session has expired; the password was not refused"
	}
	return &fault{name, e}
}

var hints = map[string]string{
	"ManagerAuthenticationException": "check user, password and tenant; they are not tried again, because a DSM locks accounts",
	"ManagerLockoutException":        "unlock the account on the DSM: dsm_c -action unlockout -username USER",
	"ManagerAuthorizationException":  `the user's role must have "Access to Web Service API" and may have to see all computers`,
	"ManagerMaxSessionsException": "the sessions of this user are used up, perhaps by runs that were killed: wait until they expire, " +
		"give dsplay a user of its own, or raise settings.security.activeSessionsAllowed",
}
