package https

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const (
	tries       = 5                // executions of one repeatable request, the first included
	longestWait = 30 * time.Second // whatever Retry-After says
	drainLimit  = 100 * time.Millisecond
	mostAnswer  = 256 << 20 // bytes of an answer; no API has so much to say, and who reads it would run out of memory
)

// caller puts a deadline on each request and its answer and a limit on the answer's size, repeats what may be repeated while
// the host is busy (429, 503), and makes every failure an *engine.Error. A status of the host is no failure here.
//
// Repeatable are GET and HEAD, and requests that say so the way net/http understands: a header Idempotency-Key,
// which is not sent when it is empty. Clients use it for POSTs that only ask.
type caller struct {
	host  string
	next  http.RoundTripper
	limit time.Duration
	most  int64         // bytes of an answer
	pause time.Duration // before the second try; it doubles

	observer *observer
}

func (c *caller) RoundTrip(req *http.Request) (*http.Response, error) {
	repeatable := isRepeatable(req)
	for try := 1; ; try++ {
		res, err := c.once(req, repeatable)
		if err != nil || !repeatable || try == tries || !isBusy(res) {
			return res, err
		}
		wait := c.wait(res, try)
		if end, ok := req.Context().Deadline(); ok && time.Until(end) < wait {
			return res, nil // waiting would only turn the host's answer into a timeout
		}
		drop(res)
		if err := engine.Wait(req.Context(), wait); err != nil {
			return nil, c.failure(req, err, false)
		}
		if req, err = again(req); err != nil {
			return nil, c.failure(req, err, false)
		}
	}
}

func (c *caller) once(req *http.Request, repeatable bool) (*http.Response, error) {
	c.observer.observe(req)
	ctx, cancel := context.WithTimeout(req.Context(), c.limit)
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	res, err := c.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, c.failure(req, err, sent.Load() && !repeatable)
	}
	res.Body = &body{ReadCloser: res.Body, left: c.most, cancel: cancel, fail: func(err error) error { return c.failure(req, err, !repeatable) }}
	return res, nil
}

// errTooLong is the cause when an answer is longer than what is read of one.
var errTooLong = errors.New("the answer is too long")

// failure explains err. acted says that the host may have done what was asked.
func (c *caller) failure(req *http.Request, err error, acted bool) error {
	var known *engine.Error
	if errors.As(err, &known) {
		return known // of the dialer
	}
	e := &engine.Error{Kind: engine.KindLost, Host: c.host, Op: req.Method + " " + req.URL.Path, Err: err, Unreachable: true}
	switch {
	case errors.Is(err, errTooLong):
		e.Msg, e.Err, e.Unreachable = fmt.Sprintf("the answer has more than %d MiB", c.most>>20), nil, false
		e.Hint = "no API answers so much: is it the host that is meant, and its kind right?"
	case errors.Is(err, context.Canceled):
		e.Msg = "stopped"
	case timedOut(err):
		e.Msg = "no complete answer in time"
		e.Hint = "the host is slow or hangs; request_timeout says how long to wait"
	default:
		e.Msg = "the connection broke"
	}
	switch {
	case errors.Is(err, errTooLong):
		e.Kind = engine.KindProtocol
	case !acted && e.Msg != "the connection broke":
		e.Kind = engine.KindTimeout
	}
	if acted {
		e.Hint = "whether the host did it is not known: look before repeating it"
	}
	return e
}

// body ends the request's deadline when the answer was read.
type body struct {
	io.ReadCloser
	left   int64 // bytes that may still come
	cancel context.CancelFunc
	fail   func(error) error
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, b.fail(errTooLong)
	}
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = b.fail(err)
	}
	return n, err
}

// Close reads what is left, if it is there and little: a decoder stops at the end of its document, and a connection whose
// answer was not read to its end is not used again. It costs drainLimit at most.
func (b *body) Close() error {
	late := time.AfterFunc(drainLimit, b.cancel)
	_, _ = io.CopyN(io.Discard, b.ReadCloser, 64<<10)
	late.Stop()
	defer b.cancel()
	return b.ReadCloser.Close()
}

func isRepeatable(req *http.Request) bool {
	_, marked := req.Header["Idempotency-Key"]
	return req.Method == http.MethodGet || req.Method == http.MethodHead || marked && (req.Body == nil || req.GetBody != nil)
}

func isBusy(res *http.Response) bool {
	return res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable
}

// wait is what the host asks for, else a pause that doubles; half of it is random, so that many runs do not come back together.
func (c *caller) wait(res *http.Response, try int) time.Duration {
	after := res.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	if at, err := http.ParseTime(after); err == nil {
		return min(max(time.Until(at), 0), longestWait)
	}
	pause := min(c.pause<<(try-1), longestWait)
	return pause/2 + rand.N(pause/2+1)
}

// drop reads what is left, so that the connection can be used again.
func drop(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
}

func again(req *http.Request) (*http.Request, error) {
	next := req.Clone(req.Context())
	if req.GetBody == nil {
		return next, nil
	}
	var err error
	next.Body, err = req.GetBody()
	return next, err
}
