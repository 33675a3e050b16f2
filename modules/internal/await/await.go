// Package await knows how to wait for something on a host that may be out of reach meanwhile: a service that
// starts, an installer that takes the network away, a host that boots.
package await

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// oneLook is how long one look may take: a connection that died silently must not eat the whole wait.
const oneLook = time.Minute

// refusals is how many rejected logins end the wait. A guest that boots rejects domain accounts until its
// directory answers, so one is no answer; but each one counts towards a lockout of the account.
const refusals = 3

// Until looks, every so often, until look says done, for at most within.
//
// An error that says only that the host does not answer now is no evidence and does not end the wait; any other
// error does, and so does a host that shows another identity. The error of a wait in vain is an *engine.Error of
// KindTimeout around the last one of look.
func Until(ctx context.Context, within, every time.Duration, look func(context.Context) (done bool, err error)) error {
	return until(ctx, within, every, every, look)
}

// Soon is Until for what may be over at once or last for long: it looks after first, then after twice as long each time, at
// last every so often. A rejected login must not count for anything there, as looks follow each other quickly.
func Soon(ctx context.Context, within, first, every time.Duration, look func(context.Context) (done bool, err error)) error {
	return until(ctx, within, first, every, look)
}

func until(ctx context.Context, within, pause, every time.Duration, look func(context.Context) (done bool, err error)) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var last error
	for refused := 0; ; pause = min(2*pause, every) {
		done, err := once(limited, look)
		switch {
		case err == nil && done:
			return nil
		case ctx.Err() != nil:
			return errors.Join(context.Cause(ctx), err)
		case limited.Err() != nil:
			return inVain(within, last)
		case err != nil && !Away(err):
			return err
		case engine.KindOf(err) == engine.KindAuth:
			if refused++; refused == refusals {
				return err
			}
		}
		last = err
		if engine.Wait(limited, pause) != nil && ctx.Err() == nil {
			return inVain(within, last)
		}
	}
}

func once(ctx context.Context, look func(context.Context) (bool, error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	return look(ctx)
}

// Away tells whether err says no more than that the host cannot be asked at the moment.
func Away(err error) bool {
	switch engine.KindOf(err) {
	case engine.KindHostKey, engine.KindTLS: // somebody else answers under its name
		return false
	case engine.KindDNS, engine.KindRefused, engine.KindTimeout, engine.KindLost:
		return true
	}
	return engine.IsUnreachable(err) || errors.Is(err, context.DeadlineExceeded)
}

func inVain(within time.Duration, last error) error {
	e := &engine.Error{Kind: engine.KindTimeout, Msg: fmt.Sprintf("not within %s", within)}
	if last != nil {
		e.Msg, e.Err = e.Msg+", and the host does not answer", last
	}
	return e
}
