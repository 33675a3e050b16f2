package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine/lang"
	"github.com/spf13/cobra"
)

func (a *app) varsCommand() *cobra.Command {
	var f loadFlags
	c := &cobra.Command{
		Use:   "vars PLAYBOOK",
		Short: "Show the variables of a playbook, their values and where these come from; nothing is contacted",
		Long: `vars shows every variable: its type, the value that it has with these flags, where that comes from, and what it is
for. Secrets are shown by name. Values come, the later over the earlier, from
  the default in the playbook
  NAME.vars.hcl and NAME.vars.json beside the playbook NAME.hcl
  the environment: DSPLAY_VAR_name
  --var and --var-file, in the order in which they are given
A variable without a value is shown, too, and makes the exit status 1.`,
		Example: `  dsplay vars playbooks/engine-offline.hcl
  dsplay vars playbooks/engine-offline.hcl --var-file night.hcl --var reboot=true`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlaybook,
		RunE: func(_ *cobra.Command, args []string) error {
			given, problems := a.variables(args[0], f, os.Environ())
			vars, more := lang.Variables(args[0], lang.Options{Vars: given, Secrets: &a.secrets})
			if err := a.showVars(vars); err != nil {
				return err
			}
			return a.show(append(problems, more...))
		},
	}
	f.registerVars(c)
	return c
}

func (a *app) showVars(vars []lang.Variable) error {
	if len(vars) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTYPE\tVALUE\tORIGIN\tDESCRIPTION")
	for _, v := range vars {
		value, origin := v.Value, v.Origin
		if v.Missing {
			value, origin = "-", "nobody gave a value"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Name, v.Type, value, origin, strings.Join(strings.Fields(v.Description), " "))
	}
	return w.Flush()
}
