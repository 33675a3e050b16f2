package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
	"github.com/spf13/cobra"
)

func (a *app) docCommand() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:   "doc [MODULE | connection TYPE | source KIND]",
		Short: "Show what modules, connections and sources take, give and do",
		Example: `  dsplay doc           every module, a line each
  dsplay doc service   its arguments and results
  dsplay doc connection ssh   the arguments of a connection block`,
		Args: takes(0, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			modules := a.wires().modules
			switch {
			case markdown:
				modulesPage(a.out, modules)
				return nil
			case len(args) == 0:
				return a.docList(modules)
			case args[0] == connectionWord || args[0] == sourceWord:
				return a.docSettings(args[0], args[1:])
			case len(args) > 1:
				return errors.New("one module at a time, like: dsplay doc " + args[0])
			}
			i := slices.IndexFunc(modules, func(m engine.Module) bool { return m.Name == args[0] })
			if i < 0 {
				return fmt.Errorf("there is no module %q; dsplay doc lists them.%s", args[0], infer.Suggest(args[0], moduleNames(modules)))
			}
			return a.docModule(modules[i])
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "all modules as a page of Markdown")
	return c
}

func (a *app) docList(modules []engine.Module) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, m := range modules {
		first, _, _ := strings.Cut(strings.ReplaceAll(m.Doc, "\n", " "), ". ")
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, uses(m), strings.TrimSuffix(first, "."))
	}
	return w.Flush()
}

func moduleNames(modules []engine.Module) []string {
	out := make([]string, len(modules))
	for i, m := range modules {
		out[i] = m.Name
	}
	return out
}

// uses tells whether a module serves probes, steps or both.
func uses(m engine.Module) string {
	var u []string
	if _, ok := m.New().(engine.Prober); ok {
		u = append(u, "probe")
	}
	if _, ok := m.New().(engine.Applier); ok {
		u = append(u, "step")
	}
	return strings.Join(u, ", ")
}

func (a *app) docModule(m engine.Module) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s (%s; on %s)\n\n%s\n\nArguments\n", m.Name, uses(m), strings.Join(m.Targets, ", "), m.Doc)
	for _, f := range engine.Fields(m.New()) {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Name, argNotes(f), f.Doc)
	}
	fmt.Fprintln(w, "\nResults")
	for _, f := range engine.Fields(m.Result) {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Name, resultNotes(f), f.Doc)
	}
	return w.Flush()
}

func argNotes(f engine.Field) string {
	notes := []string{f.Type.FriendlyName()}
	if !f.Optional {
		notes = append(notes, "required")
	}
	if len(f.OneOf) > 0 {
		notes = append(notes, "one of "+strings.Join(f.OneOf, ", "))
	}
	if f.Secret {
		notes = append(notes, "takes a secret")
	}
	return strings.Join(notes, ", ")
}

func resultNotes(f engine.Field) string {
	if f.Optional {
		return f.Type.FriendlyName() + ", may be null"
	}
	return f.Type.FriendlyName()
}
