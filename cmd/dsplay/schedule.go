package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/schedule"
	"github.com/spf13/cobra"
)

type scheduleFlags struct {
	run         runFlags
	when, name  string
	systemd     bool
	user, delay string
	credentials []string
	dry         bool
}

func (a *app) scheduleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule",
		Short: "Let cron or systemd start runs that a policy decides",
		Long: `schedule writes what cron or systemd have to be told so that a run is started at its times, and nothing else: lines of this
account's crontab between marks of its own, or a timer and a service of systemd. A run on a schedule needs a policy, since
nobody is there to be asked. docs/unattended.md goes through all of it.`,
		Args: onlyCommands,
		RunE: help,
	}
	c.AddCommand(a.scheduleInstallCommand(), a.scheduleListCommand(), a.scheduleRemoveCommand())
	return c
}

func (a *app) scheduleInstallCommand() *cobra.Command {
	var f scheduleFlags
	c := &cobra.Command{
		Use:   "install PLAYBOOK --policy FILE --when TIME",
		Short: "Show what is written, ask, and write it",
		Long: `install reads playbook, inventory, policy and notifications as the run will, and refuses what would fail at night: mistakes,
a policy that does not permit the playbook, secrets in environment variables that will not be there. Then it shows the
exact text, asks, and writes it. It takes the flags of dsplay run; all paths are made whole; --lock skip and --deadline 4h are
added where nothing else is said. Installing a name again replaces it.

With cron TIME is the five fields of crontab(5). With --systemd it is a calendar event of systemd.time(7); root writes units of
the machine, confined as far as dsplay can still work, anybody else those of their own manager.`,
		Example: `  dsplay schedule install playbooks/engine-offline.hcl -i inventory.hcl --policy night.hcl --notify notify.hcl --when "*/15 * * * *"
  dsplay schedule install playbooks/engine-offline.hcl -i inventory.hcl --policy night.hcl --when "Sat,Sun 01:00" --systemd --user dsplay
  dsplay schedule install playbooks/engine-offline.hcl -i inventory.hcl --policy night.hcl --when @hourly --dry-run`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlaybook,
		RunE:              func(c *cobra.Command, args []string) error { return a.scheduleInstall(c, args[0], f) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	a.registerRun(c, &f.run)
	for _, name := range askingFlags {
		c.Flags().Lookup(name).Hidden = true
	}
	c.Flags().StringVar(&f.when, "when", "", `when it is started: "0 1 * * *" (crontab(5), @hourly, @daily), with --systemd "Sat,Sun 01:00" (systemd.time(7))`)
	c.Flags().StringVar(&f.name, "name", "", "what the schedule is called (default: the playbook's name)")
	c.Flags().BoolVar(&f.systemd, "systemd", false, "a timer of systemd instead of a line for cron")
	c.Flags().StringVar(&f.user, "user", "", "with --systemd, for root: the account that runs it (default: root)")
	c.Flags().StringVar(&f.delay, "delay", "1min", "with --systemd: start at random at most so much later, so that not everything starts at once")
	c.Flags().StringArrayVar(&f.credentials, "credential", nil, `with --systemd: NAME=FILE, what secret("credential:NAME") reads; repeatable`)
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only show what would be written")
	return c
}

// askingFlags are those of run that mean something else, or nothing, for a schedule.
var askingFlags = []string{"check", "cron", "json", "verbose"}

func (a *app) scheduleInstall(c *cobra.Command, playbook string, f scheduleFlags) error {
	switch {
	case runtime.GOOS == "windows":
		return errors.New("on Windows the Task Scheduler starts dsplay: docs/unattended.md has the exact command; nothing was written")
	case f.run.policy == "":
		return errors.New("a schedule needs --policy FILE: nobody is there to say yes; dsplay policy shows how one is written; nothing was written")
	case f.when == "":
		return errors.New(`when? Say --when "0 1 * * *" (every night at one), or with --systemd --when "01:00"; nothing was written`)
	}
	for _, name := range askingFlags {
		if c.Flags().Changed(name) {
			return fmt.Errorf("--%s means nothing on a schedule, which prints what cron --cron does; nothing was written", name)
		}
	}
	if f.name == "" {
		f.name = scheduleName(playbook)
	}
	if err := schedule.CheckName(f.name); err != nil {
		return fmt.Errorf("%w; say --name NAME; nothing was written", err)
	}
	job, err := a.job(c, playbook, f)
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	if f.systemd {
		return a.installUnits(c.Context(), job, f)
	}
	return a.installLine(c.Context(), job, f)
}

// scheduleName is the name of a playbook as that of a schedule.
func scheduleName(playbook string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.TrimSuffix(filepath.Base(playbook), ".hcl")))
}

// agreed asks whether something may be written, unless a flag has said so; false: only show.
func (a *app) agreed(f scheduleFlags) (bool, error) {
	switch {
	case f.dry:
		fmt.Fprintln(a.out, "Nothing was written (--dry-run).")
		return false, nil
	case f.run.yes:
		return true, nil
	case !a.asksAtTerminal():
		return false, errors.New("nobody can be asked without a terminal: say --yes to write it, or --dry-run to see it; nothing was written")
	}
	if err := a.confirmed(a.out, "\nWrite this?"); err != nil {
		return false, &exitError{exitRefused, fmt.Errorf("%w; nothing was written", err)}
	}
	return true, nil
}

// tellNotes shows what somebody has to know of how it will be started.
func tellNotes(w io.Writer, notes []string) {
	if len(notes) == 0 {
		return
	}
	fmt.Fprintln(w, "\nTo know:")
	for _, n := range slices.Compact(notes) {
		fmt.Fprintln(w, "  - "+n)
	}
}
