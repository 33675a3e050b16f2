package winrm

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	plainType = "application/soap+xml;charset=UTF-8"
	// maxAnswer is far above any envelope; more than that is not WinRM.
	maxAnswer = 16 << 20
	// maxHead is what everything before the body may have, which net/http reads without a limit.
	maxHead = 1 << 20
)

var errEndless = errors.New("the answer has no end")

// bounded gives no more bytes of a connection than left.
type bounded struct {
	from io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errEndless
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// link is one TCP connection with one request on it at a time. NTLM logs a connection in, not a request, so that
// net/http's pool, which mixes connections and repeats requests by itself, is of no use here. Nor is a proxy.
type link struct {
	dialer      *dialer
	conn        net.Conn
	reader      *bufio.Reader
	bound       *bounded          // beneath the reader
	certificate *x509.Certificate // nil over http
	user        string            // who is logged in
	service     string            // the Kerberos name that the host has proved to have; "" when it has not
	scheme      string            // under which Kerberos was taken
	session     session           // not nil: every message is sealed
	sealedAs    string            // the protocol of the sealing, as MIME type
	used        time.Time
	broken      bool          // what came last on it is not known; it must not be used again
	clock       time.Time     // of the host, in its first answer
	offered     []string      // ways to log in, in its last refusal
	resting     chan struct{} // closed when the watch of an idle link has ended
}

// rest watches a link that nobody uses, so that wake can tell whether the host has closed it.
func (l *link) rest() {
	resting := make(chan struct{})
	l.resting = resting
	go func() {
		defer close(resting)
		if _, err := l.reader.Peek(1); !timedOut(err) {
			l.broken = true // closed, or something that nobody asked for
		}
	}()
}

// settled is how long a link rests before wake looks twice.
const settled = 100 * time.Millisecond

// wake ends the rest; true: the link may be used. A link that has rested for some time gets a moment in which the
// news that the host has closed it is heard: a command that was sent on it would otherwise count as lost.
func (l *link) wake() bool {
	deadline := time.Unix(1, 0)
	if time.Since(l.used) > settled {
		deadline = time.Now().Add(time.Millisecond)
	}
	_ = l.conn.SetReadDeadline(deadline)
	<-l.resting
	return !l.broken && time.Since(l.used) < fresh && l.conn.SetReadDeadline(time.Time{}) == nil
}

// httpReply is an answer of HTTP, wholly read.
type httpReply struct {
	status int
	header http.Header
	body   []byte
}

// post sends a SOAP message and returns what HTTP answered, opened where the link is sealed. A host may forget a login by
// Kerberos, or never have kept it: its 401 says that nothing was asked, and one proves oneself anew, once.
func (l *link) post(ctx context.Context, envelope []byte) (*httpReply, error) {
	proved := l.dialer.proofs.Load()
	r, err := l.send(ctx, envelope, proved)
	if err == nil && (r.status == http.StatusOK || r.status == http.StatusInternalServerError) && l.dialer.taken.CompareAndSwap(false, true) {
		l.dialer.refusals.took(l.dialer)
	}
	if err != nil || r.status != http.StatusUnauthorized || l.dialer.settings.Auth != "kerberos" || proved {
		return r, err
	}
	if err := l.loginAgain(ctx); err != nil {
		return nil, err
	}
	return l.send(ctx, envelope, l.dialer.proofs.Load())
}

func (l *link) send(ctx context.Context, envelope []byte, proved bool) (*httpReply, error) {
	contentType := plainType
	if l.session != nil {
		var err error
		if envelope, err = seal(l.session, l.sealedAs, envelope); err != nil {
			return nil, err
		}
		contentType = sealedType(l.sealedAs)
	}
	header := http.Header{"Content-Type": {contentType}}
	if a := l.dialer.authorization(); a != "" {
		header.Set("Authorization", a)
	}
	if proved {
		return l.sendProved(ctx, header, envelope)
	}
	r, err := l.roundTrip(ctx, header, envelope)
	if err != nil || l.session == nil {
		return r, err
	}
	return r, l.unseal(r)
}

// unseal opens a sealed body. One that is not sealed is thrown away, whatever it says: anybody could have written it.
func (l *link) unseal(r *httpReply) error {
	if !strings.HasPrefix(strings.ToLower(r.header.Get("Content-Type")), "multipart/encrypted") {
		r.body = nil
		return nil
	}
	plain, err := unseal(l.session, r.body)
	if err != nil {
		l.broken = true
		return &lost{msg: "the answer cannot be decrypted", hint: "was it changed on its way? https protects, too", answered: true, err: err}
	}
	r.body = plain
	return nil
}

// roundTrip sends one HTTP request and reads the whole answer. The end of ctx breaks the link. Its errors are *lost.
func (l *link) roundTrip(ctx context.Context, header http.Header, body []byte) (*httpReply, error) {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	r, err := l.exchange(ctx, header, body)
	if !stop() || err != nil {
		l.broken = true
	}
	l.used = time.Now()
	if err == nil {
		return r, nil
	}
	if timedOut(err) {
		return nil, &lost{msg: "no answer", hint: "the host went silent: is it down, asleep or cut off?", silent: true}
	}
	return nil, &lost{msg: "the connection broke", hint: "did the host restart, or its WinRM service?", err: err}
}

func (l *link) exchange(ctx context.Context, header http.Header, body []byte) (*httpReply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.dialer.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "dsplay")
	l.bound.left = maxHead
	if err := request.Write(l.conn); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(l.reader, request)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(l.reader, request)
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	l.note(response)
	l.bound.left = maxAnswer + maxHead
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(data) > maxAnswer:
		return nil, errEndless
	}
	if response.Close {
		l.broken = true
	}
	return &httpReply{status: response.StatusCode, header: response.Header, body: data}, nil
}
