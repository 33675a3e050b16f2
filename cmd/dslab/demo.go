package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine/lab"
	"github.com/spf13/cobra"
)

// demoFaults is what befalls the estate: a host by its appliance, a host by its Mux, three guests for different reasons, one asleep.
var demoFaults = []lab.Fault{
	{Name: "dsva-stuck", Target: "esx2"},
	{Name: "mux-stuck", Target: "esx3"},
	{Name: "driver-stopped", Target: "guest1-2"},
	{Name: "tools-without-introspection", Target: "guest1-5"},
	{Name: "tools-broken", Target: "guest4-3"},
	{Name: "asleep", Target: "guest4-6"},
}

func demoCommand() *cobra.Command {
	var binary, playbook string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Break a simulated estate in six ways and let dsplay heal it",
		Long: `demo starts a lab, injects a mixed set of faults, runs playbooks/engine-offline.hcl on it with dsplay, and ends with a table
of what was wrong, what was done, and what the world says now. It needs the source tree and Go, unless --dsplay names a binary.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := demo{out: c.OutOrStdout(), binary: binary, playbook: playbook}
			return d.run(c.Context())
		},
	}
	c.Flags().StringVar(&binary, "dsplay", "", "the dsplay binary (default: built from the source tree)")
	c.Flags().StringVar(&playbook, "playbook", filepath.Join("playbooks", "engine-offline.hcl"), "the playbook")
	return c
}

type demo struct {
	out              io.Writer
	binary, playbook string
	lab              *lab.Lab
}

func (d *demo) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "dslab-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := d.build(ctx, dir); err != nil {
		return err
	}
	fmt.Fprintln(d.out, "Starting the lab: a vCenter, a Deep Security Manager, 4 ESXi hosts with their appliances, 40 guests …")
	if d.lab, err = lab.Start(ctx, lab.Options{Dir: filepath.Join(dir, "lab")}); err != nil {
		return err
	}
	defer d.lab.Close()
	if err := d.inject(ctx); err != nil {
		return err
	}
	if err := d.heal(ctx); err != nil {
		return err
	}
	return d.conclude(ctx)
}

// build makes the dsplay binary from the source tree, when none was named.
func (d *demo) build(ctx context.Context, dir string) error {
	if d.binary != "" {
		return nil
	}
	d.binary = filepath.Join(dir, "dsplay")
	if runtime.GOOS == "windows" {
		d.binary += ".exe"
	}
	fmt.Fprintln(d.out, "Building dsplay …")
	build := exec.CommandContext(ctx, "go", "build", "-o", d.binary, "./cmd/dsplay")
	build.Stdout, build.Stderr = d.out, d.out
	if err := build.Run(); err != nil {
		return fmt.Errorf("build dsplay (run this from the source tree, or name a binary with --dsplay): %w", err)
	}
	return nil
}

func (d *demo) inject(ctx context.Context) error {
	fmt.Fprintln(d.out, "\nBreaking things:")
	what := map[string]string{}
	for _, f := range lab.Faults() {
		what[f.Name] = f.What
	}
	for _, f := range demoFaults {
		if err := d.lab.Inject(f.Name, f.Target); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "  %-9s %s: %s\n", f.Target, f.Name, what[f.Name])
	}
	if err := d.lab.WaitHeartbeat(ctx); err != nil {
		return err
	}
	w := d.lab.World()
	fmt.Fprintf(d.out, "The world now: %d engines online, %d offline.\n", w.Count(lab.EngineOnline), w.Count(lab.EngineOffline))
	return nil
}

// heal runs the playbook as its user would. Only the times are shorter: the lab's ten minutes last a second.
func (d *demo) heal(ctx context.Context) error {
	args := []string{"run", d.playbook, "-i", filepath.Join(d.lab.Dir(), "inventory.hcl"), "--yes", "--var", "poll=500ms", "--var", "patience=5s"}
	fmt.Fprintf(d.out, "\n$ dsplay %s\n\n", strings.Join(args, " "))
	run := exec.CommandContext(ctx, d.binary, args...)
	run.Stdout, run.Stderr = d.out, d.out
	run.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(d.lab.Dir(), "state")) // the record of a demonstration is nobody's history
	if err := run.Run(); err != nil {
		return fmt.Errorf("dsplay did not heal the estate: %w", err)
	}
	return nil
}

// conclude compares the world with what was broken; it believes the world, not dsplay.
func (d *demo) conclude(ctx context.Context) error {
	if err := d.lab.WaitHeartbeat(ctx); err != nil {
		return err
	}
	w := d.lab.World()
	fmt.Fprintln(d.out, "\nWhat was wrong, what was done, and what the world says now:")
	fmt.Fprintln(d.out)
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  where\tfault\tnow\tdone")
	ill := 0
	for _, f := range demoFaults {
		now, well := state(w, f)
		if !well {
			ill++
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", f.Target, f.Name, now, d.done(f.Target))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if ill > 0 {
		return errors.New("the estate is not healthy")
	}
	fmt.Fprintln(d.out, "\nEvery command that any system received is in received.jsonl of a lab that stays: dslab up --dir DIR.")
	return nil
}

// state is what the world says about the place of a fault.
func state(w lab.World, f lab.Fault) (string, bool) {
	if g, ok := w.Guest(f.Target); ok {
		if g.Power == lab.Suspended {
			return "asleep, left alone", f.Name == "asleep"
		}
		return "engine " + g.Engine, g.Engine == lab.EngineOnline
	}
	online, counted := 0, 0
	for _, g := range w.Guests {
		if g.ESXi == f.Target && (g.Engine == lab.EngineOnline || g.Engine == lab.EngineOffline) {
			counted++
			if g.Engine == lab.EngineOnline {
				online++
			}
		}
	}
	return fmt.Sprintf("%d of %d engines online", online, counted), online == counted
}

// done lists the mutating commands that a place received, an ESXi host's appliance included.
func (d *demo) done(target string) string {
	places := map[string]bool{target: true}
	for _, a := range d.lab.World().DSVA {
		if a.ESXi == target {
			places[a.Name] = true
		}
	}
	var done []string
	for _, r := range d.lab.Received() {
		if r.Mutates && places[r.Host] {
			done = append(done, brief(r.Host+": "+r.Text))
		}
	}
	if len(done) == 0 {
		return "nothing"
	}
	return strings.Join(done, "\n  \t\t\t")
}

// brief is one line that fits.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 90 {
		return string(r[:89]) + "…"
	}
	return s
}
