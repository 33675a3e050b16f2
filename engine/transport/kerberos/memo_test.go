package kerberos

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

func until(end time.Time) *ticket { return &ticket{start: end.Add(-time.Hour), end: end} }

// Who wants a ticket that is on its way waits for it; all share what comes of it.
func TestMemoShares(t *testing.T) {
	for _, failure := range []error{nil, &Failure{Kind: engine.KindRefused, Msg: "no"}} {
		var m memo
		var made atomic.Int32
		release, waiting := make(chan struct{}), make(chan struct{})
		var wait sync.WaitGroup
		var once sync.Once // who comes after a failure tries again
		for range 10 {
			wait.Go(func() {
				k, err := m.get(t.Context(), "x", time.Now, func(context.Context) (*ticket, error) {
					made.Add(1)
					once.Do(func() { close(waiting) })
					<-release
					return until(time.Now().Add(time.Hour)), failure
				})
				if !errors.Is(err, failure) || failure == nil && k == nil {
					t.Error(k, err)
				}
			})
		}
		<-waiting
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := m.get(ctx, "x", time.Now, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(release)
		wait.Wait()
		if n := made.Load(); n < 1 || failure == nil && n != 1 {
			t.Errorf("made %d times", n)
		}
	}
}

// What the KDC refuses stays refused; what passes is tried again, and so is what ran out or was given up.
func TestMemoTriesAgain(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	for _, test := range []struct {
		name   string
		ticket *ticket
		err    error
		later  time.Duration
		again  bool
	}{
		{"good", until(now.Add(time.Hour)), nil, 0, false},
		{"runs out", until(now.Add(time.Hour)), nil, 59 * time.Minute, true},
		{"wrong password", nil, &Failure{Kind: engine.KindAuth, code: 24}, time.Hour, false},
		{"skew", nil, &Failure{Kind: engine.KindAuth, code: 37}, 0, true},
		{"cache ran out", nil, &Failure{Kind: engine.KindAuth, code: expiredTicket}, 0, true},
		{"no KDC", nil, &Failure{Kind: engine.KindTimeout}, 0, true},
	} {
		var m memo
		made := 0
		obtain := func(context.Context) (*ticket, error) { made++; return test.ticket, test.err }
		now = time.Now()
		for range 2 {
			_, _ = m.get(t.Context(), "x", clock, obtain)
			now = now.Add(test.later)
		}
		if (made == 2) != test.again {
			t.Errorf("%s: made %d times", test.name, made)
		}
	}
	var m memo
	ctx, cancel := context.WithCancel(t.Context())
	_, err := m.get(ctx, "x", clock, func(context.Context) (*ticket, error) { cancel(); return nil, ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := m.get(t.Context(), "x", clock, func(context.Context) (*ticket, error) { return until(now.Add(time.Hour)), nil }); err != nil {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{"dc1": "dc1:88", "dc1:750": "dc1:750", "tcp/dc1": "dc1:88", "udp/dc1:88": "dc1:88", "2001:db8::1": "[2001:db8::1]:88", "[2001:db8::1]:88": "[2001:db8::1]:88", "https://dc1/KdcProxy": "", "": ""} {
		if got, _ := kdcAddress(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, addresses := range [][]string{{"guest1.corp.example"}, {"192.0.2.1", "guest1.corp.example."}, {"", "guest1.corp.example"}} {
		if names, err := HostNames(addresses...); err != nil || names[0] != "HTTP/guest1.corp.example" || names[1] != "WSMAN/guest1.corp.example" {
			t.Errorf("%v: %v, %v", addresses, names, err)
		}
	}
	if _, err := HostNames("192.0.2.1", "2001:db8::1"); err == nil {
		t.Error("an address became a name")
	}
}

// FuzzFinish: what a host answers may be anything.
func FuzzFinish(f *testing.F) {
	for _, seed := range []string{"", "\x60\x06", "\xa1\x03\x30\x01\x00", "\x60\x0d\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x02\x00", "\x60\x0d\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		c := &Context{service: &Service{Name: "HTTP/x", now: time.Now, ticket: &ticket{}}, made: time.Now()}
		if c.Finish(token) == nil {
			t.Error("a proof without a key")
		}
		_ = c.Refused(token).Error()
	})
}
