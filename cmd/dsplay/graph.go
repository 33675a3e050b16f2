package main

import (
	"fmt"
	"io"

	"github.com/dsplay/dsplay/engine/graph"
	"github.com/spf13/cobra"
)

func (a *app) graphCommand() *cobra.Command {
	var f loadFlags
	var form string
	c := &cobra.Command{
		Use:   "graph PLAYBOOK",
		Short: "Show what in a playbook waits for what: as text, for graphviz, or as a picture",
		Long: `graph shows plays, their entries and the locals between them, in the order in which they happen, and for each what it
needs from others before: results of probes and steps, locals, hosts of plays, variables, groups. Nothing is contacted.
Attributes of the host itself (self) are not shown.`,
		Example: `  dsplay graph playbooks/engine-offline.hcl
  dsplay graph playbooks/engine-offline.hcl --format svg > engine-offline.svg
  dsplay graph playbooks/engine-offline.hcl --format dot | dot -Tpdf > engine-offline.pdf`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlaybook,
		RunE: func(_ *cobra.Command, args []string) error {
			draw, ok := map[string]func(io.Writer, graph.Graph) error{"text": graph.Text, "dot": graph.DOT, "svg": graph.SVG}[form]
			if !ok {
				return fmt.Errorf("--format %q: it must be text, dot or svg", form)
			}
			l, err := a.load(args[0], f)
			if err != nil {
				return err
			}
			return draw(a.out, l.program.Graph())
		},
	}
	f.register(c)
	c.Flags().StringVar(&form, "format", "text", "text, dot or svg")
	completes(c, "format", cobra.FixedCompletions([]cobra.Completion{"text", "dot", "svg"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}
