package run_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// always is a condition that is known whatever the results.
func always(v bool) expr {
	return expr{fmt.Sprint(v), func(map[string]engine.Result) cty.Value { return cty.BoolVal(v) }}
}

// ends lists how the entries of an acting pass ended.
func (b *bench) entries() string {
	var out []string
	for _, e := range b.log.events {
		if e.Kind == engine.EventEntryEnd && e.Pass == "apply" {
			out = append(out, strings.TrimPrefix(e.Entry, "p/")+"="+e.Status)
		}
	}
	return strings.Join(out, " ")
}

func TestFailedWhen(t *testing.T) {
	see := probe("see")
	see.FailedWhen = isTrue("result", "on")
	b := newBench([]string{"a"}, see, step("set"))
	b.world.on["a"] = true
	_, res := b.both(t, nil)
	if statuses(res) != "a=failed" || !strings.Contains(res.Hosts["a"].Err.Error(), "failed_when holds: result.on") {
		t.Errorf("%s: %v", statuses(res), res.Hosts["a"].Err)
	}
}

func TestChangedWhen(t *testing.T) {
	yes, no := step("kick1"), step("kick2")
	yes.ChangedWhen, no.ChangedWhen = always(true), always(false)
	b := newBench([]string{"a"}, yes, no)
	b.both(t, nil)
	if got := b.entries(); got != "step.kick1=changed step.kick2=unchanged" {
		t.Error(got)
	}
}

func TestIgnoredErrorGoesOn(t *testing.T) {
	bad, after := step("kick"), step("set")
	b := newBench([]string{"a"}, bad, after)
	b.world.fails["kick"] = errors.New("no")
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		return engine.Settings{On: host, IgnoreErrors: e == bad}
	}
	_, res := b.both(t, nil)
	if b.entries() != "step.kick=failed step.set=changed" || statuses(res) != "a=ok" {
		t.Errorf("%s, hosts %s", b.entries(), statuses(res))
	}
}

func TestTags(t *testing.T) {
	for _, c := range []struct{ tags, skip, want string }{
		{"x", "", "step.kick1=changed step.kick2=skipped"},
		{"x,y", "", "step.kick1=changed step.kick2=changed"},
		{"x,y", "y", "step.kick1=changed step.kick2=skipped"},
		{"", "x", "step.kick1=skipped step.kick2=changed"},
	} {
		one, two := step("kick1"), step("kick2")
		one.Tags, two.Tags = []string{"x"}, []string{"y"}
		b := newBench([]string{"a"}, one, two)
		b.opts.Tags = strings.FieldsFunc(c.tags, func(r rune) bool { return r == ',' })
		b.opts.SkipTags = strings.FieldsFunc(c.skip, func(r rune) bool { return r == ',' })
		b.both(t, nil)
		if got := b.entries(); got != c.want {
			t.Errorf("--tags %s --skip-tags %s: %s", c.tags, c.skip, got)
		}
	}
}

// TestLostIsRepeatedOnlyWhereSafe: nobody knows whether an act whose connection broke was done.
func TestLostIsRepeatedOnlyWhereSafe(t *testing.T) {
	for _, c := range []struct {
		step       string
		idempotent bool
		notRun     bool
		want       int // retries
	}{{"kick", false, false, 0}, {"kick", true, false, 2}, {"kick", false, true, 2}, {"set", false, false, 2}} {
		b := newBench([]string{"a"}, step(c.step))
		lost := &engine.Error{Kind: engine.KindLost, Host: "a", Op: "run", Unreachable: true}
		if c.notRun {
			lost.Err = engine.ErrNotRun
		}
		b.world.fails[c.step] = lost
		b.settings = func(_ *engine.Entry, host string) engine.Settings {
			return engine.Settings{On: host, Idempotent: c.idempotent, Retry: engine.Retry{Attempts: 3, Delay: time.Millisecond}}
		}
		b.both(t, nil)
		retries := 0
		for _, e := range b.log.events {
			if e.Kind == engine.EventRetry {
				retries++
			}
		}
		if retries != c.want {
			t.Errorf("%+v: %d retries", c, retries)
		}
	}
}
