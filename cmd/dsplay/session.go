package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/journal/lock"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/spf13/cobra"
)

// passFlags are what plan, run and apply share.
type passFlags struct {
	load     loadFlags
	limit    []string
	tags     []string
	skipTags []string
	parallel int
	json     bool
	verbose  int
	offline  bool
	resume   *resumption // the run that is gone on with; nil: it is a new one
	bounds   boundFlags
	id       string // of the run; empty: it is made
	tellFlags
}

// registerScope adds what is executed, and for whom.
func (a *app) registerScope(c *cobra.Command, f *passFlags) {
	c.Flags().StringSliceVarP(&f.limit, "limit", "l", nil, "act only on these hosts or groups; plays that only look still see every host")
	completes(c, "limit", a.completeHosts(&f.load, true))
	c.Flags().StringSliceVar(&f.tags, "tags", nil, "execute only entries with one of these tags; the others are skipped")
	c.Flags().StringSliceVar(&f.skipTags, "skip-tags", nil, "skip entries with one of these tags")
}

// registerOutput adds how it runs, and what is shown meanwhile.
func (f *passFlags) registerOutput(c *cobra.Command) {
	c.Flags().IntVar(&f.parallel, "parallel", 50, "hosts at a time")
	c.Flags().BoolVar(&f.json, "json", false, "write events as JSON lines to standard output; everything for people goes to standard error")
	c.Flags().CountVarP(&f.verbose, "verbose", "v", "show every entry; twice: values and conditions, too")
}

// session is one run, from its first event to its last.
type session struct {
	*app
	c        *cobra.Command
	f        passFlags
	path     string         // of the playbook
	id       string         // of the run
	approved *plan.Document // the plan that is applied; nil: the run makes its own
	resumes  *resumption    // the run that is gone on with; nil: this one is new
	state    string         // the folder of records; "": nothing is recorded
	loaded   *loaded
	inv      *engine.Inventory
	only     []string // hosts of --limit; nil: no limit
	runner   *run.Runner
	record   record
	locks    []*lock.Lock // of hosts; they are free when the process ends
	turn     *lock.Lock   // to be judged by policies; nil: it is over
	bounds   run.Bounds
	permit   []engine.Arg // which policy permits the run, and its window, as the apply event says it
	ended    bool         // the last event is written
	looked   run.Result   // how planning ended
	redact   func(string) string
}

// begin loads everything, and asks the inventory's sources for their hosts.
func (a *app) begin(c *cobra.Command, path string, f passFlags) (_ *session, err error) {
	if f.parallel < 1 {
		return nil, fmt.Errorf("--parallel %d: at least 1 host at a time; nothing was executed", f.parallel)
	}
	l, err := a.load(path, f.load)
	if err != nil {
		return nil, err
	}
	s := &session{app: a, c: c, f: f, path: path, id: cmp.Or(f.id, runID(time.Now())), loaded: l}
	var pool *run.Pool // of what the sources asked
	if f.offline && l.model != nil {
		s.inv = l.model.Inventory()
	} else if s.inv, pool, err = l.connect(c.Context()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && pool != nil {
			_ = pool.Close() // err says more
		}
	}()
	if s.only, err = limit(f.limit, s.inv); err != nil {
		return nil, err
	}
	if f.load.from != nil {
		s.only = f.load.from.limit
	}
	if c.Flags().Changed("limit") && len(s.only) == 0 {
		return nil, errors.New("--limit names no host (an empty text, or a group without members); nothing was executed")
	}
	if err := knownTags(l.program.Playbook(), append(slices.Clone(f.tags), f.skipTags...)); err != nil {
		return nil, err
	}
	l.program.ReadSecrets()
	redactor := report.NewRedactor(&a.secrets)
	s.redact = redactor.Text
	s.record.sinks = report.Sinks{Redactor: redactor, To: a.sinks(f)}
	o := run.Options{
		ID: s.id, Program: l.program, Inventory: s.inv, Transports: l.wires.transports, Pool: pool, Parallel: f.parallel, Limit: s.only,
		Tags: f.tags, SkipTags: f.skipTags, Stop: a.stop, Why: a.why, Offline: f.offline, Journal: &s.record, Redact: s.redact,
	}
	if f.resume != nil {
		f.resume.into(s, &o)
		s.record.recoveries = f.resume.recoveries
	}
	s.runner = run.New(o)
	return s, nil
}

// record is where events go: to the journal, where there is one, and to who reads them. What is read may be some milliseconds ahead
// of the disk; what is done is not (Sync).
type record struct {
	sinks report.Sinks
	file  *journal.File
	// recoveries are what the run had to bring back.
	recoveries journal.Recoveries
	// first is called before the first change; its error prevents it.
	first func() error
}

// Append implements engine.Journal.
func (r *record) Append(e engine.Event) error {
	if e.Kind == engine.EventIntent && r.first != nil {
		if err := r.first(); err != nil {
			return err
		}
		r.first = nil
	}
	r.recoveries.Add(e)
	return r.sinks.Append(e)
}

// Sync implements engine.Syncer.
func (r *record) Sync() error {
	if r.file == nil {
		return nil
	}
	return r.file.Sync()
}

// close ends the journal and tells where it is, with the hash that covers all of it: who keeps that elsewhere can prove later that
// nobody changed it.
func (r *record) close(w io.Writer) error {
	if err := r.file.Close(); err != nil {
		return &exitError{exitFailed, fmt.Errorf("the end of the journal %s could not be written: %w", r.file.Dir(), err)}
	}
	fmt.Fprintf(w, "journal: %s %s\n", r.file.Dir(), r.file.Hash())
	return nil
}

// journal begins the journal, or goes on with the one of the run that was cut.
func (s *session) journal() (*journal.File, error) {
	if s.resumes != nil {
		return journal.Continue(s.state, s.resumes.record, s.head())
	}
	return journal.Create(s.state, s.head())
}

// head is the first line of the journal.
func (s *session) head() journal.Head {
	user, _ := whoami()
	h := journal.Head{Run: s.id, Dsplay: version, Process: journal.This(user)}
	if s.approved != nil {
		h.Plan = s.approved.ID
	}
	return h
}

// during does the work of a session between its first event and its last; acts says that a journal is kept.
func (s *session) during(acts bool, work func() error) (err error) {
	defer heedPipes()()                     // to the very end: what is said last may find nobody
	defer func() { _ = s.runner.Close() }() // that a connection would not close properly is no reason for another exit code
	if acts {
		if s.state, err = stateDir(); err != nil {
			return err
		}
		if network := lock.Network(s.state); network != "" {
			return fmt.Errorf("the state folder %s is on %s, where a record can be lost or mixed with that of another machine: set XDG_STATE_HOME to a folder on a disk of this machine; nothing was executed", s.state, network)
		}
		if s.record.file, err = s.journal(); err != nil {
			return fmt.Errorf("%w; nothing was executed", err)
		}
		defer func() {
			err = errors.Join(err, s.record.close(s.text()))
			s.tellResume()
		}()
		s.record.sinks.To = append([]engine.Journal{s.record.file}, s.record.sinks.To...)
	}
	end := s.tellSignals(s.c.Context())
	err = s.runner.Log(engine.Event{Kind: engine.EventRunStart, Title: s.path, Hosts: len(s.inv.Names()), Args: s.loaded.program.Vars()})
	if err == nil {
		err = work()
	}
	if err != nil && !s.ended { // every process that wrote a beginning writes an end
		_ = s.finish(codeOf(err), "failed", "it could not go on: "+withoutEnd(err)) // err is told anyway
	}
	end()
	s.tell(err)
	return err
}

// tellResume says how to go on with a run that a signal or its deadline has stopped after it had begun to act.
func (s *session) tellResume() {
	if sum, err := journal.ReadSummary(s.state, s.id); err == nil && bySignal(sum) {
		fmt.Fprintf(s.text(), "to go on where it was stopped: dsplay resume %s\n", s.id)
	}
}

// tellSignals reports at once that a signal was heard, and that what runs is killed: the run itself says so only when
// what runs has ended, and who sees nothing presses Ctrl-C again. The function it returns ends that, and waits for it.
func (s *session) tellSignals(ctx context.Context) (end func()) {
	over, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-s.stop:
			because := ""
			if s.overdue() {
				because = s.why() + "; "
			}
			s.note("stopping: "+because+"nothing new is started, what runs may finish for %s; once more (Ctrl-C) kills it, on the targets too", grace)
		case <-over:
			return
		}
		select {
		case <-ctx.Done():
			s.note("killing what runs, on the targets too; what it has done by then is not known")
		case <-over:
		}
	}()
	return func() { close(over); <-told }
}

// note is for whoever waits. That it cannot be written is found out by the run, which writes to the same place.
func (s *session) note(format string, args ...any) {
	_ = s.runner.Log(engine.Event{Kind: engine.EventSignal, Reason: fmt.Sprintf(format, args...)})
}

// plan looks. done says that there is nothing to apply, and that the session was ended.
func (s *session) plan() (p *plan.Plan, done bool, err error) {
	p, res, err := s.look()
	if err != nil {
		return nil, true, err
	}
	if res.Stop != nil || len(p.Acting()) == 0 || !res.AnyHost {
		return p, true, s.end(res)
	}
	s.looked = res
	return p, false, nil
}

func (s *session) look() (*plan.Plan, run.Result, error) {
	p, res, err := s.runner.Plan(s.c.Context())
	if err != nil {
		return nil, res, err
	}
	for _, r := range s.loaded.asked { // the sources have their answers, nothing is added any more
		p.Look(r.host, s.redact(r.line))
	}
	return p, res, s.runner.Log(engine.Event{Kind: engine.EventPlan, Counts: map[string]int{"acting": len(p.Acting())}, Reason: p.Worst().String()})
}

// planned ends a session that only plans: with code, unless planning itself did not go well.
func (s *session) planned(p *plan.Plan, code int) error {
	if bad, _, _ := verdict(s.looked); bad != exitOK {
		code = bad
	}
	return s.finish(code, "planned", p.Worst().String())
}

func (s *session) apply(p *plan.Plan) error {
	fmt.Fprintln(s.text())
	if err := s.keep(p); err != nil {
		return err
	}
	res, err := s.runner.Apply(s.c.Context(), p)
	if err != nil {
		return s.broken(err)
	}
	return s.end(res)
}

// broken ends a run that met a bug, or whose record could not be kept. Something may have been done.
func (s *session) broken(err error) error {
	code, status, reason := exitFailed, "failed", "the record of the run could not be kept"
	var spent *journal.Spent
	switch {
	case errors.As(err, new(*run.Bug)):
		code, status, reason = exitBug, "bug", "a bug in dsplay ended the run"
	case errors.As(err, &spent):
		return s.refused(spent)
	}
	_ = s.finish(code, status, reason+"; what was done until then is above") // err says more than that this cannot be written
	return &exitError{code, fmt.Errorf("the run ended early, something may have been changed: %w", err)}
}

// refused ends a run in which the plan may not be applied.
func (s *session) refused(err error) error {
	return s.finish(exitRefused, "refused", err.Error()+"; nothing was executed")
}

// heedPipes lets writing to a pipe that nobody reads fail, instead of ending the process in the middle of something.
func heedPipes() (end func()) {
	pipes := make(chan os.Signal, 1) // nobody reads it: being caught is enough
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(pipes) }
}

func (s *session) end(res run.Result) error {
	code, status, reason := verdict(res)
	return s.finish(code, status, reason, res.NotBegun...)
}

// finish writes the last event and turns the code into the process's.
func (s *session) finish(code int, status, reason string, notBegun ...string) error {
	code = s.exit(code)
	s.ended = true
	_ = s.endTurn() // what ended may do nothing; that it cannot be recorded is found out below
	if err := s.tellRecurrences(); err != nil {
		return err
	}
	if err := s.runner.Log(engine.Event{Kind: engine.EventRunEnd, Status: status, Reason: reason, Exit: &code, Waits: notBegun}); err != nil {
		return err
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// runTime is how a run's name begins.
const runTime = "20060102-150405"

// runID is unique enough for one machine's history, and sorts by time: to the millisecond, which is in the first three digits of
// its last part; the others are random.
func runID(now time.Time) string {
	random := make([]byte, 3)
	_, _ = rand.Read(random) // it does not fail since Go 1.24
	return now.UTC().Format(runTime+"-") + fmt.Sprintf("%03x", now.Nanosecond()/int(time.Millisecond)) + hex.EncodeToString(random)[:5]
}
