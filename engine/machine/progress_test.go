//go:build unix

package machine_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// slow is a host that takes 64 kB a second of what is copied to it, and after so many bytes nothing more.
func slow(stops int) *host {
	return &host{says: root, run: func(ctx context.Context, p engine.Process) (int, error) {
		switch {
		case strings.HasPrefix(p.Line, "for c in"):
			_, _ = io.WriteString(p.Stdout, "dsplay:sha256sum\n")
			return 0, nil
		case p.Stdin == nil:
			return 0, nil
		}
		for taken := 0; ; {
			n, err := io.ReadFull(p.Stdin, make([]byte, 64<<10))
			if taken += n; taken >= stops {
				<-ctx.Done()
				return 0, &engine.Error{Kind: engine.KindTimeout, Host: "dsva1", Msg: "stopped", Err: ctx.Err(), Orphan: true}
			}
			if err != nil {
				return 0, nil //nolint:nilerr // the end of the content
			}
			if err := engine.Wait(ctx, time.Second); err != nil {
				return 0, err
			}
		}
	}}
}

// TestProgress: a long copy is told of every few seconds, a short one never; it has no deadline as long as something moves.
func TestProgress(t *testing.T) {
	for name, test := range map[string]struct {
		size int
		min  int
	}{"long": {20 << 20, 100}, "short": {100 << 10, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []engine.Progress
				h := on(slow(1<<30), machine.Options{Timeout: 5 * time.Second, Progress: func(p engine.Progress) { told = append(told, p) }})
				u := engine.Upload{Path: "/opt/app.msi", Content: engine.TextContent(engine.Plain(strings.Repeat("x", test.size))), Mode: "0644"}
				began := time.Now()
				if _, err := put(t, h, u); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); len(told) < test.min || float64(len(told)) > took.Seconds()/2 {
					t.Errorf("told %d times in %s", len(told), took)
				}
				if test.min > 0 && !strings.HasPrefix(told[10].String(), "copy app.msi ") {
					t.Errorf("%s", told[10])
				}
			})
		})
	}
}

// TestStalledCopy: nothing moves, and the error says how far it came; that something may still run there is not lost.
func TestStalledCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := on(slow(1<<20), machine.Options{Timeout: time.Minute})
		u := engine.Upload{Path: "/opt/app.msi", Content: engine.TextContent(engine.Plain(strings.Repeat("x", 4<<20))), Mode: "0644"}
		_, err := put(t, h, u)
		if engine.KindOf(err) != engine.KindTimeout || !strings.Contains(err.Error(), "nothing moved for 1m0s, stopped; copy app.msi 25 %") || !strings.Contains(err.Error(), "may still run") {
			t.Errorf("%v", err)
		}
	})
}
