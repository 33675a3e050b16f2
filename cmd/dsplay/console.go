package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/replay"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type consoleFlags struct {
	load    loadFlags
	record  string
	pass    string
	host    string
	play    string
	offline bool
}

func (a *app) consoleCommand() *cobra.Command {
	var f consoleFlags
	c := &cobra.Command{
		Use:   "console [PLAYBOOK]",
		Short: "Evaluate expressions of the language, against an inventory and what a run has recorded",
		Long: `console reads expressions and prints their values. It changes nothing and runs no probe. A playbook gives var and local
and the types of its results, an inventory gives group, host["NAME"] and self, and the record of a run (what dsplay run
--json wrote) gives play.NAME.hosts and play.NAME.missing, and every local that is made of them. When a host and a play are chosen,
self, probe.NAME, step.NAME, block.NAME and include.NAME are what that host had at the end of that play.

What the record does not hold is (unknown), and the lines below say why. Names are checked even then. Secrets are shown by name.
The playbook, its variables and the inventory are those of now, not those of the run: give the same --var. Sources of
the inventory are asked as in a run; with --offline they are not, and nothing is contacted.

An expression with open brackets goes on in the next line. Without a terminal every line of standard input is read, and the exit status is 1
when one of them could not be evaluated.

  type(EXPRESSION)   the type of an expression, also of one that is not known
  .host [NAME]       choose a host; without a name, list those that took part
  .play [NAME]       choose a play; without a name, list them
  .help              this list
  exit               the end (also Ctrl-D)`,
		Example: `  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --check --json > run.jsonl
  dsplay console playbooks/engine-offline.hcl -i inventory.hcl --record run.jsonl
  > local.dark
  ["esx2"]
  > [for h in play.triage.missing : "${h.name}: ${h.error}"]
  []
  echo 'probe.vm.awake' | dsplay console playbooks/engine-offline.hcl -i inventory.hcl --record run.jsonl --play triage --host guest2-1
  echo 'cidrhost("192.0.2.0/24", 7)' | dsplay console`,
		Args:              takes(0, 1),
		ValidArgsFunction: completePlaybook,
		RunE: func(c *cobra.Command, args []string) error {
			return a.console(c.Context(), strings.Join(args, ""), f)
		},
	}
	c.SetFlagErrorFunc(wrongFlag)
	f.load.register(c)
	c.Flags().StringVar(&f.record, "record", "", "what dsplay run --json has written")
	completes(c, "record", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{"jsonl", "json"}, cobra.ShellCompDirectiveFilterFileExt
	})
	c.Flags().StringVar(&f.pass, "pass", "", "plan or apply: the pass of the run that is looked at (default: apply, if the run acted)")
	completes(c, "pass", cobra.FixedCompletions([]cobra.Completion{"plan", "apply"}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringVar(&f.host, "host", "", "the host of self, probe and step")
	completes(c, "host", a.completeHosts(&f.load, false))
	c.Flags().StringVar(&f.play, "play", "", "the play of probe and step")
	completes(c, "play", cobra.NoFileCompletions)
	c.Flags().BoolVar(&f.offline, "offline", false, "do not ask the sources of the inventory; what they would add is not there")
	return c
}

func (a *app) console(ctx context.Context, playbook string, f consoleFlags) error {
	record, err := readRecord(f)
	if err != nil {
		return err
	}
	c := &console{app: a, record: record, pass: f.pass, playbook: playbook, redact: report.NewRedactor(&a.secrets).Text, to: a.out, errs: a.err}
	if err := c.load(ctx, f); err != nil {
		return err
	}
	for _, line := range [][2]string{{".play", f.play}, {".host", f.host}} {
		if line[1] != "" && !c.command(line[0], line[1]) {
			return &exitError{code: exitUsage}
		}
	}
	if term.IsTerminal(int(a.stdin.Fd())) && isTerminal(a.out) {
		return c.interact()
	}
	return c.read(lines(a.stdin))
}

// readRecord reads the record that the flags name; nil: they name none.
func readRecord(f consoleFlags) (*replay.Record, error) {
	switch {
	case f.pass != "" && f.pass != "plan" && f.pass != "apply":
		return nil, fmt.Errorf("--pass %q: it must be plan or apply", f.pass)
	case f.record == "":
		return nil, nil
	}
	file, err := os.Open(f.record)
	if err != nil {
		return nil, fmt.Errorf("--record: %w", err)
	}
	defer file.Close()
	r, err := replay.Read(file)
	if err != nil {
		return nil, fmt.Errorf("--record %s: %w", f.record, err)
	}
	return r, nil
}

// console is one session.
type console struct {
	*app
	*lang.Console
	inv      *engine.Inventory
	playbook string
	record   *replay.Record // nil: there is none
	pass     string         // of the record
	at       lang.At
	redact   func(string) string
	to, errs io.Writer // values, and everything else
}

// load loads the playbook against the inventory, and tells the console what is recorded.
func (c *console) load(ctx context.Context, f consoleFlags) error {
	if c.playbook != "" && f.load.inventory == "" {
		return errors.New("which hosts? Say -i INVENTORY (a file or a folder), or set DSPLAY_INVENTORY")
	}
	if c.playbook == "" && c.record != nil {
		return errors.New("a record can be read only with its playbook: dsplay console PLAYBOOK --record FILE")
	}
	l, problems := c.hosts(f.load)
	opts := lang.Options{Modules: l.wires.modules, Secrets: &c.secrets, Inventory: &engine.Inventory{}}
	if l.model != nil {
		opts.Inventory, opts.MoreHosts = l.model.Inventory(), l.model.HasSources()
	}
	vars, more := c.variables(c.playbook, f.load, os.Environ())
	problems, opts.Vars = append(problems, more...), vars
	var found engine.Problems
	c.Console, found = lang.LoadConsole(c.playbook, opts)
	if err := c.show(mistakes(append(problems, found...))); err != nil {
		return err
	}
	c.inv = opts.Inventory
	if l.model != nil && !f.offline {
		var err error
		if c.inv, err = l.resolve(ctx); err != nil {
			return fmt.Errorf("%w (--offline does without it)", err)
		}
	}
	c.replay()
	return nil
}

// mistakes leaves warnings out: they are the matter of dsplay validate.
func mistakes(problems engine.Problems) engine.Problems {
	return slices.DeleteFunc(problems, func(p engine.Problem) bool { return p.Warning })
}

// replay tells the console what is recorded, and the person where that does not fit.
func (c *console) replay() {
	run, strangers := "", []string(nil)
	if c.record != nil {
		if c.pass == "" {
			c.pass = c.record.Pass()
		}
		if c.pass == "apply" {
			run = c.record.Run
		}
		strangers = slices.DeleteFunc(c.record.Hosts(c.pass, ""), func(h string) bool { return c.inv.Hosts[h] != nil })
	}
	c.Start(c.inv, run, strangers)
	gaps, errs := c.record.Into(c.Console, c.Playbook(), c.pass)
	c.Explain(gaps)
	for _, err := range errs {
		c.note("%v", err)
	}
	if c.record != nil {
		c.compare(strangers)
	}
}

// compare says where playbook, variables and inventory are not those of the run.
func (c *console) compare(strangers []string) {
	for _, play := range c.record.Plays(c.pass) {
		if !slices.Contains(c.plays(), play) {
			c.note("the record has a play %q, which %s does not have; the run was of %s", play, c.playbook, c.record.Playbook)
		}
	}
	for _, now := range c.Vars() {
		i := slices.IndexFunc(c.record.Vars, func(v engine.Arg) bool { return v.Name == now.Name })
		if i >= 0 && c.record.Vars[i].Value != now.Value {
			c.note("var.%s is %s here, and was %s in the run", now.Name, now.Value, c.record.Vars[i].Value)
		}
	}
	if len(strangers) > 0 {
		c.note("not in the inventory, so that their attributes are not known: %s", strings.Join(strangers, ", "))
	}
	if c.record.Cut {
		c.note("the record has no end: the run was killed, or it still goes on")
	}
}

func (c *console) note(format string, args ...any) {
	fmt.Fprintln(c.errs, c.redact("note: "+fmt.Sprintf(format, args...)))
}

// evaluate prints what an expression gives; false: it could not be evaluated.
func (c *console) evaluate(text string) bool {
	answer, problems := c.Eval(text, c.at)
	for _, p := range problems {
		fmt.Fprintln(c.errs, c.redact(strings.TrimRight(p.String(), "\n")))
	}
	if problems.Err() != nil {
		return false
	}
	fmt.Fprintln(c.to, c.redact(answer.Text))
	for _, why := range answer.Unknown {
		fmt.Fprintln(c.to, c.redact("# "+why))
	}
	return true
}
