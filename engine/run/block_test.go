package run_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

func block(entries, rescue, finally []*engine.Entry) *engine.Entry {
	return &engine.Entry{Kind: engine.EntryBlock, Name: "b", Address: "p/b", Block: &engine.Block{Entries: entries, Rescue: rescue, Finally: finally}}
}

func steps(names ...string) []*engine.Entry {
	var out []*engine.Entry
	for _, n := range names {
		out = append(out, step(n))
	}
	return out
}

func TestRescue(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("one", "two"), steps("back"), steps("last")), step("after"))
	p, res := b.both(t, func() { b.world.fails["one"] = errors.New("no") })
	if got := dispositions(p); got != "a:step.one=will_run a:step.two=will_run a:step.back=rescue_only a:step.last=will_run a:step.after=will_run" {
		t.Error(got)
	}
	if got := strings.Join(b.world.done, " "); got != "back@a last@a after@a" || statuses(res) != "a=ok" {
		t.Errorf("did %s, hosts %s", got, statuses(res))
	}
}

// What a failed block did not come to is not called unneeded.
func TestWhatARescuedBlockDidNotComeTo(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("one", "two"), steps("back"), nil))
	_, res := b.both(t, func() { b.world.fails["one"] = errors.New("no") })
	told := ""
	for _, e := range b.log.events {
		if e.Pass == "apply" && e.Entry == "p/step.two" {
			told += string(e.Kind) + " " + e.Status + ": " + e.Reason
		}
	}
	if res.Resolved != 0 || told != "entry_end skipped: not attempted: an entry before it failed" {
		t.Errorf("%d resolved; %s", res.Resolved, told)
	}
}

func TestRescueIsNotNeeded(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("one"), steps("back"), steps("last")))
	_, res := b.both(t, nil)
	if got := strings.Join(b.world.done, " "); got != "one@a last@a" || statuses(res) != "a=ok" {
		t.Errorf("did %s, hosts %s", got, statuses(res))
	}
}

func TestFinallyAfterAFailedRescue(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("one"), steps("back", "never"), steps("last")), step("after"))
	_, res := b.both(t, func() { b.world.fails["one"], b.world.fails["back"] = errors.New("no"), errors.New("no more") })
	if got := strings.Join(b.world.done, " "); got != "last@a" || statuses(res) != "a=failed" || !strings.Contains(res.Hosts["a"].Err.Error(), "no more") {
		t.Errorf("did %s, hosts %s: %v", got, statuses(res), res.Hosts["a"].Err)
	}
}

func TestFailingFinallyFailsTheHost(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("one"), nil, steps("last")), step("after"))
	_, res := b.both(t, func() { b.world.fails["last"] = errors.New("no") })
	if b.world.log() != "one@a" || statuses(res) != "a=failed" {
		t.Errorf("did %s, hosts %s", b.world.log(), statuses(res))
	}
}

// TestSilentHostIsRescued: unreachable is an error like any other.
func TestSilentHostIsRescued(t *testing.T) {
	b := newBench([]string{"a"}, block([]*engine.Entry{probe("see")}, steps("kick"), nil))
	b.opts.Inventory.Hosts["other"] = &engine.Host{Name: "other"}
	b.world.dead["other"] = true
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		if e.Name == "see" {
			host = "other"
		}
		return engine.Settings{On: host}
	}
	p, res := b.both(t, nil)
	if i, _ := p.Find("p", "a", "p/step.kick"); i.Disposition != plan.WillRun {
		t.Errorf("the failure is known already: %s", i.Disposition)
	}
	if b.world.log() != "kick@a" || statuses(res) != "a=ok" {
		t.Errorf("did %s, hosts %s", b.world.log(), statuses(res))
	}
}

// TestOutOfPlanIsNotRescued: what is not approved ends the host; finally runs all the same.
func TestOutOfPlanIsNotRescued(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("set"), steps("back"), steps("last")))
	b.world.on["a"] = true
	_, res := b.both(t, func() { b.world.on["a"] = false })
	if b.world.log() != "last@a" || statuses(res) != "a=out_of_plan" {
		t.Errorf("did %s, hosts %s", b.world.log(), statuses(res))
	}
}

// TestFinallyAfterASignal: what was opened is closed, although nothing else is started.
func TestFinallyAfterASignal(t *testing.T) {
	b := newBench([]string{"a"}, block(steps("one", "two"), steps("back"), steps("last")), step("after"))
	stop := make(chan struct{})
	b.opts.Stop = stop
	b.world.heals = func(what, _ string) bool {
		if what == "one" {
			close(stop)
		}
		return true
	}
	_, res := b.both(t, nil)
	if got := strings.Join(b.world.done, " "); got != "one@a last@a" || statuses(res) != "a=aborted" || res.Stop == nil || res.Stop.Kind != run.StopSignal {
		t.Errorf("did %s, hosts %s, stop %+v", got, statuses(res), res.Stop)
	}
}

// TestRescueOfProbesThatCannotLookYet: what is not known of a block may fail, so its rescue is in the plan.
func TestRescueOfProbesThatCannotLookYet(t *testing.T) {
	b := newBench([]string{"a"}, step("one"), block([]*engine.Entry{probe("see")}, steps("back"), nil))
	b.opts.Inventory.Hosts["other"] = &engine.Host{Name: "other"}
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		if e.Name == "see" {
			host = "other"
		}
		return engine.Settings{On: host}
	}
	p, res := b.both(t, func() { b.world.dead["other"] = true })
	if got := dispositions(p); got != "a:step.one=will_run a:probe.see=depends a:step.back=rescue_only" {
		t.Error(got)
	}
	if got := strings.Join(b.world.done, " "); got != "one@a back@a" || statuses(res) != "a=ok" {
		t.Errorf("did %s, hosts %s", got, statuses(res))
	}
}

// TestDoubtfulEntryThatCannotBePlanned: what may not even be needed does not end the planning of what comes after it.
func TestDoubtfulEntryThatCannotBePlanned(t *testing.T) {
	b := newBench([]string{"a"}, step("one"), step("maybe"), step("after"))
	b.items[0].Play.Entries[1].When = isTrue("one", "on")
	b.opts.Inventory.Hosts["other"] = &engine.Host{Name: "other"}
	b.world.dead["other"] = true
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		if e.Name == "maybe" {
			host = "other"
		}
		return engine.Settings{On: host}
	}
	p, _, err := run.New(b.opts).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := dispositions(p); got != "a:step.one=will_run a:step.maybe=unreachable a:step.after=will_run" {
		t.Error(got)
	}
}
