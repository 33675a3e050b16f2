package run_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

var anyModule = &engine.Module{Name: "thing", Result: seen{}}

func probe(name string) *engine.Entry {
	return &engine.Entry{Kind: engine.EntryProbe, Name: name, Address: "p/probe." + name, Module: anyModule}
}

func step(name string) *engine.Entry {
	return &engine.Entry{Kind: engine.EntryStep, Name: name, Address: "p/step." + name, Module: anyModule}
}

// bench is one play over some hosts, and the world below it.
type bench struct {
	*program
	world *world
	log   *recorder
	opts  run.Options
}

// newBench makes a play of entries; modules are chosen by the entry's name: probes look, "set…" turns on, others kick.
func newBench(hosts []string, entries ...*engine.Entry) *bench {
	w := &world{on: map[string]bool{}, asOf: map[string]time.Time{}, fails: map[string]error{}, dead: map[string]bool{}}
	acts := false
	for _, e := range entries {
		acts = acts || e.Kind != engine.EntryProbe
	}
	b := &bench{world: w, log: &recorder{}}
	b.program = &program{
		items:   []engine.Item{{Play: &engine.Play{Name: "p", Entries: entries, Acts: acts}}},
		targets: map[string]engine.Target{"p": {Hosts: hosts}},
		args: func(e *engine.Entry, _ string) any {
			switch {
			case e.Kind == engine.EntryProbe:
				return &lookAt{w, e.Name, b.program}
			case strings.HasPrefix(e.Name, "set"):
				return &turnOn{w, e.Name}
			}
			return &kick{w: w, what: e.Name}
		},
	}
	inv := &engine.Inventory{Hosts: map[string]*engine.Host{}}
	for _, h := range hosts {
		inv.Hosts[h] = &engine.Host{Name: h}
	}
	b.opts = run.Options{ID: "r", Program: b, Inventory: inv, Journal: b.log, Stop: make(chan struct{})}
	return b
}

// both plans, lets the world change, and applies.
func (b *bench) both(t *testing.T, between func()) (*plan.Plan, run.Result) {
	t.Helper()
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := b.world.log(); got != "" {
		t.Fatalf("planning changed something: %s", got)
	}
	if between != nil {
		between()
	}
	res, err := r.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return p, res
}

func statuses(r run.Result) string {
	var out []string
	for _, h := range []string{"a", "b", "c", "d"} {
		if x, ok := r.Hosts[h]; ok {
			out = append(out, h+"="+string(x.Status))
		}
	}
	return strings.Join(out, " ")
}

func dispositions(p *plan.Plan) string {
	var out []string
	for _, i := range p.Items() {
		out = append(out, i.Host+":"+strings.TrimPrefix(i.Entry, "p/")+"="+string(i.Disposition))
	}
	return strings.Join(out, " ")
}

func TestStepIsCheckedAppliedChecked(t *testing.T) {
	b := newBench([]string{"a", "b"}, step("set"))
	b.world.on["b"] = true
	p, res := b.both(t, nil)
	if got, want := dispositions(p), "a:step.set=will_run b:step.set=no_op"; got != want {
		t.Errorf("plan %s, want %s", got, want)
	}
	if b.world.log() != "set@a" || statuses(res) != "a=ok b=ok" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
}

func TestDifferenceThatRemainsIsAFailure(t *testing.T) {
	b := newBench([]string{"a"}, step("set"))
	b.world.heals = func(string, string) bool { return false }
	_, res := b.both(t, nil)
	if statuses(res) != "a=failed" || engine.KindOf(res.Hosts["a"].Err) != engine.KindCheck {
		t.Errorf("hosts %s, error %v", statuses(res), res.Hosts["a"].Err)
	}
}

func TestWhatFollowsAnUnrunStepIsUnknown(t *testing.T) {
	after := step("kick")
	after.When = isTrue("step.set", "on")
	b := newBench([]string{"a"}, step("set"), probe("later"), after)
	p, res := b.both(t, nil)
	if got, want := dispositions(p), "a:step.set=will_run a:probe.later=depends a:step.kick=depends"; got != want {
		t.Errorf("plan %s, want %s", got, want)
	}
	if b.world.log() != "kick@a set@a" || statuses(res) != "a=ok" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
	if len(b.ended["p"]) != 1 || b.ended["p"][0].Pending {
		t.Errorf("after the acting pass nothing is pending: %+v", b.ended)
	}
}

func TestNothingOutsideTheEnvelopeRuns(t *testing.T) {
	b := newBench([]string{"a", "b"}, step("set"))
	b.world.on["a"] = true
	_, res := b.both(t, func() { b.world.on["a"], b.world.on["b"] = false, true }) // a fell ill, b healed itself
	if b.world.log() != "" || statuses(res) != "a=out_of_plan b=ok" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
	b = newBench([]string{"a"}, step("set"))
	_, res = b.both(t, func() { b.args = func(*engine.Entry, string) any { return &turnOn{b.world, "rm -rf"} } })
	if b.world.log() != "" || statuses(res) != "a=out_of_plan" {
		t.Errorf("another command ran: %q, hosts %s", b.world.log(), statuses(res))
	}
}

func TestSkippedStep(t *testing.T) {
	s := step("set")
	s.When = isTrue("probe.see", "on")
	b := newBench([]string{"a"}, probe("see"), s)
	p, _ := b.both(t, nil)
	if i, _ := p.Find("p", "a", "p/step.set"); i.Disposition != plan.Skipped || i.Reason != "probe.see.on" {
		t.Errorf("got %+v", i)
	}
	if b.world.log() != "" {
		t.Errorf("a skipped step ran: %s", b.world.log())
	}
}

// ladderOf is a recover whose attempts kick with the given names.
func ladderOf(attempts ...string) *engine.Entry {
	r := &engine.Recover{Goal: []*engine.Entry{probe("goal")}, Condition: isTrue("probe.goal", "on")}
	for _, name := range attempts {
		r.Attempts = append(r.Attempts, &engine.Attempt{Name: name, Entries: []*engine.Entry{step(name)}})
	}
	return &engine.Entry{Kind: engine.EntryRecover, Name: "r", Address: "p/r", Recover: r}
}

func TestRecoverLadder(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(w *world)
		did     string
		status  string
	}{
		{"the goal holds", func(w *world) { w.on["a"] = true }, "", "a=ok"},
		{"the first attempt heals", func(*world) {}, "one@a", "a=ok"},
		{"the second heals", func(w *world) { w.heals = func(what, _ string) bool { return what == "two" } }, "one@a two@a", "a=ok"},
		{"an attempt that fails counts as tried", func(w *world) { w.fails["one"] = errors.New("no") }, "two@a", "a=ok"},
		{"none heals", func(w *world) { w.heals = func(string, string) bool { return false } }, "one@a two@a", "a=failed"},
		{"the host does not answer", func(w *world) { w.dead["a"] = true }, "", "a=unreachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench([]string{"a"}, ladderOf("one", "two"))
			tt.prepare(b.world)
			p, res := b.both(t, nil)
			if b.world.log() != tt.did || statuses(res) != tt.status {
				t.Errorf("did %q, hosts %s (%v); want %q, %s", b.world.log(), statuses(res), res.Hosts["a"].Err, tt.did, tt.status)
			}
			if i, ok := p.Find("p", "a", "p/step.two"); tt.did != "" && (!ok || i.Disposition != plan.Attempt) {
				t.Errorf("the second attempt is planned as %+v", i)
			}
		})
	}
}

func TestRecoverDoesNotBelieveAnOldAnswer(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one", "two"))
	b.world.asOf["a"] = time.Now().Add(-time.Hour) // the answer "on" after the first attempt is from before it
	b.world.heals = func(what, host string) bool {
		if what == "two" {
			b.world.asOf[host] = time.Now().Add(time.Hour)
		}
		return true
	}
	_, res := b.both(t, nil)
	if b.world.log() != "one@a two@a" || statuses(res) != "a=ok" {
		t.Errorf("did %q, hosts %s (%v)", b.world.log(), statuses(res), res.Hosts["a"].Err)
	}
}

func TestRecoverHealedMeanwhileDoesNothing(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one"))
	_, res := b.both(t, func() { b.world.on["a"] = true })
	if b.world.log() != "" || statuses(res) != "a=ok" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
}

func TestRetryUntil(t *testing.T) {
	look := probe("see")
	look.Until = isTrue("result", "on")
	b := newBench([]string{"a"}, look, step("kick"))
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		return engine.Settings{On: host, Retry: engine.Retry{Attempts: 3, Delay: time.Millisecond}}
	}
	_, res := b.both(t, nil)
	tries := 0
	for _, e := range b.log.events {
		if e.Kind == engine.EventEntryStart && e.Pass == "apply" && e.Entry == "p/probe.see" {
			tries++
		}
	}
	if tries != 3 || statuses(res) != "a=ok" {
		t.Errorf("%d executions, want 3; hosts %s", tries, statuses(res))
	}
}

func TestUnreachableOfAnotherHost(t *testing.T) {
	b := newBench([]string{"a", "b"}, probe("see"))
	b.settings = func(*engine.Entry, string) engine.Settings { return engine.Settings{On: "b"} }
	b.world.dead["b"] = true
	_, res := b.both(t, nil)
	if statuses(res) != "a=failed b=unreachable" || !engine.IsUnreachable(res.Hosts["a"].Err) {
		t.Errorf("hosts %s", statuses(res))
	}
}

func TestLimitIsForPlaysThatAct(t *testing.T) {
	for _, entry := range []*engine.Entry{step("kick"), probe("see")} {
		b := newBench([]string{"a", "b"}, entry)
		b.opts.Limit = []string{"b"}
		_, res := b.both(t, nil)
		if entry.Kind == engine.EntryStep && (b.world.log() != "kick@b" || statuses(res) != "b=ok") {
			t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
		}
		if entry.Kind == engine.EntryProbe && statuses(res) != "a=ok b=ok" {
			t.Errorf("evidence is missing: %s", statuses(res))
		}
	}
}

func TestNothingIsDoneThatCannotBeRecorded(t *testing.T) {
	b := newBench([]string{"a"}, step("kick"))
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.log.refuse = engine.EventIntent
	if _, err := r.Apply(t.Context(), p); err == nil || b.world.log() != "" {
		t.Errorf("err %v, did %q", err, b.world.log())
	}
}

func TestSignalStopsBetweenEntries(t *testing.T) {
	b := newBench([]string{"a", "b"}, step("one"), step("two"))
	stop := make(chan struct{})
	b.opts.Stop, b.opts.Parallel = stop, 1
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.world.heals = func(string, string) bool {
		select {
		case <-stop:
		default:
			close(stop)
		}
		return true
	}
	res, err := r.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if b.world.log() != "one@a" || statuses(res) != "a=aborted b=not_attempted" || res.Stop == nil || res.Stop.Kind != run.StopSignal {
		t.Errorf("did %q, hosts %s, stop %+v", b.world.log(), statuses(res), res.Stop)
	}
}

func TestMaxFailuresStopsTheRest(t *testing.T) {
	hosts := []string{"a", "b", "c", "d"}
	b := newBench(hosts, step("kick"))
	b.opts.Parallel = 1
	b.targets["p"] = engine.Target{Hosts: hosts, MaxFailures: &engine.Size{N: 1}}
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.world.fails["kick"] = fmt.Errorf("no")
	res, err := r.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if statuses(res) != "a=failed b=failed c=aborted d=aborted" || res.Stop == nil || res.Stop.Kind != run.StopThreshold {
		t.Errorf("hosts %s, stop %+v", statuses(res), res.Stop)
	}
	if want := "2 of 4 hosts failed or did not answer"; !strings.Contains(res.Stop.Reason, want) {
		t.Errorf("hosts that were not begun did not fail: %q lacks %q", res.Stop.Reason, want)
	}
}

func TestEventsAreInOrderAndComplete(t *testing.T) {
	b := newBench([]string{"a"}, step("kick"))
	b.both(t, nil)
	var kinds []string
	for n, e := range b.log.events {
		if e.Seq != n+1 || e.V != engine.EventVersion || e.Run != "r" || e.Time.IsZero() {
			t.Errorf("event %d: %+v", n, e)
		}
		if e.Pass == "apply" {
			kinds = append(kinds, string(e.Kind))
		}
	}
	want := "play_start batch_start entry_start intent entry_end host_end play_end"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestGoalIsAskedAgain: what a goal saw before the attempts is not known after them.
func TestGoalIsAskedAgain(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one"), step("after"))
	b.items[0].Play.Entries[1].When = isTrue("probe.goal", "on")
	p, _ := b.both(t, nil)
	if got := dispositions(p); !strings.HasSuffix(got, "a:step.one=will_run a:step.after=depends") || b.world.log() != "after@a one@a" {
		t.Errorf("plan %s, did %s", got, b.world.log())
	}
}

// oneFails refuses the first intent, and takes everything after it.
type oneFails struct {
	engine.Journal
	refused int
}

func (j *oneFails) Append(e engine.Event) error {
	if e.Kind == engine.EventIntent && j.refused == 0 {
		j.refused++
		return errors.New("disk full")
	}
	return j.Journal.Append(e)
}

// TestWhatCannotBeRecordedIsNotTriedOtherwise: no further attempt, although the journal would take it.
func TestWhatCannotBeRecordedIsNotTriedOtherwise(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one", "two"))
	p, _, err := run.New(b.opts).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.opts.Journal = &oneFails{Journal: b.opts.Journal}
	res, err := run.New(b.opts).Apply(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("it ended with %v", err)
	}
	tried := 0
	for _, e := range b.log.events {
		if e.Kind == engine.EventAttempt && e.Status == "started" {
			tried++
		}
	}
	if b.world.log() != "" || tried != 1 {
		t.Errorf("did %q in %d attempts, hosts %s", b.world.log(), tried, statuses(res))
	}
}
