package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/schedule"
	"github.com/spf13/cobra"
)

// scheduled is a schedule that is installed.
type scheduled struct {
	name, by, when string
	text           string // what starts it
	next           string
}

func (a *app) scheduleListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Show what is scheduled for this account, when it is due, and how it ended the last time",
		Args:  takes(0, 0),
		RunE:  func(c *cobra.Command, _ []string) error { return a.scheduleList(c.Context()) },
	}
}

func (a *app) scheduleList(ctx context.Context) error {
	all, err := installed(ctx, time.Now())
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(a.out, "Nothing is scheduled by dsplay for this account.")
		return nil
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tBY\tWHEN\tNEXT\tLAST")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.name, s.by, s.when, s.next, lastRun(state, s.text))
	}
	return w.Flush()
}

// installed are the schedules of this account. That there is no cron, or no systemd, is none.
func installed(ctx context.Context, now time.Time) ([]scheduled, error) {
	var out []scheduled
	if _, err := exec.LookPath("crontab"); err == nil {
		tab, err := crontab(ctx)
		if err != nil {
			return nil, err
		}
		entries, err := schedule.Entries(tab)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			s := scheduled{name: e.Name, by: "cron", when: e.When, text: e.Command, next: "not known"}
			if w, err := schedule.ParseWhen(e.When); err == nil {
				s.next = clock(w.Next(now))
			}
			out = append(out, s)
		}
	}
	dir, err := unitDir()
	if err != nil {
		return out, nil //nolint:nilerr // an account without a home has no units
	}
	timers, err := filepath.Glob(filepath.Join(dir, schedule.UnitName("*.timer")))
	if err != nil {
		return nil, err
	}
	for _, path := range timers {
		if s, ok := ofTimer(ctx, path); ok {
			out = append(out, s)
		}
	}
	return out, nil
}

// ofTimer is the schedule of a timer that dsplay wrote.
func ofTimer(ctx context.Context, path string) (scheduled, bool) {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), schedule.UnitName("")), ".timer")
	text, err := os.ReadFile(path)
	if err != nil || !schedule.IsOwn(string(text), name) {
		return scheduled{}, false
	}
	s := scheduled{name: name, by: "systemd", next: "not known"}
	for line := range strings.Lines(string(text)) {
		if when, ok := strings.CutPrefix(strings.TrimSpace(line), "OnCalendar="); ok {
			s.when = when
		}
	}
	service, _ := os.ReadFile(strings.TrimSuffix(path, ".timer") + ".service") // without it there is no last run
	s.text = string(service)
	args := []string{"show", "--property=NextElapseUSecRealtime", "--value", filepath.Base(path)}
	if !isRoot() {
		args = append([]string{"--user"}, args...)
	}
	if out, err := exec.CommandContext(ctx, "systemctl", args...).Output(); err == nil && strings.TrimSpace(string(out)) != "" {
		s.next = strings.TrimSpace(string(out))
	}
	return s, true
}

// lastRun tells how the newest run of a playbook ended that a text names, by its whole path as schedules do: what somebody ran by hand
// from its folder is another one.
func lastRun(state, text string) string {
	ids, err := journal.IDs(state)
	if err != nil {
		return "not known: " + err.Error()
	}
	const back = 500
	for _, id := range ids[:min(len(ids), back)] {
		s, err := journal.ReadSummary(state, id)
		if err != nil || !filepath.IsAbs(s.Playbook) || !strings.Contains(text, s.Playbook) {
			continue
		}
		code := "?"
		if s.Exit != nil {
			code = fmt.Sprint(*s.Exit)
		}
		return fmt.Sprintf("%s %s (exit %s), run %s", clock(s.Started), s.Status, code, id)
	}
	return "no run that ended"
}

func (a *app) scheduleRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Take a schedule away that dsplay installed, and nothing else",
		Args:  takes(1, 1),
		RunE:  func(c *cobra.Command, args []string) error { return a.scheduleRemove(c.Context(), args[0]) },
	}
}

func (a *app) scheduleRemove(ctx context.Context, name string) error {
	if err := schedule.CheckName(name); err != nil {
		return err
	}
	all, err := installed(ctx, time.Now())
	if err != nil {
		return err
	}
	found := false
	for _, s := range all {
		if s.name != name {
			continue
		}
		found = true
		if s.by == "cron" {
			err = removeLine(ctx, name)
		} else {
			err = removeUnits(ctx, name)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "Removed %s (%s, %s). What it has recorded stays: dsplay runs.\n", name, s.by, s.when)
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no schedule %q: dsplay has scheduled nothing for this account", name)
	}
	if !found {
		var names []string
		for _, s := range all {
			names = append(names, s.name)
		}
		slices.Sort(names)
		return fmt.Errorf("there is no schedule %q of this account; there are: %s", name, strings.Join(slices.Compact(names), ", "))
	}
	return nil
}

func removeLine(ctx context.Context, name string) error {
	tab, err := crontab(ctx)
	if err != nil {
		return err
	}
	rest, _, err := schedule.Remove(tab, name)
	if err != nil {
		return err
	}
	return setCrontab(ctx, rest)
}

func removeUnits(ctx context.Context, name string) error {
	dir, err := unitDir()
	if err != nil {
		return err
	}
	stopped := systemctl(ctx, "disable", "--now", schedule.UnitName(name)+".timer")
	for _, ending := range []string{".timer", ".service", "-failed.service"} {
		path := filepath.Join(dir, schedule.UnitName(name)+ending)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !schedule.IsOwn(string(text), name) {
			continue
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(stopped, systemctl(ctx, "daemon-reload"))
}
