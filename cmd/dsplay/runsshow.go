package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/plan/show"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/spf13/cobra"
)

var runFormats = []string{"text", "markdown", "json", "plan"}

func (a *app) runsShowCommand() *cobra.Command {
	var (
		format  string
		verbose int
	)
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show what a run did",
		Long: `show tells a run again from its record, and what to do next where it did not go well.

  text       what was on the screen (-v: every entry; -vv: values and conditions)
  markdown   to paste into a ticket: outcome, hosts, changes, recoveries, and the hash of the record
  json       its events, a line each, as they are on the disk
  plan       the plan that it applied; "dsplay show" has more forms for it
` + exitHelp,
		Args:              takes(1, 1),
		ValidArgsFunction: completeRun,
		RunE:              func(_ *cobra.Command, args []string) error { return a.showRun(args[0], format, verbose) },
	}
	c.Flags().StringVar(&format, "format", runFormats[0], strings.Join(runFormats, ", "))
	completes(c, "format", cobra.FixedCompletions(runFormats, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().CountVarP(&verbose, "verbose", "v", "show every entry; twice: values and conditions, too")
	return c
}

func (a *app) showRun(id, format string, verbose int) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	switch format {
	case "text":
		live := isTerminal(a.out)
		t := &report.Terminal{W: a.out, Color: live && os.Getenv("NO_COLOR") == "", Verbose: verbose}
		r, err := readRun(state, id, func(e engine.Event) { _ = t.Append(e) }) // it has no errors
		if err == nil {
			a.tellRecord(state, r)
		}
		return err
	case "markdown":
		var events []engine.Event
		r, err := readRun(state, id, func(e engine.Event) { events = append(events, e) })
		if err != nil {
			return err
		}
		return runMarkdown(a.out, r, events)
	case "json":
		if _, err := readRun(state, id, nil); err != nil {
			return err
		}
		f, err := os.Open(filepath.Join(journal.Dir(state, id), journal.Events))
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(a.out, f)
		return err
	case "plan":
		r, err := readRun(state, id, nil)
		if err != nil {
			return err
		}
		d, err := keptPlan(state, id, r.Summary.Plan)
		if err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
		return show.Write(a.out, d, show.Formats[0], show.Options{Lang: language(os.Getenv), Zone: time.Local, Now: time.Now()})
	}
	return fmt.Errorf("--format %q: it must be one of %s", format, strings.Join(runFormats, ", "))
}

// readRun is journal.Read, with the errors of a command line.
func readRun(state, id string, each func(engine.Event)) (*journal.Record, error) {
	r, err := journal.Read(state, id, each)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no run %s in %s; \"dsplay runs\" lists them", id, state)
	case errors.As(err, new(*journal.Altered)):
		return nil, &exitError{exitRefused, err}
	}
	return r, err
}

// tellRecord says what to do next, and what the record itself is worth.
func (a *app) tellRecord(state string, r *journal.Record) {
	if !r.Ended {
		fmt.Fprintf(a.out, "\n%s: it has no end; its last line is of %s", r.Stands, clock(r.Time))
		if r.Stands == journal.Cut && r.Summary.Plan != "" {
			fmt.Fprintf(a.out, "; dsplay resume %s goes on with it", r.Head.Run)
		}
		fmt.Fprintln(a.out)
	}
	if next := nextAfter(state, r); next != "" {
		fmt.Fprintf(a.out, "next: %s\n", next)
	}
	fmt.Fprintf(a.out, "journal: %s %s\n", journal.Dir(state, r.Head.Run), r.Hash)
}

// nextAfter is what somebody does about a run that ended and did not go well; "": nothing, or the run has said it itself.
func nextAfter(state string, r *journal.Record) string {
	s := r.Summary
	switch {
	case bySignal(s):
		return "dsplay resume " + s.Run + " goes on where it was stopped"
	case s.Exit == nil || !slices.Contains([]int{exitFailed, exitUnreachable, exitStopped}, *s.Exit):
		return ""
	}
	inventory := "INVENTORY"
	if d, err := keptPlan(state, s.Run, s.Plan); err == nil && d.Inventory.Path != "" {
		inventory = engine.QuoteSh(d.Inventory.Path)
	}
	return fmt.Sprintf("what to try stands above, below each host; then look again: dsplay run %s -i %s --check", engine.QuoteSh(s.Playbook), inventory)
}

// runMarkdown is a run for a ticket.
func runMarkdown(w io.Writer, r *journal.Record, events []engine.Event) error {
	s := r.Summary
	var b strings.Builder
	cell := func(text string) string {
		return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(report.Printable(text))
	}
	fmt.Fprintf(&b, "# Run %s\n\n", s.Run)
	ended := map[journal.State]string{journal.Over: clock(s.Ended), journal.Running: "it goes on", journal.Cut: "it was cut"}[r.Stands]
	for _, row := range [][2]string{{"Playbook", s.Playbook}, {"By", s.User + " on " + s.Host + ", dsplay " + s.Dsplay}, {"Began", clock(s.Started)}, {"Ended", ended},
		{"Outcome", cmp.Or(s.Status, "none") + ": " + s.Reason}, {"Plan", cmp.Or(s.Plan, "nothing was applied")}, {"Journal", r.Hash}} {
		fmt.Fprintf(&b, "- **%s**: %s\n", row[0], cell(row[1]))
	}
	fmt.Fprintf(&b, "\n%s, %d changed, %d not ok\n", plural(s.Hosts, "host"), s.Changed, s.Failed)
	b.WriteString("\n| time | host | what | outcome |\n|---|---|---|---|\n")
	for _, e := range events {
		switch {
		case e.Pass == "apply" && e.Kind == engine.EventEntryEnd && e.Module != "" && slices.Contains([]string{"changed", "ran", "failed"}, e.Status):
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", e.Time.Local().Format(time.DateTime), cell(cmp.Or(e.On, e.Host)), cell(entryName(e)), cell(withError(e)))
		case e.Pass == "apply" && e.Kind == engine.EventHostEnd && e.Status != string(engine.HostOK):
			fmt.Fprintf(&b, "| %s | %s | play %s | **%s** |\n", e.Time.Local().Format(time.DateTime), cell(e.Host), cell(e.Play), cell(withError(e)))
		}
	}
	for i, x := range s.Recoveries {
		if i == 0 {
			b.WriteString("\n## Recoveries\n\n")
		}
		how := "in vain"
		switch {
		case x.Healed:
			how = "healed"
		case !x.Over:
			how = "stopped"
		}
		fmt.Fprintf(&b, "- %s, %s: %s after %s\n", cell(x.Host), cell(x.Name()), how, cell(strings.Join(x.Attempts, ", ")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func entryName(e engine.Event) string {
	name := cmp.Or(e.Title, e.Entry)
	if e.Item != "" {
		name += fmt.Sprintf("[%q]", e.Item)
	}
	return name
}

func withError(e engine.Event) string {
	if e.Error == nil {
		return e.Status
	}
	return e.Status + ": " + e.Error.Text
}

func (a *app) runsDiffCommand() *cobra.Command {
	var values, asJSON bool
	c := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Show what ended otherwise in another run",
		Long: `diff compares two runs of a playbook: hosts that ended otherwise, and entries that did, in the order of their names. An entry that only one of
the runs has is shown with "-" for the other. --values also compares what probes and steps gave.
` + exitHelp,
		Args: takes(2, 2),
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				args = nil
			}
			return completeRun(c, args, word)
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.diffRuns(args[0], args[1], values, asJSON) },
	}
	c.Flags().BoolVar(&values, "values", false, "compare values, too")
	c.Flags().BoolVar(&asJSON, "json", false, "a JSON line for each difference")
	return c
}

// ends are how things ended in a run, by host and what it was.
type ends map[string]string

func (x ends) add(e engine.Event, values bool) {
	key := strings.Join([]string{e.Host, e.Play, strings.TrimPrefix(e.Entry, e.Play+"/"), e.Item}, "\t")
	switch {
	case e.Kind == engine.EventHostEnd:
		x[strings.Join([]string{e.Host, e.Play, "", ""}, "\t")] = withError(e)
	case e.Kind == engine.EventEntryEnd && values:
		x[key] = strings.TrimSpace(withError(e) + " " + e.Values)
	case e.Kind == engine.EventEntryEnd:
		x[key] = withError(e)
	}
}

// difference is one thing that ended otherwise.
type difference struct {
	Host  string `json:"host"`
	Play  string `json:"play"`
	Entry string `json:"entry,omitempty"`
	Item  string `json:"item,omitempty"`
	Was   string `json:"was"`
	Is    string `json:"is"`
}

func (a *app) diffRuns(one, two string, values, asJSON bool) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	was, err := endsOf(state, one, values)
	if err != nil {
		return err
	}
	is, err := endsOf(state, two, values)
	if err != nil {
		return err
	}
	all := maps.Clone(was)
	maps.Copy(all, is)
	w := table(a.out)
	n := 0
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if was[key] == is[key] {
			continue
		}
		n++
		p := strings.Split(key, "\t")
		d := difference{p[0], p[1], p[2], p[3], cmp.Or(was[key], "-"), cmp.Or(is[key], "-")}
		if asJSON {
			if err := json.NewEncoder(a.out).Encode(d); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(w, report.Printable(strings.Join([]string{d.Host, strings.TrimSuffix(d.Play+" "+d.Entry+" "+d.Item, " "), d.Was, "→ " + d.Is}, "\t")))
	}
	if n == 0 && !asJSON {
		fmt.Fprintln(w, "no difference")
	}
	return w.Flush()
}

// endsOf are the ends of the pass that says most: that which acted, or else the planning.
func endsOf(state, id string, values bool) (ends, error) {
	byPass := map[string]ends{"plan": {}, "apply": {}}
	_, err := readRun(state, id, func(e engine.Event) {
		if x := byPass[e.Pass]; x != nil {
			x.add(e, values)
		}
	})
	if len(byPass["apply"]) > 0 {
		return byPass["apply"], err
	}
	return byPass["plan"], err
}
