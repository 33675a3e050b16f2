// Package notify knows how the message about a run reaches people: by mail, by a webhook, by a command. It is bounded in
// time, never decides anything, and says what could not be told.
package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Types are the notifiers: type of the block → a fresh one with its defaults.
func Types() map[string]func() engine.Notifier {
	return map[string]func() engine.Notifier{
		"mail":    func() engine.Notifier { return &Mail{TLS: tlsStart, Auth: authAny} },
		"webhook": func() engine.Notifier { return &Webhook{} },
		"command": func() engine.Notifier { return &Command{} },
	}
}

// Outcome is what became of one message.
type Outcome struct {
	To   engine.Notification
	Err  error // nil: it was handed over
	Same bool  // it was not sent: the last one, not long ago, said the same
}

// Send hands a message to everybody who wants to hear of its occasions, all at once, each for as long as its block allows. The
// memory (nil: none) keeps from saying the same again. It returns in the order of the blocks.
func Send(ctx context.Context, to []engine.Notification, m engine.Message, memory *Memory) []Outcome {
	to = slices.DeleteFunc(slices.Clone(to), func(n engine.Notification) bool { return !m.Test && len(shared(n.On, m.Occasions)) == 0 })
	out := make([]Outcome, len(to))
	var wg sync.WaitGroup
	for i, n := range to {
		out[i].To = n
		mine := m
		if !m.Test {
			mine.Occasions = shared(m.Occasions, n.On)
		}
		if out[i].Same = memory.told(n, mine); out[i].Same {
			continue
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, n.Timeout)
			defer cancel()
			out[i].Err = late(ctx, n, n.Via.Notify(ctx, mine))
			if out[i].Err == nil {
				memory.note(n, mine)
			}
		})
	}
	wg.Wait()
	return out
}

// late says of an error that comes from the end of the time that this is so.
func late(ctx context.Context, n engine.Notification, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not within %s (%w); look at the way to it, or give timeout", n.Timeout.Round(time.Millisecond), err)
	}
	return err
}

// shared are the occasions of one list that stand in another, too.
func shared(in, other []engine.Occasion) []engine.Occasion {
	return slices.DeleteFunc(slices.Clone(in), func(o engine.Occasion) bool { return !slices.Contains(other, o) })
}

// trust is what certificates are verified with: the CAs of a file, or those of the machine.
func trust(ca, name string) (*tls.Config, error) {
	c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	if ca == "" {
		return c, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", ca)
	}
	return c, nil
}

// beside is where a file is that stands in a block as a relative path.
func beside(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
