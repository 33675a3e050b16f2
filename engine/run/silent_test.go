package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// ends are the host_end events of the acting pass.
func (b *bench) ends() string {
	var out []string
	for _, e := range b.log.events {
		if e.Kind == engine.EventHostEnd && e.Pass == "apply" {
			out = append(out, e.Host+"="+e.Status)
		}
	}
	return strings.Join(out, " ")
}

func doneBy(on string) func(e *engine.Entry, host string) engine.Settings {
	return func(e *engine.Entry, host string) engine.Settings {
		if e.Name == "one" || e.Name == "see" {
			return engine.Settings{On: on}
		}
		return engine.Settings{On: host}
	}
}

func TestHostThatWasAskedForOthersIsToldOnce(t *testing.T) {
	tests := []struct {
		name   string
		hosts  []string
		ignore bool
		want   string
		ends   string
	}{
		{"not of the play", []string{"a"}, false, "a=failed b=unreachable", "a=failed b=unreachable"},
		{"of the play, too", []string{"a", "b"}, false, "a=failed b=unreachable", "a=failed b=unreachable"},
		{"its silence is ignored", []string{"a"}, true, "a=ok", "a=ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(tt.hosts, probe("see"))
			b.opts.Parallel = 1
			b.opts.Inventory.Hosts["b"] = &engine.Host{Name: "b"}
			b.world.dead["b"] = true
			b.settings = func(e *engine.Entry, host string) engine.Settings {
				s := doneBy("b")(e, host)
				s.IgnoreErrors = tt.ignore
				return s
			}
			_, res := b.both(t, nil)
			if statuses(res) != tt.want || b.ends() != tt.ends {
				t.Errorf("hosts %s, want %s; told %s, want %s", statuses(res), tt.want, b.ends(), tt.ends)
			}
		})
	}
}

func TestDoerOfAnAttemptThatDoesNotAnswer(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one", "two"))
	b.opts.Inventory.Hosts["b"] = &engine.Host{Name: "b"}
	b.settings = doneBy("b")
	_, res := b.both(t, func() { b.world.dead["b"] = true })
	if b.world.log() != "two@a" || statuses(res) != "a=ok b=unreachable" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
}

// When nothing could be tried because a host is silent, that is the cause; when something was tried in vain, it is not.
func TestCauseOfARecoverThatFailed(t *testing.T) {
	for attempts, want := range map[string]bool{"one": true, "one two": false} {
		b := newBench([]string{"a"}, ladderOf(strings.Fields(attempts)...))
		b.opts.Inventory.Hosts["b"] = &engine.Host{Name: "b"}
		b.settings = doneBy("b")
		b.world.heals = func(string, string) bool { return false }
		_, res := b.both(t, func() { b.world.dead["b"] = true })
		if h := res.Hosts["a"]; h.Status != engine.HostFailed || h.Silent != want || !strings.Contains(h.Err.Error(), "connect") {
			t.Errorf("attempts %s: %+v", attempts, h)
		}
	}
}

// sharing is a probe whose error is one for all who ask.
type sharing struct{ err error }

func (m sharing) Probe(ctx context.Context, h engine.Reader) (any, error) {
	return h.Once(ctx, "x", func(context.Context) (any, error) { return nil, m.err })
}

func TestSharedErrorIsNotChanged(t *testing.T) {
	var hosts []string
	for i := range 20 {
		hosts = append(hosts, fmt.Sprint("h", i))
	}
	shared := &engine.Error{Kind: engine.KindTLS, Msg: "x", Hint: "y", Unreachable: true}
	b := newBench(hosts, probe("see"))
	b.args = func(*engine.Entry, string) any { return sharing{shared} }
	_, res := b.both(t, nil) // with -race: nobody writes to it
	if shared.Host != "" {
		t.Errorf("the error that all share names %s now", shared.Host)
	}
	for _, h := range hosts {
		if got := res.Hosts[h]; got.Status != engine.HostUnreachable || engine.KindOf(got.Err) != engine.KindTLS || engine.HintOf(got.Err) != "y" {
			t.Errorf("%s: %+v", h, got)
		}
	}
}
