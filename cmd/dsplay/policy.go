package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/dsplay/dsplay/engine/plan/policy"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/spf13/cobra"
)

type policyFlags struct {
	file, signers, at string
	json              bool
}

func (a *app) policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "What may be done while nobody looks",
		Long: `A policy is a file that says which playbooks may act unattended, with which modules, on how many hosts, when, and how often:

  policy "night" {
    playbooks = ["engine-offline.hcl"]
    modules   = ["service", "esxi_mux"]
    max_hosts = { esxi = 1, dsva = 1, guests = 10 }
    deny      = ["reboot"]
    window    = "Sat,Sun 01:00-05:00 Asia/Tokyo"
    cooldown  = "6h"
  }

dsplay run PLAYBOOK --policy FILE makes a plan and lets the policies of the file judge its whole worst case. It is applied
when one of them permits all of it; else it is left for a person. dsplay doc policy lists the arguments, docs/policy.md explains them.`,
		Args: onlyCommands,
		RunE: help,
	}
	c.AddCommand(a.policyCheckCommand())
	return c
}

func (a *app) policyCheckCommand() *cobra.Command {
	var f policyFlags
	c := &cobra.Command{
		Use:   "check PLAN",
		Short: "Tell whether a policy would let a plan be applied, and why not; nothing is contacted",
		Long: `check judges the file of a plan by every policy of a file, and shows each rule with the numbers that it was judged on. What
earlier runs did (cooldown, per_hour, breaker) is read from the journals of this account.

EXIT STATUS
  0  a policy permits the whole plan      6  none does      1  usage, or a file that cannot be read`,
		Example: `  dsplay policy check night.plan --policy night.hcl
  dsplay policy check night.plan --policy night.hcl --at 2026-11-22T02:00:00+09:00    would it be permitted then?
  dsplay policy check night.plan --policy night.hcl --json | jq '.policies[].rules[] | select(.passed | not)'`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlan,
		RunE:              func(_ *cobra.Command, args []string) error { return a.policyCheck(args[0], f) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVar(&f.file, "policy", os.Getenv("DSPLAY_POLICY"), "file of policies (default: $DSPLAY_POLICY)")
	completes(c, "policy", completeHCL)
	c.Flags().StringVar(&f.signers, "allowed-signers", "", "whose approvals count: a file as ssh-keygen(1) describes it (ALLOWED SIGNERS)")
	c.Flags().StringVar(&f.at, "at", "", "judge as of this time, as 2026-11-22T02:00:00+09:00 (default: now)")
	completes(c, "at", cobra.NoFileCompletions)
	c.Flags().BoolVar(&f.json, "json", false, "write the verdicts as JSON")
	return c
}

// verdictsOfPlan is what policy check --json writes. Fields are only added to it.
type verdictsOfPlan struct {
	Version   int              `json:"v"`
	File      string           `json:"file"`
	ID        string           `json:"id"`
	At        time.Time        `json:"at"`
	Permitted bool             `json:"permitted"`
	By        string           `json:"by,omitempty"` // the policy
	Policies  []policy.Verdict `json:"policies"`
}

func (a *app) policyCheck(path string, f policyFlags) error {
	policies, err := a.policies(f.file)
	if err != nil {
		return err
	}
	now := time.Now()
	if f.at != "" {
		if now, err = time.Parse(time.RFC3339, f.at); err != nil {
			return fmt.Errorf("--at %q: write it like 2026-11-22T02:00:00+09:00", f.at)
		}
	}
	data, d, err := readPlan(path)
	if err != nil {
		return err
	}
	facts := policy.Facts{Now: now}
	if f.signers != "" {
		report, err := approve.Check(path, data, d, approve.Options{AllowedSigners: f.signers, Now: now})
		if err != nil && !errors.As(err, new(*approve.Refused)) {
			return err
		}
		facts.Approvals = len(report.Approvals)
	}
	if state, err := stateDir(); err != nil {
		facts.NoPast = err.Error()
	} else {
		learn(&facts, state, "", policies)
	}
	out := verdictsOfPlan{Version: 1, File: path, ID: d.ID, At: now.UTC().Truncate(time.Second)}
	by, verdicts := policy.Permits(policies, d, facts)
	out.Policies, out.Permitted = verdicts, by != nil
	if by != nil {
		out.By = by.Name
	}
	return a.toldVerdicts(out, f.json)
}

func (a *app) toldVerdicts(v verdictsOfPlan, asJSON bool) error {
	var err error
	if asJSON {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		err = e.Encode(v)
	} else {
		err = a.showVerdicts(v)
	}
	if err == nil && !v.Permitted {
		err = &exitError{code: exitRefused}
	}
	return err
}

func (a *app) showVerdicts(v verdictsOfPlan) error {
	for _, p := range v.Policies {
		fmt.Fprintf(a.out, "policy %s: %s\n", p.Policy, permits(p.Permitted))
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		for _, r := range p.Rules {
			mark := "ok"
			if !r.Passed {
				mark = "NO"
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\n", mark, r.Name, report.Printable(oneLine(r.Reason)))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	answer := "refused: no policy permits the whole plan"
	if v.Permitted {
		answer = "permitted by policy " + v.By
	}
	_, err := fmt.Fprintf(a.out, "\n%s, as of %s\n", answer, clock(v.At))
	return err
}

func permits(yes bool) string {
	if yes {
		return "permits it"
	}
	return "refuses it"
}

// policies reads a file of policies. Who could write it could permit anything, so it must not be everybody's.
func (a *app) policies(path string) ([]engine.Policy, error) {
	if path == "" {
		return nil, errors.New("which policy? Say --policy FILE, or set DSPLAY_POLICY; nothing was executed")
	}
	if err := notForAll(path); err != nil {
		return nil, err
	}
	policies, problems := lang.LoadPolicies(path, a.wires().modules)
	return policies, a.show(problems)
}

// notForAll refuses a policy that everybody could change, or put another one in its place: in any of the folders that lead to it.
func notForAll(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	for _, p := range leads(absolute(path), realPath(path)) {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm()&0o002 == 0 || info.IsDir() && info.Mode()&os.ModeSticky != 0 {
			continue // that it is not there is told when it is read
		}
		what := "everybody may exchange the policy in the folder"
		if !info.IsDir() {
			what, p = "everybody may write the policy", path
		}
		return fmt.Errorf("%s %s (mode %04o), so it decides nothing: chmod o-w it; nothing was executed", what, p, info.Mode().Perm())
	}
	return nil
}

// leads are paths, the folders above them, and the same of everything that a link among all of these points to.
func leads(paths ...string) []string {
	var out []string
	for todo := paths; len(todo) > 0; todo = todo[1:] {
		for p := todo[0]; !slices.Contains(out, p); p = filepath.Dir(p) {
			out = append(out, p)
			to, err := os.Readlink(p)
			switch {
			case err != nil: // it is no link, or not there
			case filepath.IsAbs(to):
				todo = append(todo, to)
			default:
				todo = append(todo, filepath.Join(realPath(filepath.Dir(p)), to))
			}
		}
	}
	return out
}

// learn finds out what earlier runs did, as far back as the policies look, and what those that go on may do.
func learn(f *policy.Facts, state, self string, policies []engine.Policy) {
	var back time.Duration
	for _, p := range policies {
		back = max(back, p.Cooldown, p.Breaker.Within)
		if p.PerHour > 0 {
			back = max(back, time.Hour)
		}
	}
	known, err := past(state, self, f.Now.Add(-back), f.Now)
	if err != nil {
		f.NoPast = err.Error()
		return
	}
	f.Past = known
}
