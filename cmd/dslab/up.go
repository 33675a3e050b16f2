package main

import (
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/dsplay/dsplay/engine/lab"
)

func upCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Start a lab and stay in the foreground",
		Long: `Starts a lab and writes into DIR (made when it is not there):

  inventory.hcl    every host with its address and port
  id_ed25519       the SSH key, known_hosts the host keys, ca.pem the authority of all https
  secrets/         passwords and the DSM's API key, one per file
  received.jsonl   grows with everything that the systems receive: time, kind, host, user, text, mutates

It prints one line when every system answers, and runs until Ctrl-C or "dslab down".

--speed is how many lab seconds pass in a real one. At 600 the ten minutes between two heartbeats of an appliance take
a second, and a boot 0.15 s. Time stamps are real ones.

In an estate of at least 2 hosts with 4 guests each, the last guest has a Deep Security agent of its own instead of the
appliance's protection, and the one before it is off: neither counts when an ESXi host is judged. --everyone ends that.`,
		Example: "  dslab up --dir /tmp/lab\n  dslab up --dir /tmp/lab --esxi 100 --guests 50\n  dslab up --dir /tmp/lab --no-rest --japanese",
		Args:    cobra.NoArgs,
	}
	o := lab.Options{}
	dir, f := dirFlag(c), c.Flags()
	f.IntVar(&o.ESXi, "esxi", 4, "ESXi hosts, each with an appliance")
	f.IntVar(&o.Guests, "guests", 10, "Windows guests per ESXi host")
	f.Float64Var(&o.Speed, "speed", 600, "lab seconds per real second")
	f.BoolVar(&o.Japanese, "japanese", false, "Japanese Windows, and Japanese as the language of the DSM's users")
	f.BoolVar(&o.NoREST, "no-rest", false, "a DSM 11.0, which has SOAP only")
	f.BoolVar(&o.LegacyDSM, "legacy-dsm", false, "a DSM 11.0 as one finds it: SOAP only, its account in Japanese, two sessions per user")
	f.BoolVar(&o.NSXV, "nsx-v", false, "NSX-V: the Mux is vShield-Endpoint-Mux instead of nsx-context-mux")
	f.BoolVar(&o.NoToolsMedia, "no-tools-media", false, "the CD drives of the guests are empty; else the image of VMware Tools is in each")
	f.StringVar(&o.NSX, "nsx", "", "the NSX manager: v, t or none (default the one that fits the Mux: t, with --nsx-v v)")
	f.BoolVar(&o.MuxListed, "mux-listed", false, "the vCenter's list of services of an ESXi host has the Mux")
	f.BoolVar(&o.Twins, "twins", false, "the second guest has the BIOS UUID of the first one")
	f.BoolVar(&o.PlainWS, "winrm-http", false, "WinRM over http with NTLM encryption instead of https")
	f.BoolVar(&o.GuestOps, "guest-operations", false, "reach guests through the vCenter (connection \"guest\") instead of over WinRM")
	f.BoolVar(&o.Static, "static", false, "write uuid, bios_uuid and esxi into the inventory instead of a vSphere source")
	f.BoolVar(&o.Everyone, "everyone", false, "protect every guest by its appliance and switch all of them on")
	f.StringVar(&o.Appliance, "appliance-name", "Trend Micro Deep Security (%d)", "name of the appliances' VMs in the vCenter")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Dir = *dir
		if err := whole(o); err != nil {
			return err
		}
		return up(c, o)
	}
	return c
}

// whole refuses sizes that a lab would take for its defaults, or that no clock can go by.
func whole(o lab.Options) error {
	switch {
	case o.ESXi < 1:
		return fmt.Errorf("--esxi %d: a lab has at least 1 ESXi host", o.ESXi)
	case o.Guests < 1:
		return fmt.Errorf("--guests %d: an ESXi host of a lab has at least 1 guest", o.Guests)
	case !(o.Speed > 0) || math.IsInf(o.Speed, 1): // NaN is not above 0 either
		return fmt.Errorf("--speed %v: lab seconds per real second are a number above 0", o.Speed)
	}
	return nil
}

func up(c *cobra.Command, o lab.Options) error {
	began := time.Now()
	l, err := lab.Start(c.Context(), o)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "ready after %.1f s: %d ESXi hosts with %d guests each; inventory %s\n",
		time.Since(began).Seconds(), o.ESXi, o.Guests, filepath.Join(l.Dir(), "inventory.hcl"))
	select {
	case <-c.Context().Done():
	case <-l.Done():
	}
	return l.Close()
}
