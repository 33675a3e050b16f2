package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/spf13/cobra"
)

// readPlan reads the file of a plan: its bytes, which is what people sign, and what they say.
func readPlan(path string) ([]byte, *plan.Document, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("the plan: %w; nothing was executed", err)
	}
	d, err := plan.Read(data)
	if errors.As(err, new(*plan.Altered)) {
		err = &exitError{exitRefused, fmt.Errorf("%s: %w", path, err)}
	}
	return data, d, err
}

// standing tells whether a plan can be applied at a time at all, whoever approved it.
func standing(d *plan.Document, now time.Time) error {
	switch {
	case d.Offline:
		return errors.New("the plan was made with --offline: it knows nothing of the estate and cannot be applied; plan again without it")
	case d.Stop != nil:
		return fmt.Errorf("there is nothing to apply, planning itself ended early (%s): %s", d.Stop.Kind, d.Stop.Reason)
	case now.After(d.Until):
		return fmt.Errorf("the plan was valid until %s, which was %s ago; plan again", clock(d.Until), max(now.Sub(d.Until).Round(time.Second), time.Second))
	case now.Add(skew).Before(d.Made):
		return fmt.Errorf("the plan was made at %s, which is in the future by this machine's clock (%s): look at the clocks", clock(d.Made), clock(now))
	}
	return nil
}

// skew is how far the clocks of two machines may be apart.
const skew = 5 * time.Minute

// clock is a time as this machine's people read it, and unmistakable for others.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04 -07:00") }

// whoami is the person at this machine: behind sudo, who called it. It is what they say of themselves, not a proof.
func whoami() (name, host string) {
	host, _ = os.Hostname() // a machine without a name has people, too
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if behind := os.Getenv("SUDO_USER"); name == "root" && behind != "" {
		name = behind
	}
	return name, host
}

// completePlan completes the file of a plan.
func completePlan(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}
