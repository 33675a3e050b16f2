package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/spf13/cobra"
)

// completeHCL completes names of *.hcl files.
func completeHCL(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}

// completePlaybook completes the one playbook that a command takes.
func completePlaybook(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeHCL(c, args, word)
}

// completeVar completes the names of the variables of the playbook that stands before it. No secret is read.
func completeVar(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	if len(args) > 0 && strings.HasSuffix(args[0], ".hcl") {
		vars, _ := lang.Variables(args[0], lang.Options{Secrets: &engine.Secrets{}, Unread: unasked}) // mistakes are for the command to tell
		for _, v := range vars {
			out = append(out, cobra.CompletionWithDesc(v.Name+"=", v.Description))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completes adds the completion of a flag's value. That the flag is not there is a mistake of this program.
func completes(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// completeHosts completes the hosts, and with groups the groups, of the inventory that the flags name. Sources are
// not asked: completion contacts nothing.
func (a *app) completeHosts(f *loadFlags, groups bool) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if f.inventory == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		model, problems := a.wires().inventory(f.inventory, &a.secrets, unasked)
		if problems.Err() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(model.Inventory(), groups), cobra.ShellCompDirectiveNoFileComp
	}
}

func names(inv *engine.Inventory, groups bool) []string {
	out := slices.Clone(inv.Names())
	if groups {
		for g := range inv.Groups {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return out
}

// completeDoc completes modules, blocks and, behind the word for them, functions.
func (a *app) completeDoc(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	switch {
	case len(args) == 0:
		out = append(a.words(), functionsWord, connectionWord, sourceWord)
	case len(args) == 1 && args[0] == functionsWord:
		for _, f := range decode.Describe() {
			out = append(out, f.Name)
		}
	case len(args) == 1 && (args[0] == connectionWord || args[0] == sourceWord):
		out = slices.Sorted(maps.Keys(a.settings(args[0])))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
