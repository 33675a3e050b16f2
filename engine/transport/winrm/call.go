package winrm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// askFor sends one message, which the host may hold for so long, and waits for its answer, for that time and a margin. Its error is
//   - *Fault: the host understood and refused,
//   - *engine.Error or unsent: nothing was asked, or it did not reach the service,
//   - *lost: it was sent and its fate is unknown,
//   - or what ctx says, when it ended after that.
func (c *conn) askFor(ctx context.Context, m message, hold time.Duration) (*answer, error) {
	l, err := c.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	defer c.pool.put(l)
	limited, cancel := context.WithTimeout(ctx, patienceFor(hold))
	defer cancel()
	r, err := l.post(limited, m.envelope(c.pool.dialer.url, hold, c.limits.size()))
	if err != nil {
		if ctx.Err() != nil {
			err = why(ctx)
		}
		return nil, err
	}
	if r.status == http.StatusRequestEntityTooLarge {
		l.broken = true // the host did not decrypt it: both ends count messages
	}
	return c.read(r)
}

// read makes sense of an answer. A status that says that the request did not reach the service is an *engine.Error.
func (c *conn) read(r *httpReply) (*answer, error) {
	if len(r.body) > 0 && (r.status == http.StatusOK || r.status == http.StatusInternalServerError) {
		a, err := parse(r.body, r.status)
		var f *Fault
		if err != nil && !errors.As(err, &f) {
			return nil, &lost{msg: "the host answered with something else than SOAP", hint: "check port; another web server may listen there", answered: true, err: err}
		}
		return a, err
	}
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable:
		e := c.pool.dialer.statusError(r)
		if r.status == http.StatusUnauthorized {
			c.pool.deny(e)
		}
		return nil, e
	case http.StatusRequestEntityTooLarge:
		return nil, c.oversized()
	case http.StatusOK:
		return nil, &lost{msg: "the host answered with an empty message", hint: "restart the WinRM service on the host if it stays so", answered: true}
	}
	return nil, &lost{msg: fmt.Sprintf("the host answered with HTTP status %d and no message", r.status), hint: c.pool.dialer.hint(r.status), answered: true}
}

// ask is askFor operation_timeout.
func (c *conn) ask(ctx context.Context, m message) (*answer, error) {
	return c.askFor(ctx, m, c.operation)
}

// inputHold is how long the host may hold a part of stdin: until the process has read enough to make room for it, which
// may first have other things to do. Whether the host still lives is seen meanwhile by what asks it for news. Windows
// lets nothing wait for longer than MaxTimeoutms, one minute unless it was changed.
func inputHold(operation time.Duration) time.Duration {
	return max(operation, min(10*operation, time.Minute))
}

// patienceFor adds to the time in which the host is to answer what the way there and back may take.
func patienceFor(operation time.Duration) time.Duration {
	return operation + min(max(operation/2, time.Second), 10*time.Second)
}
