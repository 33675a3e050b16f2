package main

import (
	"fmt"

	"github.com/dsplay/dsplay/engine/report"
	"github.com/spf13/cobra"
)

type validateFlags struct {
	load        loadFlags
	json, sarif bool
}

func (a *app) validateCommand() *cobra.Command {
	var f validateFlags
	c := &cobra.Command{
		Use:   "validate PATH…",
		Short: "Find every mistake in playbooks and inventories, without contacting anything",
		Long: `validate loads playbooks and, with -i, the inventory, and shows every mistake and every doubt at once: each with
file:line:col, the source line and, where there is one, a suggestion. References are checked against what modules
give and what hosts carry. No connection is opened and no secret is read, so it needs neither.

A folder stands for all *.hcl files in it and in the folders in it. Inventories, policies and tests among them are checked as
such; of files that mean nothing alone (var files, parts to include) the syntax is checked.
--json and --sarif write what was found to standard output, for editors and code hosts; docs/authoring.md describes them.
` + exitHelp,
		Example: `  dsplay validate playbooks/engine-offline.hcl -i inventory.hcl
  dsplay validate --sarif . > dsplay.sarif`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeHCL,
		RunE:              func(_ *cobra.Command, args []string) error { return a.validate(args, f) },
	}
	f.load.register(c)
	c.Flags().BoolVar(&f.json, "json", false, "write the problems as a JSON document to standard output")
	c.Flags().BoolVar(&f.sarif, "sarif", false, "write the problems as SARIF 2.1.0 to standard output")
	c.MarkFlagsMutuallyExclusive("json", "sarif")
	return c
}

func (a *app) validate(args []string, f validateFlags) error {
	v := validator{app: a, load: f.load}
	for _, arg := range args {
		files, err := hclFiles(arg)
		if err != nil {
			return err
		}
		v.add(files)
	}
	v.run()
	switch {
	case f.json:
		return v.document(report.ProblemsJSON(a.out, v.files, v.problems))
	case f.sarif:
		return v.document(report.SARIF(a.out, version, v.problems))
	}
	if err := a.show(v.problems); err != nil {
		return err
	}
	for _, line := range v.said {
		if _, err := fmt.Fprintln(a.out, line); err != nil {
			return err
		}
	}
	return nil
}

// document gives the exit code after a document was written that says everything.
func (v *validator) document(err error) error {
	if err == nil && v.problems.Err() != nil {
		return &exitError{code: exitUsage}
	}
	return err
}
