package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/spf13/cobra"
)

type runsFlags struct {
	last       int
	unfinished bool
}

func (a *app) runsCommand() *cobra.Command {
	var f runsFlags
	c := &cobra.Command{
		Use:   "runs",
		Short: "What was run here: list, show, compare, verify, and remove records",
		Long: `runs lists the runs of this machine and account, the newest first. Every run of "dsplay run" and "dsplay apply" keeps a
record: each event, a line before and after each change, sealed with a chain of hashes (docs/journal.md).

OUTCOME is how a run ended; "cut" says that its process is gone and it has no end: "dsplay resume" goes on with it.
HEALED counts the recovers that brought something back, of those that were needed.
` + exitHelp,
		Example: `  dsplay runs                          the last 20
  dsplay runs list --unfinished        what can be resumed
  dsplay runs show 20261123-021500-9f86d081 --format markdown
  dsplay runs verify                   was anything changed?
  dsplay runs prune --older-than 90d`,
		Args: onlyCommands,
		RunE: func(*cobra.Command, []string) error { return a.listRuns(f) },
	}
	f.register(c)
	list := &cobra.Command{Use: "list", Short: "List the runs, the newest first", Args: takes(0, 0), RunE: func(*cobra.Command, []string) error { return a.listRuns(f) }}
	f.register(list)
	c.AddCommand(list, a.runsShowCommand(), a.runsDiffCommand(), a.runsVerifyCommand(), a.runsPruneCommand())
	for _, sub := range append(c.Commands(), c) {
		sub.SetFlagErrorFunc(wrongFlag)
	}
	return c
}

func (f *runsFlags) register(c *cobra.Command) {
	c.Flags().IntVarP(&f.last, "last", "n", 20, "how many; 0: all")
	c.Flags().BoolVar(&f.unfinished, "unfinished", false, "only runs that were cut or stopped, or still run")
}

func (a *app) listRuns(f runsFlags) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	ids, err := journal.IDs(state)
	if err != nil {
		return err
	}
	w := table(a.out)
	fmt.Fprintln(w, "RUN\tSTARTED\tPLAYBOOK\tBY\tOUTCOME\tCHANGED\tFAILED\tHEALED")
	shown := 0
	for _, id := range ids {
		if f.last > 0 && shown == f.last {
			break
		}
		s, stands, err := journal.Brief(state, id)
		if f.unfinished && (err != nil || stands == journal.Over && !bySignal(s)) {
			continue
		}
		shown++
		fmt.Fprintln(w, report.Printable(runLine(id, s, stands, err)))
	}
	if shown == 0 {
		fmt.Fprintln(w, "(none in "+state+")")
	}
	return w.Flush()
}

func runLine(id string, s journal.Summary, stands journal.State, err error) string {
	if err != nil {
		return id + "\t\t\t\tunreadable: " + err.Error()
	}
	outcome, healed := string(stands), ""
	if stands == journal.Over {
		outcome = s.Status
	}
	if s.Resumed > 0 {
		outcome += ", resumed"
	}
	if n := len(s.Recoveries); n > 0 {
		healed = fmt.Sprintf("%d of %d", s.Healed(), n)
	}
	started := ""
	if !s.Started.IsZero() {
		started = s.Started.Local().Format("2006-01-02 15:04")
	}
	return strings.Join([]string{id, started, filepath.Base(s.Playbook), s.User + "@" + s.Host, outcome, strconv.Itoa(s.Changed), strconv.Itoa(s.Failed), healed}, "\t")
}

// runsPruneCommand removes records.
func (a *app) runsPruneCommand() *cobra.Command {
	var (
		keep       int
		older      string
		force, try bool
	)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Remove the records of old runs",
		Long: `prune removes the folders of runs: all but the newest N (--keep), or those that began before a time (--older-than); with both, what both say.
The plan that such a run left for a person goes with it, approvals included.
A run that has not ended is kept, because it could be resumed, unless --force; one whose process lives is kept in any case.

What is removed counts no more: neither for cooldown, per_hour and breaker of policies, as far back as these look, nor for the warning about what
comes back within 7 days. Whoever removes runs of that time permits what they would have refused; prune says how many there were.
` + exitHelp,
		Example: `  dsplay runs prune --older-than 90d
  dsplay runs prune --keep 1000 --dry-run`,
		Args: takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if keep <= 0 && older == "" {
				return errors.New("say --keep N or --older-than TIME (90d, 12h); nothing was removed")
			}
			before := time.Now()
			if older != "" {
				age, err := days(older)
				if err != nil {
					return err
				}
				before = before.Add(-age)
			}
			return a.prune(keep, before, force, try)
		},
	}
	c.Flags().IntVar(&keep, "keep", 0, "keep the newest N")
	c.Flags().StringVar(&older, "older-than", "", "remove what began longer ago than this: 90d, 12h")
	c.Flags().BoolVar(&force, "force", false, "runs that were cut, too")
	c.Flags().BoolVar(&try, "dry-run", false, "only say what would be removed")
	return c
}

// days is a duration that may be in days.
func days(text string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(text, "d"); ok {
		if d, err := strconv.Atoi(n); err == nil && d > 0 {
			return time.Duration(d) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, fmt.Errorf("--older-than %q: it is a time like 90d or 12h; nothing was removed", text)
}

func (a *app) prune(keep int, before time.Time, force, try bool) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	ids, err := journal.IDs(state)
	if err != nil {
		return err
	}
	removed, left, recent := 0, 0, 0
	for _, id := range ids[min(keep, len(ids)):] {
		if id >= before.UTC().Format(runTime) {
			continue
		}
		s, stands, err := journal.Brief(state, id)
		if stands == journal.Running || (stands == journal.Cut || err != nil) && !force {
			left++
			continue
		}
		if !try {
			if err := removeRun(state, id); err != nil {
				return fmt.Errorf("%s removed, then: %w", plural(removed, "run"), err)
			}
		}
		removed++
		if id >= time.Now().Add(-recurrence).UTC().Format(runTime) && (s.Intents > 0 || len(s.Recoveries) > 0) {
			recent++
		}
	}
	word := "removed"
	if try {
		word = "would be removed"
	}
	fmt.Fprintf(a.out, "%s %s", plural(removed, "run"), word)
	if left > 0 {
		fmt.Fprintf(a.out, "; %d kept that have not ended (--force removes those that were cut)", left)
	}
	fmt.Fprintln(a.out)
	if recent > 0 {
		fmt.Fprintf(a.out, "%d of them acted within the last 7 days: cooldown, per_hour and breaker of policies and the warning about what comes back have no record of that then\n", recent)
	}
	return nil
}

// removeRun removes what a run has left: its record, and a plan for a person with its approvals.
func removeRun(state, id string) error {
	plans, err := filepath.Glob(leftPlan(state, id) + "*")
	for _, path := range plans {
		err = errors.Join(err, os.Remove(path))
	}
	return errors.Join(err, journal.Remove(state, id))
}

// runsVerifyCommand verifies records.
func (a *app) runsVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [RUN...]",
		Short: "Tell whether records are as they were written",
		Long: `verify reads runs (all, when none is named) from their first line to their last: each line must follow from the one before, the plan in
the folder must be the one that the journal names, and the end must be the one that the summary knows. The hash that it prints
covers every line: compare it with one that was kept elsewhere, because who can write the folder can also make a whole new chain.

A run that was cut is not wrong: what a power cut took had not been synced, and is said.
Exit 6: a record was changed.
` + exitHelp,
		ValidArgsFunction: completeRun,
		RunE:              func(_ *cobra.Command, args []string) error { return a.verifyRuns(args) },
	}
}

func (a *app) verifyRuns(ids []string) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := os.Stat(journal.Dir(state, id)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no run %s in %s; \"dsplay runs\" lists them", id, state)
		}
	}
	if len(ids) == 0 {
		if ids, err = journal.IDs(state); err != nil {
			return err
		}
	}
	bad := 0
	for _, id := range ids {
		said, ok := verifyRun(state, id)
		if !ok {
			bad++
		}
		fmt.Fprintf(a.out, "%s  %s\n", id, report.Printable(said))
	}
	if bad > 0 {
		return &exitError{exitRefused, fmt.Errorf("%s of %d cannot be believed", plural(bad, "record"), len(ids))}
	}
	return nil
}

func verifyRun(state, id string) (said string, ok bool) {
	r, err := journal.Verify(state, id)
	switch {
	case err != nil && journal.Blank(state, id):
		return "cut  before its first line was written: nothing was begun", true
	case errors.As(err, new(*journal.Altered)):
		return "CHANGED: " + err.Error(), false
	case err != nil:
		return "UNREADABLE: " + err.Error(), false
	}
	if r.Summary.Plan != "" {
		if _, err := keptPlan(state, id, r.Summary.Plan); err != nil {
			return "CHANGED: " + err.Error(), false
		}
	}
	said = "ok   " + r.Hash
	if !r.Ended {
		said = fmt.Sprintf("%-4s %s  last line %s", r.Stands, r.Hash, clock(r.Time))
	}
	if r.Bare {
		said += "; it has no summary: it was cut when that was to be written, or somebody removed it"
	}
	if r.Lost > 0 {
		said += fmt.Sprintf("; %d bytes behind it are torn, nothing of them had been synced", r.Lost)
	}
	return said, true
}

// table aligns columns that tabs separate.
func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }
