package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/report/digest"
	"github.com/dsplay/dsplay/engine/report/notify"
	"github.com/spf13/cobra"
)

func (a *app) notifyCrashedCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "crashed UNIT FILE",
		Short: "For systemd's OnFailure: tell that a run did not end by itself",
		Long: `crashed is what units of dsplay schedule start when a service failed. A run that ended by itself has told everybody
already, whatever its exit code, and nothing is sent; a run that was killed, dumped core, had no memory or could not be started
has told nobody. Which of them it was says systemd (MONITOR_SERVICE_RESULT and its like, systemd.exec(5), from version 251 on).`,
		Args: takes(2, 2),
		RunE: func(c *cobra.Command, args []string) error { return a.notifyCrashed(c, args[0], args[1]) },
	}
}

// toldCodes are the exit codes of runs that told how they ended.
var toldCodes = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "129", "130", "143"}

func (a *app) notifyCrashed(c *cobra.Command, unit, path string) error {
	result, code, status := os.Getenv("MONITOR_SERVICE_RESULT"), os.Getenv("MONITOR_EXIT_CODE"), os.Getenv("MONITOR_EXIT_STATUS")
	if result == "exit-code" && slices.Contains(toldCodes, status) {
		fmt.Fprintf(a.out, "%s ended with exit code %s and has told so itself.\n", unit, status)
		return nil
	}
	why := fmt.Sprintf("%s did not end by itself: %s (%s %s)", unit, result, code, status)
	if result == "" {
		why = unit + " failed; this systemd does not say how"
	}
	to, err := a.notifications(path)
	if err != nil {
		return err
	}
	now := time.Now()
	user, host := whoami()
	var d digest.Digest
	d.Broken(unit, now, why, []string{"journalctl -u " + unit, "dsplay runs list --unfinished"})
	failed := 0
	redact := report.NewRedactor(&a.secrets).Text
	for _, o := range notify.Send(c.Context(), to, d.Message(digest.About{Machine: host, User: user}), nil) {
		if o.Err != nil {
			failed++
			fmt.Fprintf(a.err, "could not be told: %s: %s\n", o.To, report.Printable(redact(o.Err.Error())))
		}
	}
	if failed > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
