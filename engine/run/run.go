// Package run executes a playbook: it plans by looking, and then acts inside what was planned.
// What comes next is decided by the pure function Decide; what a batch of hosts does is a slice.
package run

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// Options are what a run needs.
type Options struct {
	ID         string // of the run
	Seq        int    // the number of the last event that there is already
	Program    engine.Program
	Inventory  *engine.Inventory
	Transports map[string]engine.Transport
	// Pool holds the connections that the sources of the inventory opened, over the same transports; the runner uses them,
	// and closes them with its own. nil: there are none.
	Pool     *Pool
	Parallel int            // hosts at a time; 0 means 50
	Limit    []string       // names; nil: no limit. It limits plays that contain a step
	Tags     []string       // not empty: entries with none of them are skipped
	SkipTags []string       // entries with one of them are skipped
	Journal  engine.Journal // gets every event in order, before the next thing happens
	// Stop is closed by the first signal: nothing new is started, what runs may finish.
	// Ending the context is the second: what runs is killed.
	Stop <-chan struct{}
	// Why says why Stop was closed; nil: a signal asked to stop.
	Why func() string
	// Clock tells the time; nil: the real one.
	Clock Clock
	// Offline makes planning contact nothing: what it would have to look at is unknown.
	Offline bool
	// Past makes Apply go on with a run that was interrupted; nil: it begins.
	Past *Past
	// Settle asks somebody what became of a change that nothing tells; nil: it is unknown. It may be called by several goroutines.
	Settle func(context.Context, Unsettled) Verdict
	// Settling is how old an intent must be before its act counts as not done because the host does not show it; 0 means 2 minutes.
	Settling time.Duration
	// Redact hides secrets in what goes into a plan; nil: nothing is hidden.
	Redact func(string) string
}

// Runner makes passes over one playbook and one inventory, sharing connections between them.
type Runner struct {
	o    Options
	pool *Pool
	log  *log
	memo *machine.Memo // knows what the connections end at

	making atomic.Pointer[plan.Plan] // while planning
	bounds Bounds                    // of passes that act

	mu         sync.Mutex
	identities map[string]string
}

// New makes a runner; nothing is contacted yet.
func New(o Options) *Runner {
	if o.Parallel <= 0 {
		o.Parallel = 50
	}
	if o.Clock == nil {
		o.Clock = wall{}
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	r := &Runner{o: o, log: &log{run: o.ID, journal: o.Journal, clock: o.Clock, seq: o.Seq}, identities: map[string]string{}, memo: machine.NewMemo()}
	if r.pool = o.Pool; r.pool == nil {
		r.pool = NewPool(o.Transports, nil, nil)
	}
	r.pool.handOver(o.Inventory, r.opened)
	return r
}

// Close closes every connection.
func (r *Runner) Close() error { return r.pool.Close() }

// HostResult is how a host ended: the worst of its plays.
type HostResult struct {
	Status  engine.HostStatus
	Err     error
	Play    string // in which it ended so; empty: it was only asked for others
	Silent  bool   // what it ended with has a host as its cause that did not answer: itself, or another one
	Left    bool   // it was left to another run (Bounds.Left)
	Changed int    // entries that changed something or may have
}

// Result is how a pass ended.
type Result struct {
	Hosts   map[string]HostResult
	Stop    *Stop // nil: it went to its end
	AnyHost bool  // some play had hosts
	// NotBegun are the plays that a stop kept from beginning.
	NotBegun []string
	// Resolved counts what the plan says will run and was not needed any more.
	Resolved int
	Took     time.Duration
}

// Log writes an event of the caller's own (the start, the plan's summary, the end) into the run's record.
func (r *Runner) Log(e engine.Event) error { return r.log.write(e) }

func (r *Runner) pass(ctx context.Context, pl *plan.Plan, planning bool) (Result, error) {
	r.pool.RetryAll()
	vars := cty.UnknownVal(cty.Object(map[string]cty.Type{"id": cty.String}))
	if !planning {
		vars = cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(r.o.ID)})
	}
	past := r.o.Past
	if planning {
		past = nil
	}
	p := &pass{
		past:   past,
		Runner: r, planning: planning, plan: pl, memos: &memos{clock: r.o.Clock, first: r.memo},
		eval: r.o.Program.Pass(r.o.Inventory, vars), types: resultTypes(r.o.Program.Playbook()),
		res: Result{Hosts: map[string]HostResult{}}, silent: map[string]error{}, ledger: newLedger(),
	}
	began := r.now()
	err := p.loop(ctx)
	if err == nil {
		err = p.close(ctx)
	}
	p.res.Took = r.now().Sub(began)
	return p.res, err
}

// pass is one evaluation of the playbook, planning or acting.
type pass struct {
	*Runner
	planning bool
	plan     *plan.Plan // planning: being made; acting: the envelope
	past     *Past      // acting: what an interrupted run left; nil: nothing
	eval     engine.Pass
	memos    *memos
	types    map[*engine.Module]cty.Type // of results

	mu     sync.Mutex
	res    Result
	silent map[string]error // hosts that did not answer when they were asked for others
	ledger *ledger          // acting: what became of what the plan says
}

// loop joins Decide and the slices on one machine.
func (p *pass) loop(ctx context.Context) error {
	spec := Spec{Items: p.o.Program.Playbook().Items, Planning: p.planning, Offline: p.o.Offline}
	state, command := Decide(spec, State{}, Happened{Begin: true})
	for !command.Finish {
		h, err := p.perform(ctx, command)
		if err != nil {
			return err
		}
		h.Signal = p.stopping() || ctx.Err() != nil
		if h.Signal && state.Stop == nil {
			h.Why = p.why()
			if err := p.write(engine.Event{Kind: engine.EventSignal, Reason: h.Why + ": nothing new is started"}); err != nil {
				return err
			}
		}
		state, command = Decide(spec, state, h)
	}
	p.res.Stop, p.res.AnyHost, p.res.NotBegun = state.Stop, state.AnyHost, notBegun(spec, state)
	return nil
}

// perform does what Decide asked for. Its error means that the record could not be kept.
func (p *pass) perform(ctx context.Context, c Command) (Happened, error) {
	switch {
	case c.Locals != nil:
		return Happened{Err: p.eval.Locals(c.Locals)}, nil
	case c.Check != nil:
		j, err := p.eval.Check(c.Check)
		if err != nil {
			return Happened{Err: err}, nil
		}
		return Happened{Judged: &j}, p.logCheck(c.Check, "", "", j)
	case c.Target != nil:
		t, err := p.eval.Play(c.Target)
		if err != nil {
			return Happened{Err: err}, nil
		}
		if c.Target.Acts && p.o.Limit != nil {
			t.Hosts = slices.DeleteFunc(slices.Clone(t.Hosts), func(h string) bool { return !slices.Contains(p.o.Limit, h) })
		}
		p.fix(c.Target, &t)
		return Happened{Target: &t}, p.write(engine.Event{Kind: engine.EventPlayStart, Play: c.Target.Name,
			Title: c.Target.Title, Hosts: len(t.Hosts), Place: c.Target.Range.String()})
	case c.Slice != nil:
		return p.slice(ctx, *c.Slice)
	}
	if err := p.told(c.EndPlay.Play.Name, c.EndPlay.Outcomes); err != nil {
		return Happened{}, err
	}
	if c.EndPlay.Unknown != nil { // nobody knows its hosts, so what it leaves stays unknown
		p.forecastAll(c.EndPlay.Play, c.EndPlay.Unknown)
	} else {
		p.eval.End(c.EndPlay.Play, c.EndPlay.Outcomes)
	}
	p.ledger.end(c.EndPlay.Play.Name, c.EndPlay.Outcomes)
	return Happened{Ended: true}, p.write(engine.Event{Kind: engine.EventPlayEnd, Play: c.EndPlay.Play.Name, Counts: count(c.EndPlay.Outcomes), Waits: c.EndPlay.Unknown})
}

// told notes how the hosts of a play ended, and records it for those that were not begun: the others did it themselves.
func (p *pass) told(play string, outcomes []engine.Outcome) error {
	for _, o := range outcomes {
		p.note(play, o)
		if !errors.Is(o.Err, errNotStarted) {
			continue
		}
		if err := p.write(engine.Event{Kind: engine.EventHostEnd, Play: play, Host: o.Host, Status: string(o.Status), Error: engine.NewEventError(o.Err)}); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) stopping() bool {
	select {
	case <-p.o.Stop:
		return true
	default:
		return false
	}
}

// why is the reason of a stop.
func (p *pass) why() string {
	if p.o.Why == nil {
		return "a signal asked to stop"
	}
	return p.o.Why()
}

// write completes an event with the pass and records it.
func (p *pass) write(e engine.Event) error {
	e.Pass = "apply"
	if p.planning {
		e.Pass = "plan"
	}
	return p.log.write(e)
}

func count(outcomes []engine.Outcome) map[string]int {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[string(o.Status)]++
	}
	return counts
}

// severity orders statuses: the worst of a host's plays is what it ends with.
var severity = []engine.HostStatus{engine.HostOK, engine.HostNotAttempted, engine.HostAborted, engine.HostDrifted,
	engine.HostUnreachable, engine.HostFailed, engine.HostOutOfPlan}

func (p *pass) note(play string, o engine.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, seen := p.res.Hosts[o.Host]
	if !seen || slices.Index(severity, o.Status) > slices.Index(severity, old.Status) {
		p.res.Hosts[o.Host] = HostResult{Status: o.Status, Err: o.Err, Play: play, Changed: old.Changed, Silent: len(silent(o.Err)) > 0, Left: errors.Is(o.Err, errElsewhere)}
	}
}

func (p *pass) changed(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.res.Hosts[host]
	if h.Status == "" {
		h.Status = engine.HostOK
	}
	h.Changed++
	p.res.Hosts[host] = h
}
