package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// takes checks that a command gets from least to most arguments; its error shows the line of usage.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return fmt.Errorf("%s given; usage: %s (%s --help)", plural(len(args), "argument"), c.UseLine(), c.CommandPath())
	}
}

// wrongFlag says where the right ones are listed.
func wrongFlag(c *cobra.Command, err error) error {
	return fmt.Errorf("%w; %s --help lists the flags", err, c.CommandPath())
}

// onlyCommands is what a command does that has others below it, and nothing of its own.
func onlyCommands(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("there is no command %q; %s --help lists them", c.CommandPath()+" "+args[0], c.CommandPath())
	}
	return c.Help()
}
