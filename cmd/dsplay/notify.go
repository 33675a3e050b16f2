package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/report/digest"
	"github.com/dsplay/dsplay/engine/report/notify"
	"github.com/spf13/cobra"
)

func (a *app) notifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "notify",
		Short: "Who is told of runs that nobody watches",
		Long: `A file says who is told, and of what; dsplay run and apply take it with --notify FILE:

  notify "mail" "oncall" {
    on       = ["failure", "approval_needed", "recovery"]
    server   = "smtp.corp.example:587"
    user     = "dsplay"
    password = secret("file:/etc/dsplay/smtp")
    from     = "dsplay@corp.example"
    to       = ["oncall@corp.example"]
  }

dsplay doc notify lists the arguments of every block, dsplay doc notify mail (webhook, command) those of a type.
That somebody cannot be told never fails a run: it is reported, and stands in the run's record.`,
		Args: onlyCommands,
		RunE: help,
	}
	c.AddCommand(a.notifyTestCommand(), a.notifyCrashedCommand())
	return c
}

func (a *app) notifyTestCommand() *cobra.Command {
	on := ""
	c := &cobra.Command{
		Use:   "test [FILE]",
		Short: "Send a message that says it is a test, and tell who got it",
		Long: `test sends a message that says it is a test to everybody in the file ($DSPLAY_NOTIFY without one), with --on only to
those who are told on that occasion, and tells for each whether it was handed over.

EXIT STATUS
  0  everybody was told      3  somebody could not be      1  usage, or a mistake in the file`,
		Example: `  dsplay notify test notify.hcl
  dsplay notify test notify.hcl --on approval_needed`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			path := os.Getenv("DSPLAY_NOTIFY")
			if len(args) > 0 {
				path = args[0]
			}
			return a.notifyTest(c, path, engine.Occasion(on))
		},
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVar(&on, "on", "", "only who is told on this occasion: failure, approval_needed, recovery, change")
	completes(c, "on", cobra.FixedCompletions([]cobra.Completion{"failure", "approval_needed", "recovery", "change"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) notifyTest(c *cobra.Command, path string, on engine.Occasion) error {
	switch {
	case path == "":
		return errors.New("which file? Say dsplay notify test FILE, or set DSPLAY_NOTIFY")
	case on != "" && !slices.Contains(engine.Occasions(), on):
		return fmt.Errorf("--on %s: known are %v", on, engine.Occasions())
	}
	to, err := a.notifications(path)
	if err != nil {
		return err
	}
	if on != "" {
		to = slices.DeleteFunc(to, func(n engine.Notification) bool { return !slices.Contains(n.On, on) })
	}
	failed := 0
	redact := report.NewRedactor(&a.secrets).Text
	for _, o := range notify.Send(c.Context(), to, trial(on), nil) {
		if o.Err == nil {
			fmt.Fprintf(a.out, "%s: was handed over (on %v)\n", o.To, o.To.On)
			continue
		}
		failed++
		fmt.Fprintf(a.out, "%s: FAILED: %s\n", o.To, report.Printable(redact(o.Err.Error())))
	}
	switch {
	case len(to) == 0:
		return fmt.Errorf("nobody in %s is told on %s", path, on)
	case failed > 0:
		return &exitError{code: exitFailed}
	}
	return nil
}

// trial is a message that says it is none.
func trial(on engine.Occasion) engine.Message {
	user, host := whoami()
	var d digest.Digest
	now := time.Now()
	d.Unbegun("none", now, now, exitOK, "dsplay notify test: nothing has happened, nothing is to be done")
	m := d.Message(digest.About{Machine: host, User: user})
	m.Test, m.Status, m.Occasions = true, "test", []engine.Occasion{}
	if on != "" {
		m.Occasions = append(m.Occasions, on)
	}
	m.Subject = fmt.Sprintf("dsplay on %s: a test, nothing has happened", host)
	m.Text = fmt.Sprintf("This is a test by %s on %s at %s.\nWhoever reads it is told of runs of dsplay. Nothing has happened, nothing is to be done.\n", user, host, clock(now))
	return m
}
