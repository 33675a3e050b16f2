package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine/lang/infer"
	"github.com/spf13/cobra"
)

func (a *app) inventoryCommand() *cobra.Command {
	c := &cobra.Command{Use: "inventory", Short: "Look at the inventory", Args: onlyCommands, RunE: help}
	c.FParseErrWhitelist.UnknownFlags = true // a wrong command is named before its flags are
	c.AddCommand(a.explainCommand())
	return c
}

func (a *app) explainCommand() *cobra.Command {
	var f loadFlags
	c := &cobra.Command{
		Use:   "explain HOST",
		Short: "Show every value of a host and where it comes from; nothing is contacted",
		Args:  takes(1, 1),
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeHosts(&f, false)(c, args, word)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if f.inventory == "" {
				return errors.New("which inventory? Say -i INVENTORY (a file or a folder), or set DSPLAY_INVENTORY")
			}
			model, problems := a.wires().inventory(f.inventory, &a.secrets, unasked)
			if err := a.show(problems); err != nil {
				return err
			}
			origins := model.Explain(args[0])
			if len(origins) == 0 {
				return fmt.Errorf("there is no host %q in %s (hosts that only a source finds are not shown).%s", args[0], f.inventory,
					infer.Suggest(args[0], names(model.Inventory(), false)))
			}
			w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			for _, o := range origins {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", o.Name, o.Value, o.By, o.Place)
			}
			return w.Flush()
		},
	}
	f.registerInventory(c)
	return c
}
