package engine_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// The text is one line for a person: nothing is said twice, and nothing in the words of Go alone.
func TestErrorText(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, refused := (&net.Dialer{}).DialContext(t.Context(), "tcp", target)
	for _, c := range []struct {
		err  *engine.Error
		want string
	}{
		{&engine.Error{Op: "connect to " + target, Err: refused}, "connect to " + target + ": connection refused"},
		{&engine.Error{Op: "connect", Err: errors.Join(refused, errors.New("more"))}, "connect: " + refused.Error() + "\nmore"},
		{&engine.Error{Op: "run x", Msg: "stopped", Err: context.Canceled}, "run x: stopped"},
		{&engine.Error{Op: "run x", Err: context.Canceled}, "run x: context canceled"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
