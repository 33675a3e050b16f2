package run

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/plan"
)

// errStopped ends a host between two entries: a signal asked to stop.
var errStopped = errors.New("stopped before its next entry")

// slice runs a batch: hosts in parallel, the entries of each in order. Every host gets an outcome.
func (p *pass) slice(ctx context.Context, s Slice) (Happened, error) {
	if err := p.write(engine.Event{Kind: engine.EventBatchStart, Play: s.Play.Name, Attempt: s.Batch, Hosts: len(s.Hosts),
		Counts: map[string]int{"of": s.Batches}}); err != nil {
		return Happened{}, err
	}
	parallel := p.o.Parallel
	if s.Parallel > 0 {
		parallel = min(parallel, s.Parallel)
	}
	scope := p.eval.Begin(s.Play)
	p.memos.turn()
	var (
		outcomes = make([]engine.Outcome, len(s.Hosts))
		slots    = make(chan struct{}, parallel)
		failed   atomic.Int64
		broken   atomic.Pointer[error]
		wg       sync.WaitGroup
	)
	start := func(i int, was *pastHost) {
		name := s.Hosts[i]
		if out := p.outside(s.Play, name); out != nil && was == nil {
			outcomes[i] = *out
			return
		}
		slots <- struct{}{}
		if why := p.mayStart(ctx, s, int(failed.Load()), broken.Load()); why != "" && !was.over() {
			outcomes[i] = notStarted(name, why)
			<-slots
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			h := &hostRun{pass: p, play: s.Play, host: p.o.Inventory.Hosts[name], scope: scope.Host(name), reached: map[*engine.Entry]bool{}, past: was}
			outcome, err := h.guarded(ctx)
			if err != nil {
				broken.Store(&err)
			}
			if outcome.Status != engine.HostOK {
				failed.Add(1)
			}
			outcomes[i] = outcome
		})
	}
	var rest []int
	for i, name := range s.Hosts { // what is over counts before anything is begun
		if was := p.past.of(s.Play.Name, name); was.over() {
			start(i, was)
		} else {
			rest = append(rest, i)
		}
	}
	if len(rest) < len(s.Hosts) {
		wg.Wait()
	}
	for _, i := range rest {
		start(i, p.past.of(s.Play.Name, s.Hosts[i]))
	}
	wg.Wait()
	if err := broken.Load(); err != nil {
		return Happened{}, errors.Join(*err, p.told(s.Play.Name, outcomes))
	}
	return Happened{Outcomes: outcomes}, nil
}

// mayStart says why no further host of the batch may start, or "".
func (p *pass) mayStart(ctx context.Context, s Slice, failed int, broken *error) engine.HostStatus {
	switch {
	case p.stopping() || ctx.Err() != nil || broken != nil:
		return engine.HostNotAttempted
	case s.Budget >= 0 && failed > s.Budget:
		return engine.HostAborted
	}
	return ""
}

// hostRun is one host in one play.
type hostRun struct {
	*pass
	play  *engine.Play
	host  *engine.Host
	scope engine.HostScope
	// pending are the entries that may change something and have not run, because this pass only plans.
	pending  []string
	open     int                    // entries of which this pass does not know how they will end, because it only plans
	reached  map[*engine.Entry]bool // entries that were begun or skipped
	closing  bool                   // a finally block runs: a signal does not stop it
	past     *pastHost              // what an interrupted run left; nil: nothing
	shut     bool                   // inside a block of which the finally ran before the run was interrupted
	begun    int                    // changes that were begun
	patience time.Duration          // in an attempt: how long its goal is waited for
	acted    time.Time              // when the last of them ended: answers from before it are no answers after it
	record   error                  // the journal failed
}

// Bug is a panic in the work on a host. It ends the run in good order: other hosts finish what they do.
type Bug struct {
	Host  string
	Value any
	Stack []byte
}

func (b *Bug) Error() string {
	return fmt.Sprintf("a bug in dsplay, on %s: %v\n%s", b.Host, b.Value, b.Stack)
}

// short is the bug without its stack.
func (b *Bug) short() error {
	return &engine.Error{Kind: engine.KindModule, Host: b.Host, Msg: fmt.Sprintf("a bug in dsplay: %v", b.Value)}
}

// guarded is run, with a panic turned into a Bug.
func (h *hostRun) guarded(ctx context.Context) (o engine.Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			bug, ok := v.(*Bug) // of another goroutine
			if !ok {
				bug = &Bug{h.host.Name, v, debug.Stack()}
			}
			o, err = h.outcome(bug), bug
			h.event(engine.Event{Kind: engine.EventHostEnd, Status: string(o.Status), Error: engine.NewEventError(bug.short())})
		}
	}()
	return h.run(ctx)
}

// run executes the entries in order; the error means that the record could not be kept.
func (h *hostRun) run(ctx context.Context) (engine.Outcome, error) {
	began := h.now()
	err := h.all(ctx, h.play.Entries, plan.WillRun)
	h.blame(err)
	o := h.outcome(err)
	if h.past.over() {
		o = h.past.outcome(h.host.Name)
	}
	h.event(engine.Event{Kind: engine.EventHostEnd, Status: string(o.Status), Error: engine.NewEventError(o.Err), Took: h.now().Sub(began), Waits: h.pending})
	return o, h.record
}

func (h *hostRun) outcome(err error) engine.Outcome {
	o := engine.Outcome{Host: h.host.Name, Status: engine.HostOK, Err: err, Pending: len(h.pending) > 0 || h.o.Offline}
	var out *plan.OutOfPlan
	switch {
	case err == nil:
	case errors.Is(err, errStopped), errors.Is(err, context.Canceled):
		o.Status = engine.HostAborted
	case errors.Is(err, errLate) && h.begun == 0:
		o.Status = engine.HostNotAttempted
	case errors.Is(err, errLate):
		o.Status = engine.HostAborted
	case errors.As(err, &out):
		o.Status = engine.HostOutOfPlan
	case engine.IsUnreachable(err) && engine.HostOf(err) == h.host.Name:
		o.Status = engine.HostUnreachable
	default:
		o.Status = engine.HostFailed
	}
	return o
}

// event records something about this host; a failing journal is remembered and ends the run.
func (h *hostRun) event(e engine.Event) {
	e.Play, e.Host = h.play.Name, h.host.Name
	if h.past.told(e) {
		return
	}
	if err := h.write(e); err != nil && h.record == nil {
		h.record = err
	}
}

// doer is the host that does an entry, ready to be asked. Answers that it shares are not older than since, nor than what
// was done for this host.
func (h *hostRun) doer(pool machine.Pool, s engine.Settings, since time.Time) *machine.Host {
	if since.Before(h.acted) {
		since = h.acted
	}
	host := h.o.Inventory.Hosts[s.On]
	var sudo *engine.Sudo
	if s.Sudo != nil {
		sudo = merge(*s.Sudo, host.Sudo)
	}
	return machine.New(pool, host, machine.Options{Sudo: sudo, Memo: h.memos.since(since),
		Ran:      func(line string) { h.looked(host.Name, line) },
		Progress: func(p engine.Progress) { h.copying(host.Name, p) }})
}

// copying tells how far a long copy is.
func (h *hostRun) copying(on string, p engine.Progress) {
	e := engine.Event{Kind: engine.EventProgress, Play: h.play.Name, Host: h.host.Name, Reason: p.String()}
	if on != h.host.Name {
		e.On = on
	}
	_ = h.write(e) // it is no record of what was done; the next event that is finds out that there is no journal
}

// merge fills what an entry's sudo block leaves open from what the inventory says.
func merge(entry engine.Sudo, inventory *engine.Sudo) *engine.Sudo {
	if inventory == nil {
		return &entry
	}
	if entry.User == "" {
		entry.User = inventory.User
	}
	if entry.Password.IsZero() {
		entry.Password = inventory.Password
	}
	if entry.Method == "" {
		entry.Method = inventory.Method
	}
	entry.TTY = entry.TTY || inventory.TTY
	return &entry
}
