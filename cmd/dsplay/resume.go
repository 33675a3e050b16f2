package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type resumeFlags struct {
	passFlags
	assume string
	settle time.Duration
	gone   bool
}

func (a *app) resumeCommand() *cobra.Command {
	var f resumeFlags
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was cut: killed, without power, or stopped by a signal",
		Long: `resume goes on with a run where it was cut, under the plan that it had begun to apply. What has a result is not repeated.
A change that was begun and has no result is checked again on its host, or proven: by a process or a boot that is younger than
the change. What the host shows not to have happened is done then. What nobody can tell is asked at a terminal; without
one, or with the answer "unknown", that host ends failed (lost) and is reported with what to look at.

A recover that was cut looks at its goal first, and goes on with the attempt in which it was. Hosts that had not begun are
looked at again: where a decision would be different today, nothing is done for that host. Nothing outside the plan can happen.

The journal is verified before: one that was changed is refused, and so are a run that ended and one whose process still lives.
Connections and secrets come from the inventory, which is read again; a secret variable has to be given again.
` + exitHelp,
		Example: `  dsplay runs list --unfinished
  dsplay resume 20261123-021500-9f86d081
  dsplay resume 20261123-021500-9f86d081 --assume not-done     what nobody can tell is done again`,
		Args:              takes(1, 1),
		ValidArgsFunction: completeRun,
		RunE: func(c *cobra.Command, args []string) error {
			return a.telling(c.Context(), args[0], &f.passFlags, func() error { return a.resume(c, args[0], f) })
		},
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVar(&f.assume, "assume", "", "of changes of which nobody can tell whether they happened: done or not-done (then they are done again); default: ask, or leave them")
	completes(c, "assume", cobra.FixedCompletions([]cobra.Completion{"done", "not-done"}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().DurationVar(&f.settle, "settle", 2*time.Minute, "how old a change must be before it counts as not done because its host does not show it: it may still be under way")
	c.Flags().BoolVar(&f.gone, "gone", false, "the process of the run is gone for certain: where it ran on another machine, this one cannot tell")
	f.registerUnder(c)
	return c
}

// resumption is a run that is gone on with.
type resumption struct {
	record     *journal.Record
	recoveries journal.Recoveries
	past       *run.Past
	permitted  []engine.Arg   // by which policy, as its apply event says; nil: a person consented
	window     *engine.Window // of that policy
	settle     time.Duration
	ask        func(context.Context, run.Unsettled) run.Verdict
}

// into makes a session go on with it.
func (r *resumption) into(s *session, o *run.Options) {
	s.id, s.resumes = r.record.Head.Run, r
	o.ID, o.Seq, o.Past, o.Settle, o.Settling = s.id, r.record.Seq+1, r.past, r.ask, r.settle
}

func (a *app) resume(c *cobra.Command, id string, f resumeFlags) error {
	if f.assume != "" && f.assume != "done" && f.assume != "not-done" {
		return fmt.Errorf("--assume %s: it is done or not-done; nothing was executed", f.assume)
	}
	if f.bounds.lock == lockSkip {
		return errors.New("--lock skip: what a run has begun cannot be left to another one; nothing was executed")
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	r, d, err := resumable(state, id, f.gone)
	if err != nil {
		return err
	}
	r.settle, r.ask = f.settle, a.asker(f)
	f.resume, f.id = r, id
	return a.under(c, d, f.passFlags, nil, func(s *session) error { return s.goOn(d) })
}

// resumable reads what is left of a run, and refuses one that cannot be gone on with.
func resumable(state, id string, gone bool) (*resumption, *plan.Document, error) {
	refuse := func(format string, a ...any) (*resumption, *plan.Document, error) {
		return nil, nil, &exitError{exitRefused, fmt.Errorf("run %s cannot be resumed: %w; nothing was executed", id, fmt.Errorf(format, a...))}
	}
	past := run.NewPast()
	var recoveries journal.Recoveries
	var bound []engine.Arg
	r, err := journal.Read(state, id, func(e engine.Event) {
		past.Add(e)
		recoveries.Add(e)
		if e.Kind == engine.EventApply && len(e.Args) > 0 {
			bound = e.Args
		}
	})
	if err == nil {
		err = journal.Whole(state, r)
	}
	switch {
	case err != nil && journal.Blank(state, id):
		return refuse("it was cut before its first line was written, and nothing was begun; run the playbook again")
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("there is no run %s in %s; \"dsplay runs\" lists them; nothing was executed", id, state)
	case err != nil:
		return refuse("%w", err)
	case r.Ended && !bySignal(r.Summary):
		return refuse("it ended at %s (%s: %s), and what has ended is not gone on with: start the playbook anew, which looks at everything first", clock(r.Summary.Ended), r.Summary.Status, r.Summary.Reason)
	}
	switch lives, err := r.Last.Process.Lives(); {
	case err != nil && !gone:
		return refuse("%w (--gone, when you know better)", err)
	case lives:
		return refuse("%s still goes on with it", r.Last.Process)
	}
	if r.Summary.Plan == "" {
		return refuse("it was cut before it began to change anything; run the playbook again")
	}
	d, err := keptPlan(state, id, r.Summary.Plan)
	if err != nil {
		return refuse("%w", err)
	}
	past.Doubt = doubt(r, time.Now())
	out := &resumption{record: r, past: past, recoveries: recoveries, permitted: bound}
	if out.window, err = windowOf(bound); err != nil {
		return refuse("the window of the policy that had permitted it: %w", err)
	}
	return out, d, nil
}

// bySignal tells whether a run ended because a signal or its deadline asked it to, after it had begun to act.
func bySignal(s journal.Summary) bool {
	return s.Exit != nil && slices.Contains([]int{exitSIGHUP, exitSIGINT, exitSIGTERM, exitDeadline}, *s.Exit) && s.Plan != ""
}

// keptPlan is the plan in the folder of a run, which must be the one that its journal names.
func keptPlan(state, id, want string) (*plan.Document, error) {
	data, err := os.ReadFile(filepath.Join(journal.Dir(state, id), journal.Plan))
	if err != nil {
		return nil, fmt.Errorf("its plan: %w", err)
	}
	d, err := plan.Read(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("its plan: %w", err)
	case d.ID != want:
		return nil, fmt.Errorf("its plan was exchanged: the journal names %s, and %s is there", want, d.ID)
	}
	return d, nil
}

// doubt says why the times in a journal are no measure for how old a process is: the clock was changed.
func doubt(r *journal.Record, now time.Time) string {
	if now.Add(2 * time.Second).Before(r.Time) {
		return fmt.Sprintf("the clock of this machine (%s) is behind the journal's last line (%s)", clock(now), clock(r.Time))
	}
	for _, h := range []journal.Head{r.Head, r.Last} { // what is open may be of either
		if skew, known := h.Process.Skew(h.Time, now); known && skew.Abs() > 2*time.Second {
			return fmt.Sprintf("the clock of this machine was changed by %s since the run began", skew.Round(time.Second))
		}
	}
	return ""
}

// goOn looks at hosts that had not begun, and acts.
func (s *session) goOn(d *plan.Document) error {
	if err := s.spend(d); err != nil {
		return s.refused(err)
	}
	r := s.resumes
	s.note("resuming run %s: %s kept, %s without a result; %s wrote last, at %s", s.id, plural(r.past.Kept(), "result"), plural(len(r.past.Open()), "change"),
		r.record.Last.Process, clock(r.record.Time))
	if left := r.settle - time.Since(r.record.Time); left > 0 && len(r.past.Open()) > 0 { // nothing is heard meanwhile
		s.note("a change that its host does not show may still be under way: that is waited for, up to %s (--settle)", left.Round(time.Second))
	}
	if n := r.record.Lost; n > 0 {
		s.note("the last %d bytes of the journal were torn and are left out (%s/torn-%d); nothing in them had been synced", n, s.record.file.Dir(), r.record.Seq+1)
	}
	if r.past.Doubt != "" {
		s.note("%s: what was begun cannot be proven by the age of a process", r.past.Doubt)
	}
	s.noteDifferences(d)
	if err := s.sameHosts(d); err != nil {
		return s.refused(err)
	}
	if err := s.stillPermitted(time.Now()); err != nil {
		return s.refused(err)
	}
	p := d.Envelope(s.loaded.program.Playbook())
	if ok, _, err := s.admit(p); err != nil || !ok {
		return err
	}
	now, _, err := s.look()
	if err != nil {
		return err
	}
	if s.signal.Load() != 0 {
		return s.finish(exitSIGINT, "stopped", "a signal asked to stop; nothing further was done")
	}
	if err := s.spare(p, now); err != nil {
		return err
	}
	return s.apply(p)
}

// spend uses the plan up, unless this run has done so.
func (s *session) spend(d *plan.Document) error {
	by, err := journal.SpentBy(s.state, d.ID)
	switch {
	case err != nil:
		return err
	case by != nil && by.Run != s.id:
		return by
	case by == nil:
		s.record.first = func() error { return journal.Spend(s.state, journal.Spent{Plan: d.ID, Run: s.id, When: time.Now()}) }
	}
	return nil
}

// spare takes hosts out of the plan that had not begun, and for which something else would be decided today.
func (s *session) spare(p, now *plan.Plan) error {
	left := map[[2]string]string{}
	for _, drift := range plan.Compare(p, now) {
		if drift.Host != "" && s.resumes.past.Begun(drift.Play, drift.Host) {
			continue
		}
		status := "refused"
		if drift.Gone {
			status = "dropped"
		}
		if err := s.tellDrift([]plan.Drift{drift}, status); err != nil {
			return err
		}
		left[[2]string{drift.Play, drift.Host}] = drift.What
	}
	var gone []plan.Drift
	for _, i := range p.Acting() {
		what, out := left[[2]string{i.Play, i.Host}]
		if out {
			gone = append(gone, plan.Drift{Play: i.Play, Host: i.Host, Entry: i.Entry, Item: i.Item, What: what, Gone: true})
		}
	}
	p.Narrow(gone)
	return nil
}

// asker asks the person at the terminal what became of a change, unless the flags say.
func (a *app) asker(f resumeFlags) func(context.Context, run.Unsettled) run.Verdict {
	switch {
	case f.assume == "done":
		return func(context.Context, run.Unsettled) run.Verdict { return run.Done }
	case f.assume == "not-done":
		return func(context.Context, run.Unsettled) run.Verdict { return run.NotDone }
	case !term.IsTerminal(int(a.stdin.Fd())):
		return nil
	}
	var one sync.Mutex
	in := bufio.NewReader(a.stdin)
	return func(ctx context.Context, u run.Unsettled) run.Verdict {
		one.Lock()
		defer one.Unlock()
		select {
		case <-a.stop: // it came while another question was open
			return run.Unknown
		default:
		}
		w := a.textOut(f.passFlags)
		fmt.Fprintf(w, "\n%s: %s was begun on %s at %s, and nothing tells whether it happened (%s).\n", u.Host, u.Entry, u.On, clock(u.Began), u.Why)
		for _, line := range u.Commands {
			fmt.Fprintf(w, "    $ %s\n", line)
		}
		fmt.Fprint(w, "Did it happen? 'yes', 'no' (it is done now), anything else: unknown (the host ends here): ")
		answer := make(chan string, 1)
		go func() {
			line, err := in.ReadString('\n')
			if err != nil {
				line = ""
			}
			answer <- strings.TrimSpace(line)
		}()
		select {
		case said := <-answer:
			if verdict, ok := map[string]run.Verdict{"yes": run.Done, "no": run.NotDone}[said]; ok {
				return verdict
			}
		case <-a.stop:
		case <-ctx.Done():
		}
		return run.Unknown
	}
}

// completeRun completes the name of a run.
func completeRun(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	state, err := stateDir()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ids, err := journal.IDs(state)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return ids[:min(len(ids), 200)], cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// withoutEnd is the text of an error that says of itself that nothing was executed.
func withoutEnd(err error) string { return strings.TrimSuffix(err.Error(), "; nothing was executed") }
