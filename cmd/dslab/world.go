package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dsplay/dsplay/engine/lab"
)

func worldCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "world --dir DIR",
		Short: "Show the truth about the estate",
		Long: "Shows how everything really is, whatever the DSM or the vCenter say of it: engines, drivers, power, and how often\n" +
			"services were restarted, guests booted and installers run.",
		Example: "  dslab world --dir /tmp/lab\n  dslab world --dir /tmp/lab --json | jq '.guests[] | select(.engine == \"offline\") | .name'",
		Args:    cobra.NoArgs,
	}
	dir := dirFlag(c)
	asJSON := c.Flags().Bool("json", false, "everything, as one JSON document")
	c.RunE = func(c *cobra.Command, _ []string) error {
		w, err := lab.Remote{Dir: *dir}.World(c.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			encoder := json.NewEncoder(c.OutOrStdout())
			encoder.SetIndent("", "  ")
			return encoder.Encode(w)
		}
		return show(c.OutOrStdout(), w)
	}
	return c
}

// show prints a line per ESXi host, then every guest that is not simply online.
func show(out io.Writer, w lab.World) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ESXI\tMUX\tRESTARTS\tAPPLIANCE\tAGENT\tRESTARTS\tENGINES")
	for i, e := range w.ESXi {
		d := w.DSVA[i]
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%d\t%s\n", e.Name, health(e.MuxRunning, e.MuxHealthy), e.MuxRestarts,
			d.Name, health(d.AgentRunning, d.AgentHealthy), d.AgentRestarts, engines(w, e.Name))
	}
	fmt.Fprintln(t)
	for _, g := range w.Guests {
		if g.Engine != lab.EngineOnline {
			fmt.Fprintf(t, "%s\t%s\tpower %s\tvsepflt %s\n", g.Name, g.Engine, g.Power, orNone(g.Drivers["vsepflt"]))
		}
	}
	for _, g := range w.Guests {
		if g.InstallerStarts > 0 {
			fmt.Fprintf(t, "%s\tinstaller of VMware Tools: started %d times, let in %d times\n", g.Name, g.InstallerStarts, g.InstallerRuns)
		}
	}
	for _, d := range w.DSVA {
		switch {
		case d.Power != lab.On:
			fmt.Fprintf(t, "%s\tpower %s\n", d.Name, d.Power)
		case d.Moved:
			fmt.Fprintf(t, "%s\truns on another ESXi host than %s\n", d.Name, d.ESXi)
		}
	}
	for _, e := range w.ESXi {
		switch {
		case !e.SSH:
			fmt.Fprintf(t, "%s\tSSH is off\n", e.Name)
		case e.Lockdown:
			fmt.Fprintf(t, "%s\tlockdown mode: SSH refuses root\n", e.Name)
		}
	}
	for _, g := range w.Guests {
		if len(g.Snapshots) > 0 {
			fmt.Fprintf(t, "%s\tsnapshots: %s\n", g.Name, strings.Join(g.Snapshots, ", "))
		}
	}
	refused(t, w)
	for _, f := range w.Faults {
		fmt.Fprintf(t, "injected: %s %s\n", f.Name, f.Target)
	}
	return t.Flush()
}

// refused says who was not let in, and what the DSM goes on showing.
func refused(t io.Writer, w lab.World) {
	line := func(name string, passwords int, locked bool) {
		if passwords > 0 || locked {
			fmt.Fprintf(t, "%s\tlogins refused: %d\taccount locked: %s\n", name, passwords, map[bool]string{true: "yes", false: "no"}[locked])
		}
	}
	for _, e := range w.ESXi {
		line(e.Name, e.RefusedLogins, e.RootLocked)
	}
	line("DSM", w.DSM.WrongPasswords, w.DSM.Locked)
	if w.NSX.Generation != "none" {
		line("NSX", w.NSX.WrongPasswords, w.NSX.Locked)
	}
	if len(w.DSM.ErrorsShown) > 0 {
		fmt.Fprintf(t, "DSM\terrors shown until cleared: %s\n", strings.Join(w.DSM.ErrorsShown, ", "))
	}
}

func health(running, healthy bool) string {
	switch {
	case !running:
		return "stopped"
	case !healthy:
		return "stuck"
	}
	return "healthy"
}

func orNone(s string) string {
	if s == "" {
		return "not installed"
	}
	return s
}

// engines counts the guests of a host: "8 online, 2 offline".
func engines(w lab.World, esxi string) string {
	count := map[string]int{}
	for _, g := range w.Guests {
		if g.ESXi == esxi {
			count[g.Engine]++
		}
	}
	var parts []string
	for _, engine := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[engine], engine))
	}
	return strings.Join(parts, ", ")
}
