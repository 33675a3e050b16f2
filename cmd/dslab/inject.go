package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dsplay/dsplay/engine/lab"
)

func injectCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "inject --dir DIR FAULT [TARGET]",
		Short: "Break something",
		Long: "Brings a fault about in a running lab, on top of those that are there. TARGET is a name of the inventory.\n" +
			"The DSM hears of it with the next heartbeat.\n\n" + faultTable(),
		Example:   "  dslab inject --dir /tmp/lab mux-stuck esx2\n  dslab inject --dir /tmp/lab tools-broken guest2-3\n  dslab inject --dir /tmp/lab everything-dark",
		Args:      cobra.RangeArgs(1, 2),
		ValidArgs: faultNames(),
	}
	dir := dirFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		target := ""
		if len(args) == 2 {
			target = args[1]
		}
		return lab.Remote{Dir: *dir}.Inject(c.Context(), args[0], target)
	}
	return c
}

func faultTable() string {
	var b strings.Builder
	b.WriteString("Each fault is healed only by what stands with it, or by dslab clear:\n")
	for _, f := range lab.Faults() {
		target := f.Target
		if target == "" {
			target = "no target"
		}
		fmt.Fprintf(&b, "\n  %s (%s)\n      %s\n      healed by: %s\n", f.Name, target, f.What, f.Remedy)
	}
	return strings.TrimRight(b.String(), "\n")
}

func faultNames() []string {
	var names []string
	for _, f := range lab.Faults() {
		names = append(names, f.Name)
	}
	return names
}

func clearCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "clear --dir DIR",
		Short: "Make everything healthy again",
		Long: "Ends every fault at once: machines that were broken are replaced by healthy ones, whose counters (boots,\n" +
			"installer runs, restarts) begin again, and the DSM hears of everything.",
		Args: cobra.NoArgs,
	}
	dir := dirFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return lab.Remote{Dir: *dir}.Clear(c.Context()) }
	return c
}

func downCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "down --dir DIR",
		Short: "End a lab",
		Long:  "Ends the lab that runs in DIR, in whatever terminal it was started. Its files stay.",
		Args:  cobra.NoArgs,
	}
	dir := dirFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return lab.Remote{Dir: *dir}.Down(c.Context()) }
	return c
}
