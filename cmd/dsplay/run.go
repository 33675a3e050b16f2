package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type runFlags struct {
	load     loadFlags
	limit    []string
	tags     []string
	skipTags []string
	parallel int
	yes      bool
	check    bool
	json     bool
	verbose  int
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run PLAYBOOK",
		Short: "Look, show what would be done, ask, and do exactly that",
		Long: `run makes two passes over the playbook. The first only looks: it runs the probes, evaluates every condition, and
lets every step say what it would change. The result is shown and has to be confirmed. The second pass looks again and acts,
and does nothing that the first did not announce: a host that needs something else by then is stopped and reported (out_of_plan).

The first Ctrl-C (or SIGTERM) stops starting things and lets what runs finish; the second kills, on the targets too.
` + exitHelp,
		Example: `  dsplay run playbooks/engine-offline.hcl -i inventory.hcl
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --check              only look
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --limit esx2 --yes   act on esx2 only, do not ask
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --var reboot=true --json > events.jsonl`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlaybook,
		RunE:              func(c *cobra.Command, args []string) error { return a.run(c, args[0], f) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	f.load.register(c)
	c.Flags().StringSliceVarP(&f.limit, "limit", "l", nil, "act only on these hosts or groups; plays that only look still see every host")
	completes(c, "limit", a.completeHosts(&f.load, true))
	c.Flags().StringSliceVar(&f.tags, "tags", nil, "execute only entries with one of these tags; the others are skipped")
	c.Flags().StringSliceVar(&f.skipTags, "skip-tags", nil, "skip entries with one of these tags")
	c.Flags().IntVar(&f.parallel, "parallel", 50, "hosts at a time")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask before acting")
	c.Flags().BoolVar(&f.check, "check", false, "only look and show what would be done; exit 2 when there are changes")
	c.Flags().BoolVar(&f.json, "json", false, "write events as JSON lines to standard output; everything for people goes to standard error")
	c.Flags().CountVarP(&f.verbose, "verbose", "v", "show every entry; twice: values and conditions, too")
	return c
}

func (a *app) run(c *cobra.Command, path string, f runFlags) error {
	if f.parallel < 1 {
		return fmt.Errorf("--parallel %d: at least 1 host at a time; nothing was executed", f.parallel)
	}
	if !f.yes && !f.check && !term.IsTerminal(int(a.stdin.Fd())) {
		return errors.New("nobody can be asked without a terminal: say --yes to act, or --check to look only; nothing was executed")
	}
	l, err := a.load(path, f.load)
	if err != nil {
		return err
	}
	inv, err := l.resolve(c.Context())
	if err != nil {
		return err
	}
	only, err := limit(f.limit, inv)
	if err != nil {
		return err
	}
	if c.Flags().Changed("limit") && len(only) == 0 {
		return errors.New("--limit names no host (an empty text, or a group without members); nothing was executed")
	}
	if err := knownTags(l.program.Playbook(), append(slices.Clone(f.tags), f.skipTags...)); err != nil {
		return err
	}
	redactor := report.NewRedactor(&a.secrets)
	runner := run.New(run.Options{
		ID: runID(time.Now()), Program: l.program, Inventory: inv, Transports: l.wires.transports,
		Parallel: f.parallel, Limit: only, Tags: f.tags, SkipTags: f.skipTags, Stop: a.stop, Journal: report.Sinks{Redactor: redactor, To: a.sinks(f)},
	})
	s := &session{app: a, c: c, f: f, runner: runner, redact: redactor.Text}
	defer heedPipes()()
	end := s.tellSignals(c.Context())
	err = s.execute(engine.Event{Kind: engine.EventRunStart, Title: path, Hosts: len(inv.Names()), Args: l.program.Vars()})
	end()
	return errors.Join(err, closed(runner))
}

// closed ends the connections; that one would not close properly is no reason for another exit code.
func closed(r *run.Runner) error {
	_ = r.Close()
	return nil
}

// session is one run, from its first event to its last.
type session struct {
	*app
	c      *cobra.Command
	f      runFlags
	runner *run.Runner
	redact func(string) string
}

// tellSignals reports at once that a signal was heard, and that what runs is killed: the run itself says so only when
// what runs has ended, and who sees nothing presses Ctrl-C again. The function it returns ends that, and waits for it.
func (s *session) tellSignals(ctx context.Context) (end func()) {
	over, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-s.stop:
			s.note("stopping: nothing new is started, what runs may finish for %s; once more (Ctrl-C) kills it, on the targets too", grace)
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

func (s *session) execute(start engine.Event) error {
	if err := s.runner.Log(start); err != nil {
		return err
	}
	p, res, err := s.runner.Plan(s.c.Context())
	if err != nil {
		return err
	}
	acting := len(p.Acting())
	if err := s.runner.Log(engine.Event{Kind: engine.EventPlan, Counts: map[string]int{"acting": acting}, Reason: p.Worst().String()}); err != nil {
		return err
	}
	switch {
	case res.Stop != nil || acting == 0 || !res.AnyHost:
		return s.end(res)
	case s.f.check:
		p.Text(s.text(), s.redact)
		code, _, _ := verdict(res)
		if code == exitOK {
			code = exitChanges
		}
		return s.finish(code, "planned", p.Worst().String())
	}
	p.Text(s.text(), s.redact)
	no := s.refusal()
	switch {
	case s.signal.Load() != 0:
		return s.finish(exitSIGINT, "stopped", "a signal asked to stop; nothing was changed")
	case no != "":
		return s.finish(exitRefused, "not confirmed", no+"nothing was changed")
	}
	return s.apply(p)
}

func (s *session) apply(p *plan.Plan) error {
	fmt.Fprintln(s.text())
	res, err := s.runner.Apply(s.c.Context(), p)
	if err != nil {
		return s.broken(err)
	}
	return s.end(res)
}

// broken ends a run that met a bug, or whose record could not be kept. Something may have been done.
func (s *session) broken(err error) error {
	code, status, reason := exitFailed, "failed", "the record of the run could not be kept"
	if errors.As(err, new(*run.Bug)) {
		code, status, reason = exitBug, "bug", "a bug in dsplay ended the run"
	}
	_ = s.finish(code, status, reason+"; what was done until then is above") // err says more than that this cannot be written
	return &exitError{code, fmt.Errorf("the run ended early, something may have been changed: %w", err)}
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
	if err := s.runner.Log(engine.Event{Kind: engine.EventRunEnd, Status: status, Reason: reason, Exit: &code, Waits: notBegun}); err != nil {
		return err
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// refusal asks the person at the terminal, unless --yes says it, and is empty for a yes.
func (s *session) refusal() string {
	if s.f.yes {
		return ""
	}
	fmt.Fprint(s.text(), "\nDo this? Only 'yes' is a yes: ")
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(s.stdin).ReadString('\n')
		if err != nil {
			line = ""
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		switch line {
		case "yes":
			return ""
		case "":
			return "no answer; "
		}
		return fmt.Sprintf("the answer was %q, not yes; ", line)
	case <-s.stop:
		return "a signal came instead of an answer; "
	}
}

// runID is unique enough for one machine's history, and sorts by time.
func runID(now time.Time) string {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // it does not fail since Go 1.24
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(random)
}
