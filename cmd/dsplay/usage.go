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

// onlyCommands is for a command that has others below it and takes nothing itself: what follows it is one of them, misspelt.
func onlyCommands(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	hint := c.CommandPath() + " --help lists them"
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", c.CommandPath()+" "+near[0])
	}
	return fmt.Errorf("there is no command %q; %s", c.CommandPath()+" "+args[0], hint)
}

func help(c *cobra.Command, _ []string) error { return c.Help() }
