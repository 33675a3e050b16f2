package await_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
)

// answers gives one error after the other; the last one stays. A nil error is "done".
func answers(calls *int, errs ...error) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		err := errs[min(*calls, len(errs)-1)]
		*calls++
		return err == nil, err
	}
}

func kind(k engine.ErrorKind) error { return &engine.Error{Kind: k, Unreachable: true} }

func TestUntil(t *testing.T) {
	for name, test := range map[string]struct {
		errs  []error
		want  engine.ErrorKind
		calls int
	}{
		"at once":                 {[]error{nil}, "", 1},
		"away, then there":        {[]error{kind(engine.KindLost), kind(engine.KindRefused), kind(engine.KindDNS), nil}, "", 4},
		"never there":             {[]error{kind(engine.KindRefused)}, engine.KindTimeout, 12},
		"another host key":        {[]error{kind(engine.KindLost), kind(engine.KindHostKey)}, engine.KindHostKey, 2},
		"another certificate":     {[]error{kind(engine.KindTLS)}, engine.KindTLS, 1},
		"a login that is refused": {[]error{kind(engine.KindAuth)}, engine.KindAuth, 3},
		"refused once":            {[]error{kind(engine.KindAuth), kind(engine.KindAuth), nil}, "", 3},
		"a failure of its own":    {[]error{errors.New("x")}, engine.KindModule, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := await.Until(t.Context(), 58*time.Second, 5*time.Second, answers(&calls, test.errs...))
				if engine.KindOf(err) != test.want || calls != test.calls {
					t.Errorf("%v after %d looks, want kind %q after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}
}

// TestSoon: the first looks follow each other quickly, the later ones as those of Until.
func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks []time.Duration
		begin := time.Now()
		err := await.Soon(t.Context(), 11*time.Second, 500*time.Millisecond, 4*time.Second, func(context.Context) (bool, error) {
			looks = append(looks, time.Since(begin))
			return false, nil
		})
		want := []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond}
		if engine.KindOf(err) != engine.KindTimeout || !slices.Equal(looks, want) {
			t.Errorf("%v, looks at %v, want %v", err, looks, want)
		}
	})
}

// TestUntilHangingLook: a look that never ends is ended, and the next one gets its turn.
func TestUntilHangingLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := await.Until(t.Context(), 10*time.Minute, time.Second, func(ctx context.Context) (bool, error) {
			if looks++; looks > 2 {
				return true, nil
			}
			<-ctx.Done()
			return false, ctx.Err()
		})
		if err != nil || looks != 3 {
			t.Errorf("%v after %d looks", err, looks)
		}
	})
}

// TestUntilCancelled: the caller's end is the caller's error, not a wait in vain.
func TestUntilCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		err := await.Until(ctx, time.Minute, time.Second, func(context.Context) (bool, error) { return false, nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	})
}
