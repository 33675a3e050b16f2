package wsman

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestEndIsNoAbort: a command ends between the look of who waits and his waiting. That is its end, and no abortion.
func TestEndIsNoAbort(t *testing.T) {
	for range 20 { // select picks by chance
		c := newCommand(t.Context())
		looked := false
		err := c.until(t.Context(), func() bool {
			if !looked {
				looked = true
				c.mu.Unlock() // as until itself does between looking and waiting
				c.run(func(context.Context, *Session) uint32 { return 7 }, "ops", "exit 7")
				c.mu.Lock()
				return false
			}
			return c.done
		})
		c.mu.Unlock()
		if err != nil {
			t.Fatalf("a command that has ended is %v", err)
		}
		if got, err := c.fetch(t.Context(), 1000); err != nil || !got.done || got.exit != 7 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}

// TestKillIsNoEnd: what a command ends with because it was killed is no exit code of its own.
func TestKillIsNoEnd(t *testing.T) {
	for range 20 {
		c := newCommand(t.Context())
		go c.run(func(ctx context.Context, _ *Session) uint32 { <-ctx.Done(); return 0 }, "ops", "wait")
		go c.kill()
		if got, err := c.fetch(t.Context(), 1000); !errors.Is(err, faultAborted) {
			t.Fatalf("%+v, %v", got, err)
		}
		<-c.ended
	}
}

// TestKilledIsAborted: who waits for a command that is killed, and does not end by that, hears so.
func TestKilledIsAborted(t *testing.T) {
	c := newCommand(t.Context())
	release := make(chan struct{})
	go c.run(func(context.Context, *Session) uint32 { <-release; return 0 }, "ops", "deaf")
	c.kill()
	if _, err := c.fetch(t.Context(), 1000); !errors.Is(err, faultAborted) {
		t.Errorf("%v", err)
	}
	if n, err := (stdin{c}).Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("it reads %d, %v", n, err)
	}
	close(release)
	<-c.ended
}
