// Command dsplay runs HCL playbooks over SSH, WinRM and vSphere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // windows name places; a machine may know none

	"github.com/dsplay/dsplay/engine/report"
	"github.com/spf13/cobra"
)

func main() {
	defer func() {
		if bug := recover(); bug != nil {
			fmt.Fprintf(os.Stderr, "dsplay: a bug: %v\n%s\n", bug, debug.Stack())
			os.Exit(exitBug)
		}
	}()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // conditions over thousands of hosts are short-lived garbage; the heap is small
	}
	os.Exit(dsplay(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// dsplay runs one command line and returns its exit code.
func dsplay(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // a lost terminal; nohup says that it is of no matter
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	app := &app{stdin: stdin, out: stdout, err: stderr, stop: make(chan struct{}), over: make(chan struct{})}
	go app.heed(ctx, signals, kill)

	root := app.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var e *exitError
	if err != nil && (!errors.As(err, &e) || e.err != nil) {
		fmt.Fprintln(stderr, "dsplay:", report.Printable(report.NewRedactor(&app.secrets).Text(err.Error())))
	}
	return app.exit(codeOf(err))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "dsplay",
		Short: "Playbooks in HCL over SSH, WinRM and vSphere: what was planned is what runs",
		Long: `dsplay runs HCL playbooks over SSH, WinRM and vSphere, with nothing installed on the targets.
A playbook declares probes, which only look, and steps, which change something. Before anything is changed
dsplay looks at the estate and shows exactly what it would do.

  dsplay validate playbooks/engine-offline.hcl -i inventory.hcl     find every mistake, touch nothing
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --check  look, and show what would be done
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl          look, show, ask, do it
  dsplay doc service                                                what a module takes and gives
` + exitHelp,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().StringVarP(&a.sshConfig, "ssh-config", "F", "", "ssh_config that says what connection \"ssh\" blocks do not: ~/.ssh/config, or any file")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkSSHConfig() }
	root.AddCommand(a.runCommand(), a.planCommand(), a.approveCommand(), a.rejectCommand(), a.verifyCommand(), a.showCommand(), a.applyCommand(), a.resumeCommand())
	root.AddCommand(a.runsCommand(), a.policyCommand(), a.notifyCommand(), a.scheduleCommand())
	root.AddCommand(a.validateCommand(), a.fmtCommand(), a.varsCommand(), a.graphCommand(), a.pingCommand(), a.consoleCommand(), a.testCommand(), a.docCommand(), a.inventoryCommand(), a.versionCommand())
	return root
}
