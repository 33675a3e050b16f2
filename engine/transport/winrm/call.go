package winrm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ask sends one message and waits for its answer, for operation_timeout and a margin. Its error is
//   - *Fault: the host understood and refused,
//   - *engine.Error or unsent: nothing was asked, or it did not reach the service,
//   - *lost: it was sent and its fate is unknown,
//   - or what ctx says, when it ended after that.
func (c *conn) ask(ctx context.Context, m message) (*answer, error) {
	l, err := c.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	defer c.pool.put(l)
	limited, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	r, err := l.post(limited, m.envelope(c.pool.dialer.url, c.operation, c.limits.size()))
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

// patienceFor adds to the time in which the host is to answer what the way there and back may take.
func patienceFor(operation time.Duration) time.Duration {
	return operation + min(max(operation/2, time.Second), 10*time.Second)
}
