package run_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

// sheet is a journal that dies with its process: it keeps a number of events, and refuses the others.
type sheet struct {
	mu   sync.Mutex
	kept []engine.Event
	room int
}

func (s *sheet) Append(e engine.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= s.room {
		return fmt.Errorf("killed")
	}
	s.kept = append(s.kept, e)
	return nil
}

// act is a restart that the world remembers: another instance can prove it.
type act struct {
	kick
	untold bool // the host does not tell
}

func (m *act) Apply(ctx context.Context, h engine.Machine, d engine.Diff) (any, error) {
	return m.kick.Apply(ctx, h, d)
}

func (m *act) Prove(_ context.Context, h engine.Reader, since time.Time) error {
	switch {
	case m.proven: // it saw it itself
		return nil
	case m.untold:
		return &engine.Error{Kind: engine.KindCheck, Msg: "nothing tells", Err: engine.ErrUnprovable}
	}
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	for _, d := range m.w.times[m.what+"@"+h.Name()] {
		if d.After(since) {
			return nil
		}
	}
	return &engine.Error{Kind: engine.KindCheck, Msg: "its process is older"}
}

// scene is a playbook of every kind of entry over two hosts.
func scene() *bench {
	r := ladderOf("one", "two", "three") // the second one heals
	look := probe("see")
	items := step("kick_each")
	items.ForEach = undecided
	bl := &engine.Entry{Kind: engine.EntryBlock, Name: "b", Address: "p/b", Block: &engine.Block{
		Entries: []*engine.Entry{step("kick_in"), step("fails")}, Rescue: []*engine.Entry{step("kick_rescue")}, Finally: []*engine.Entry{step("kick_last")}}}
	b := newBench([]string{"a", "b"}, look, step("kick_first"), r, items, bl, step("set"))
	b.each = map[string][]string{"kick_each": {"a", "b"}}
	b.world.fails["fails"] = &engine.Error{Kind: engine.KindExit, Msg: "exit 1"}
	b.world.heals = func(what, _ string) bool { return what == "two" || what == "set" }
	inner := b.args
	b.args = func(e *engine.Entry, host string) any {
		if k, ok := inner(e, host).(*kick); ok {
			return &act{kick: *k}
		}
		return inner(e, host)
	}
	return b
}

// cut runs a scene until its journal dies, and gives what is left.
func cut(t *testing.T, b *bench, room int) (*plan.Plan, *sheet) {
	t.Helper()
	s := &sheet{room: room}
	b.opts.Journal = s
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		return nil, s
	}
	_, _ = r.Apply(t.Context(), p) // that it could not go on is the purpose
	return p, s
}

// goOn resumes what is left of a run.
func goOn(t *testing.T, b *bench, p *plan.Plan, s *sheet) run.Result {
	t.Helper()
	past := run.NewPast()
	for _, e := range s.kept {
		past.Add(e)
	}
	b.opts.Past, b.opts.Seq, b.opts.Settling = past, len(s.kept), time.Nanosecond
	s.room = 1 << 20
	res, err := run.New(b.opts).Apply(t.Context(), p)
	if err != nil {
		t.Error(err)
	}
	return res
}

// Killed at every event, once before and once after what it did, and gone on with: everything was done once.
func TestResumeAtEveryEvent(t *testing.T) {
	whole := scene()
	p, s := cut(t, whole, 1<<20)
	want, total := whole.world.log(), len(s.kept)
	if !strings.Contains(want, "two@a two@b") || strings.Contains(want, "three") {
		t.Fatalf("the scene did %q", want)
	}
	if i := p.Acting(); len(i) == 0 {
		t.Fatal("nothing acts")
	}
	var planned, resumed atomic.Int64
	var wg sync.WaitGroup
	turns := make(chan struct{}, 16) // they wait for goals mostly
	check := func(room int) {
		defer func() { <-turns }()
		b := scene()
		p, s := cut(t, b, room)
		if p == nil || len(s.kept) < room {
			planned.Add(1)
			return
		}
		res := goOn(t, b, p, s)
		resumed.Add(1)
		if got := b.world.log(); got != want {
			t.Errorf("cut at %d of %d (%+v): did %q, want %q", room, total, s.kept[room-1], got, want)
		}
		if statuses(res) != "a=ok b=ok" {
			t.Errorf("cut at %d: hosts %s: %v %v", room, statuses(res), res.Hosts["a"].Err, res.Hosts["b"].Err)
		}
		once(t, room, s.kept)
	}
	for room := range total {
		turns <- struct{}{}
		wg.Go(func() { check(room) })
	}
	wg.Wait()
	t.Logf("%d events, %d of them in planning", total, planned.Load())
	if resumed.Load() < 60 {
		t.Errorf("only %d cuts", resumed.Load())
	}
}

// once wants every result once in the record.
func once(t *testing.T, room int, events []engine.Event) {
	t.Helper()
	seen := map[string]int{}
	for _, e := range events {
		if e.Kind == engine.EventEntryEnd && e.Pass == "apply" && (e.Status == "changed" || e.Status == "ran") && !strings.Contains(e.Entry, "goal") {
			seen[e.Host+" "+e.Entry+" "+e.Item]++
		}
	}
	for what, n := range seen {
		if n > 1 {
			t.Errorf("cut at %d: %s ended %d times", room, what, n)
		}
	}
}

// What nothing tells is not done again: the host ends, and says what to look at; or somebody says what happened.
func TestResumeOfWhatNothingTells(t *testing.T) {
	for verdict, want := range map[run.Verdict]string{"": "first@a", run.Done: "first@a second@a", run.NotDone: "first@a first@a second@a"} {
		b := newBench([]string{"a"}, step("first"), step("second"))
		untold := false
		b.args = func(e *engine.Entry, _ string) any {
			return &act{kick: kick{w: b.world, what: e.Name}, untold: untold}
		}
		room := 1 << 20
		b.opts.Journal = &dying{&sheet{room: room}}
		r := run.New(b.opts)
		p, _, err := r.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s := b.opts.Journal.(*dying).sheet
		_, _ = r.Apply(t.Context(), p)
		untold = true
		if verdict != "" {
			b.opts.Settle = func(context.Context, run.Unsettled) run.Verdict { untold = false; return verdict }
		}
		b.opts.Journal = s
		res := goOn(t, b, p, s)
		if got := b.world.log(); got != want {
			t.Errorf("%q: did %q, want %q", verdict, got, want)
		}
		err = res.Hosts["a"].Err
		if verdict == "" && (engine.KindOf(err) != engine.KindLost || !strings.Contains(engine.HintOf(err), "first")) {
			t.Errorf("host %s: %v", statuses(res), err)
		}
		if verdict != "" && statuses(res) != "a=ok" {
			t.Errorf("%q: host %s: %v", verdict, statuses(res), err)
		}
	}
}

// A signal instead of an answer decides nothing: whoever goes on next is asked again.
func TestResumeStoppedAtItsQuestion(t *testing.T) {
	b := newBench([]string{"a"}, step("first"), step("second"))
	untold := false
	b.args = func(e *engine.Entry, _ string) any {
		return &act{kick: kick{w: b.world, what: e.Name}, untold: untold}
	}
	d := &dying{&sheet{room: 1 << 20}}
	b.opts.Journal = d
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Apply(t.Context(), p)
	untold = true
	b.opts.Journal = d.sheet
	stop := make(chan struct{})
	b.opts.Stop = stop
	b.opts.Settle = func(context.Context, run.Unsettled) run.Verdict { close(stop); return run.Unknown }
	if res := goOn(t, b, p, d.sheet); statuses(res) != "a=aborted" {
		t.Errorf("hosts %s: %v", statuses(res), res.Hosts["a"].Err)
	}
	b.opts.Stop = make(chan struct{})
	b.opts.Settle = func(context.Context, run.Unsettled) run.Verdict { untold = false; return run.Done }
	if res := goOn(t, b, p, d.sheet); statuses(res) != "a=ok" || b.world.log() != "first@a second@a" {
		t.Errorf("hosts %s: %v; did %q", statuses(res), res.Hosts["a"].Err, b.world.log())
	}
}

// dying refuses the first result of a change and everything after it.
type dying struct{ *sheet }

func (d *dying) Append(e engine.Event) error {
	if e.Kind == engine.EventEntryEnd && e.Pass == "apply" && e.Status == "changed" {
		d.room = 0
	}
	return d.sheet.Append(e)
}

// A change whose host is not in the play any more is reported, whatever else happened.
func TestResumeReportsWhatItCannotComeTo(t *testing.T) {
	b := newBench([]string{"a", "b"}, step("first"))
	d := &dying{&sheet{room: 1 << 20}}
	b.opts.Journal, b.opts.Parallel = d, 1
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Apply(t.Context(), p)
	b.targets["p"] = engine.Target{Hosts: []string{"b"}}
	b.opts.Journal = d.sheet
	res := goOn(t, b, p, d.sheet)
	if statuses(res) != "a=failed b=ok" || engine.KindOf(res.Hosts["a"].Err) != engine.KindLost {
		t.Errorf("hosts %s: %v", statuses(res), res.Hosts["a"].Err)
	}
}

// A block whose finally had run when a signal stopped it is not gone on with; what a signal stopped between entries is.
func TestResumeAfterASignal(t *testing.T) {
	bl := &engine.Entry{Kind: engine.EntryBlock, Name: "b", Address: "p/b", Block: &engine.Block{
		Entries: []*engine.Entry{step("kick_in"), step("kick_more")}, Finally: []*engine.Entry{step("kick_last")}}}
	for name, c := range map[string]struct {
		entries []*engine.Entry
		did     string
		status  string
	}{
		"between entries": {[]*engine.Entry{step("kick_in"), step("kick_more")}, "kick_in@a kick_more@a", "a=ok"},
		"in a block":      {[]*engine.Entry{bl}, "kick_in@a kick_last@a", "a=failed"},
	} {
		b := newBench([]string{"a"}, c.entries...)
		stop := make(chan struct{})
		b.opts.Stop = stop
		var once sync.Once
		b.world.heals = func(string, string) bool { once.Do(func() { close(stop) }); return true }
		p, s := cut(t, b, 1<<20)
		b.opts.Stop = make(chan struct{})
		res := goOn(t, b, p, s)
		if got := b.world.log(); got != c.did || statuses(res) != c.status {
			t.Errorf("%s: did %q, hosts %s (%v)", name, got, statuses(res), res.Hosts["a"].Err)
		}
	}
}

// While nothing was changed, everything is looked at anew.
func TestResumeBeforeTheFirstChangeLooksAgain(t *testing.T) {
	b := newBench([]string{"a"}, probe("see"), step("set"))
	p, s := cut(t, b, 1<<20)
	for i, e := range s.kept {
		if e.Kind == engine.EventIntent {
			s.kept = s.kept[:i]
			break
		}
	}
	b.world.done = nil
	res := goOn(t, b, p, s)
	if b.world.log() != "" || statuses(res) != "a=ok" { // it is on by now
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
}

// A recover that a second signal killed while it waited has no end: resume makes the next attempt.
func TestResumeOfARecoverThatWasKilled(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one", "two"))
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	b.world.heals = func(what, _ string) bool {
		kill()
		return what == "two"
	}
	s := &sheet{room: 1 << 20}
	b.opts.Journal = s
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if res, err := r.Apply(ctx, p); err != nil || statuses(res) != "a=aborted" {
		t.Errorf("hosts %s, %v", statuses(res), err)
	}
	if res := goOn(t, b, p, s); b.world.log() != "one@a two@a" || statuses(res) != "a=ok" {
		t.Errorf("did %q, hosts %s (%v)", b.world.log(), statuses(res), res.Hosts["a"].Err)
	}
}
