package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/spf13/cobra"
)

type verifyFlags struct {
	signers, expect string
	require         int
	json            bool
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify PLAN",
		Short: "Tell whether a plan is whole, valid, and approved by the right people; nothing is contacted",
		Long: `verify looks at the file of a plan and at the signatures beside it (PLAN.sig and PLAN.anything.sig), and judges what apply
judges before it opens any connection: that the plan was not altered, that it is the one you expect, that it is still valid, that
nobody rejected it, and that enough people approved it.

FILE lists whose signatures count, as ssh-keygen(1) describes it under ALLOWED SIGNERS: names, options, a public key. Two
signatures count as one when their keys or names are shared. Whoever made the plan does not count: neither a key that the plan
lists as the planner's, nor a name that is the planner's user (as a whole, or before the @).

Without --allowed-signers no signature is judged. The id in a plan proves only that it is whole; whoever alters a plan can give
it a new id, so compare it with one that came by another way (--expect), or require approvals.

EXIT STATUS
  0  all is well      6  the plan must not be applied      1  usage, or a file that cannot be read`,
		Example: `  dsplay verify plan.json --allowed-signers allowed_signers
  dsplay verify plan.json --allowed-signers allowed_signers --require-approvals 2 --expect sha256:…
  dsplay verify plan.json --allowed-signers allowed_signers --json | jq .approvals`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlan,
		RunE: func(c *cobra.Command, args []string) error {
			if f.signers != "" && !c.Flags().Changed("require-approvals") {
				f.require = 1
			}
			return a.verify(args[0], f)
		},
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVar(&f.signers, "allowed-signers", "", "whose signatures count: a file as ssh-keygen -Y verify takes it")
	c.Flags().IntVar(&f.require, "require-approvals", 0, "how many people must have approved (default: 1 with --allowed-signers)")
	c.Flags().StringVar(&f.expect, "expect", "", "id that the plan must have: sha256:…")
	completes(c, "expect", cobra.NoFileCompletions)
	completes(c, "require-approvals", cobra.NoFileCompletions)
	c.Flags().BoolVar(&f.json, "json", false, "write the verdict as JSON")
	return c
}

// verdictOfPlan is what verify --json writes. Fields are only added to it.
type verdictOfPlan struct {
	Version  int          `json:"v"`
	File     string       `json:"file"`
	OK       bool         `json:"ok"`
	Problems []string     `json:"problems"` // why the plan must not be applied
	ID       string       `json:"id,omitempty"`
	Made     time.Time    `json:"made,omitzero"`
	Until    time.Time    `json:"until,omitzero"`
	Planner  plan.Planner `json:"planner,omitzero"`
	approve.Report
	judged bool // approvals were looked for
}

func (a *app) verify(path string, f verifyFlags) error {
	v, err := judgePlan(path, f, time.Now())
	if err != nil {
		return err
	}
	if f.json {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		err = e.Encode(v)
	} else {
		err = a.showVerdict(v)
	}
	if err == nil && !v.OK {
		err = &exitError{code: exitRefused}
	}
	return err
}

// judgePlan finds everything that speaks against a plan. An error means that it could not be judged.
func judgePlan(path string, f verifyFlags, now time.Time) (verdictOfPlan, error) {
	v := verdictOfPlan{Version: 1, File: path, Problems: []string{}, judged: f.signers != ""}
	v.Report = approve.Report{Required: f.require, Approvals: []approve.Approval{}, Refused: []approve.Refusal{}}
	data, d, err := readPlan(path)
	if codeOf(err) == exitRefused {
		v.Problems = append(v.Problems, errors.Unwrap(err).Error())
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.ID, v.Made, v.Until, v.Planner = d.ID, d.Made, d.Until, d.Planner
	if err := expected(d, f.expect); err != nil {
		if codeOf(err) != exitRefused {
			return v, err
		}
		v.Problems = append(v.Problems, err.Error())
	}
	if err := standing(d, now); err != nil {
		v.Problems = append(v.Problems, err.Error())
	}
	v.Report, err = approve.Check(path, data, d, approve.Options{AllowedSigners: f.signers, Require: f.require, Now: now})
	switch {
	case errors.As(err, new(*approve.Refused)):
		v.Problems = append(v.Problems, err.Error())
	case err != nil:
		return v, err
	}
	v.OK = len(v.Problems) == 0
	return v, nil
}

// expected tells whether a plan is the one that somebody has the id of; "" expects any.
func expected(d *plan.Document, id string) error {
	switch {
	case id == "" || id == d.ID:
		return nil
	case len(id) != len(d.ID) || !strings.HasPrefix(id, "sha256:"):
		return fmt.Errorf("--expect %q is no id of a plan: it is sha256: and 64 digits", id)
	}
	return &exitError{exitRefused, fmt.Errorf("this is not the plan you expect: its id is %s", d.ID)}
}

func (a *app) showVerdict(v verdictOfPlan) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if v.ID != "" {
		fmt.Fprintf(w, "Plan\t%s\n", v.File)
		fmt.Fprintf(w, "Id\t%s\n", v.ID)
		fmt.Fprintf(w, "Made\t%s by %s\n", clock(v.Made), oneLine(v.Planner.User+"@"+v.Planner.Host))
		fmt.Fprintf(w, "Until\t%s\n", clock(v.Until))
		if v.judged {
			fmt.Fprintf(w, "Approvals\t%d, required %d\n", len(v.Approvals), v.Required)
		} else {
			fmt.Fprintf(w, "Approvals\tnot judged: nobody said whose count (--allowed-signers FILE)\n")
		}
	}
	for _, x := range v.Approvals {
		fmt.Fprintf(w, "\t%s, %s (%s, written %s)\n", x.Principal, x.Key, x.File, clock(x.At))
	}
	for _, x := range v.Refused {
		fmt.Fprintf(w, "\tnot counted: %s\n", x)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if v.OK {
		_, err := fmt.Fprintln(a.out, "\nOK")
		return err
	}
	for _, p := range v.Problems {
		fmt.Fprintln(a.err, "refused:", p)
	}
	return nil
}
