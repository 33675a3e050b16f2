package dialer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// maxHead is more than any proxy says before its tunnel begins.
const maxHead = 64 << 10

var errNoEnd = errors.New("the head of its answer has no end")

// connect asks an HTTP proxy for a tunnel to address (RFC 9110, section 9.3.6).
func (p *proxy) connect(conn net.Conn, address string) *Error {
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: dsplay\r\n"
	if p.user != "" {
		request += "Proxy-Authorization: " + p.basic() + "\r\n"
	}
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		return p.failed(ProxyTalk, address, "", err)
	}
	head, err := readHead(conn)
	switch {
	case err != nil && !bytes.HasPrefix(head, []byte("HTTP/")) && len(head) > 0, errors.Is(err, errNoEnd):
		return p.failed(ProxyTalk, address, "what listens there does not speak HTTP", nil)
	case err != nil && len(head) > 0:
		return p.failed(ProxyTalk, address, "", err)
	case err != nil: // not a word: it may still be trying, so nobody knows whose fault it is
		return p.failed(Behind, address, "", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), &http.Request{Method: http.MethodConnect})
	if err != nil { // its text may repeat what was received
		return p.failed(ProxyTalk, address, "what listens there does not speak HTTP", nil)
	}
	_ = response.Body.Close() // there is none: only the head was read
	if response.StatusCode/100 == 2 {
		return nil
	}
	return p.refusal(response, address)
}

// readHead reads up to the empty line and not a byte more: what follows is the host's, and an SSH server speaks first.
func readHead(conn net.Conn) ([]byte, error) {
	var head []byte
	one := make([]byte, 1)
	for len(head) < maxHead {
		if n, err := conn.Read(one); n == 0 && err != nil {
			return head, err
		}
		head = append(head, one[0])
		if bytes.HasSuffix(head, []byte("\r\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n")) {
			return head, nil
		}
		if len(head) == 5 && string(head) != "HTTP/" {
			return head, errNoEnd
		}
	}
	return head, errNoEnd
}

// refusal explains a status that is not 2xx. Squid says more in X-Squid-Error.
func (p *proxy) refusal(r *http.Response, address string) *Error {
	squid, _, _ := strings.Cut(r.Header.Get("X-Squid-Error"), " ")
	status := fmt.Sprintf("(%d)", r.StatusCode)
	e := p.failed(Behind, address, "", nil)
	switch {
	case r.StatusCode == http.StatusProxyAuthRequired:
		return p.unauthorised(r, address)
	case squid == "ERR_DNS_FAIL":
		e.Msg, e.kind = "the name is unknown there "+status, engine.KindDNS
	case r.StatusCode == http.StatusForbidden, r.StatusCode == http.StatusUnavailableForLegalReasons:
		e.Msg, e.Err = "its rules do not allow it "+status, errForbidden
	case r.StatusCode == http.StatusBadGateway, r.StatusCode == http.StatusServiceUnavailable:
		e.Msg = "it reaches nobody there " + status
	case r.StatusCode == http.StatusGatewayTimeout:
		e.Msg, e.kind = "no answer from there "+status, engine.KindTimeout
	case r.StatusCode == http.StatusBadRequest, r.StatusCode == http.StatusNotFound, r.StatusCode == http.StatusMethodNotAllowed, r.StatusCode == http.StatusNotImplemented:
		e.Leg, e.Msg = ProxyTalk, "it does not know CONNECT "+status+": is it a proxy at all?"
	case r.StatusCode/100 == 3:
		e.Leg, e.Msg = ProxyTalk, "it redirects instead of connecting "+status+": a login page, or no proxy"
	default:
		e.Msg, e.kind = "it answers with HTTP status "+fmt.Sprint(r.StatusCode), engine.KindProtocol
	}
	return e
}

func (p *proxy) unauthorised(r *http.Response, address string) *Error {
	var schemes []string
	for _, value := range r.Header.Values("Proxy-Authenticate") {
		if scheme, _, _ := strings.Cut(strings.TrimSpace(value), " "); scheme != "" && len(scheme) < 20 {
			schemes = append(schemes, scheme)
		}
	}
	offers := strings.Join(schemes, " and ")
	e := p.failed(ProxyAuth, address, "", nil)
	switch {
	case p.user == "":
		e.Msg = "the proxy wants a login (407)"
	case offers != "" && !strings.Contains(strings.ToLower(offers), "basic"):
		e.Msg = "the proxy does not take Basic, only " + offers + " (407)"
		e.Hint = "dsplay logs in to proxies by Basic only: let the proxy's owner allow it, or this machine without a login"
	default:
		e.Msg = "the proxy refuses the user " + p.user + " with this password (407)"
	}
	return e
}
