package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) validateCommand() *cobra.Command {
	var f loadFlags
	c := &cobra.Command{
		Use:   "validate PLAYBOOK",
		Short: "Find every mistake in a playbook and its inventory, without contacting anything",
		Long: `validate loads the playbook and, with -i, the inventory, and shows every mistake and every doubt at once: each with
file:line:col, the source line and, where there is one, a suggestion. References are checked against what modules
give and what hosts carry. No connection is opened.
` + exitHelp,
		Example:           "  dsplay validate playbooks/engine-offline.hcl -i inventory.hcl",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeHCL,
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := a.load(args[0], f)
			if err != nil {
				return err
			}
			note := ""
			if l.model == nil {
				note = "; without an inventory (-i) attributes of hosts, groups and host names were not checked"
			}
			_, err = fmt.Fprintf(a.out, "%s is valid%s\n", args[0], note)
			return err
		},
	}
	f.register(c)
	return c
}
