// Command dslab simulates an estate on loopback: vCenter, DSM, ESXi hosts, appliances and Windows guests, with faults
// that only their own remedies heal.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root(os.Stdout, os.Stderr).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dslab:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

const introduction = `dslab simulates an estate on loopback addresses, to try dsplay and its playbooks on:

  - ESXi hosts and Deep Security appliances that answer over SSH,
  - Windows guests that answer over WinRM,
  - a vCenter (the vSphere API), a DSM (REST v1 and SOAP) and an NSX manager (NSX-V or NSX-T) over https.

It holds one truth: a guest's anti-malware engine is online when the guest is awake and has its tag in NSX, its driver runs
and is connected, the Mux of its ESXi host works, the agent of the appliance works and has the guest's policy, and no central
cause is in the way. The DSM hears of it only by heartbeats, every ten lab minutes. Faults are injected by name, and each is healed only by its own remedy.

Try this, in two terminals:

  dslab up --dir /tmp/lab
  dslab inject --dir /tmp/lab mux-stuck esx2
  dsplay run playbooks/engine-offline.hcl -i /tmp/lab/inventory.hcl --check
  dslab world --dir /tmp/lab

Every command line and request that a simulated system received stands in DIR/received.jsonl.`

func root(out, err io.Writer) *cobra.Command {
	c := &cobra.Command{
		Use:           "dslab",
		Short:         "A simulated estate to try dsplay on",
		Long:          introduction,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.SetOut(out)
	c.SetErr(err)
	c.CompletionOptions.HiddenDefaultCmd = true
	c.AddCommand(upCommand(), injectCommand(), clearCommand(), worldCommand(), downCommand(), demoCommand())
	return c
}

// dirFlag adds --dir, the directory that names a lab.
func dirFlag(c *cobra.Command) *string {
	dir := c.Flags().String("dir", "", "directory of the lab (needed)")
	_ = c.MarkFlagRequired("dir") // it exists: the line above
	return dir
}
