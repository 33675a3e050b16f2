package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/spf13/cobra"
)

func (a *app) docCommand() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:   "doc [MODULE | BLOCK | functions [NAME] | connection [TYPE] | source [TYPE]]",
		Short: "Show what modules, blocks and connections take, and which functions there are",
		Example: `  dsplay doc                  every module, a line each, and the words of the language
  dsplay doc service          a module: its arguments and results
  dsplay doc recover          a block of the language: its arguments
  dsplay doc functions        every function
  dsplay doc functions regex  one of them
  dsplay doc connection ssh   what a connection block of the inventory takes
  dsplay doc source vsphere   what a source block of the inventory takes`,
		Args:              takes(0, 2),
		ValidArgsFunction: a.completeDoc,
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 0 && args[0] == functionsWord:
				return a.docFunctions(args[1:], markdown)
			case len(args) > 0 && (args[0] == connectionWord || args[0] == sourceWord) || len(args) > 1 && args[0] == notifyWord:
				return a.docSettings(args[0], args[1:])
			case len(args) > 1:
				return fmt.Errorf("one word at a time; only %s, connection and source take another one", functionsWord)
			case markdown:
				modulesPage(a.out, a.wires().modules)
				return nil
			case len(args) == 0:
				return a.docList(a.wires().modules)
			}
			return a.docWord(args[0])
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "all modules, or all functions, as a page of Markdown")
	return c
}

// docWord explains a module, a block, or what a connection or source of that type takes.
func (a *app) docWord(word string) error {
	modules, blocks := a.wires().modules, append(lang.Blocks(), lang.PolicyBlock(), lang.NotifyBlock())
	if i := slices.IndexFunc(modules, func(m engine.Module) bool { return m.Name == word }); i >= 0 {
		return a.docModule(modules[i])
	}
	if i := slices.IndexFunc(blocks, func(b lang.BlockDoc) bool { return b.Name == word }); i >= 0 {
		return a.docBlock(blocks[i])
	}
	for _, block := range []string{connectionWord, sourceWord} {
		if _, ok := a.settings(block)[word]; ok {
			return a.docSettings(block, []string{word})
		}
	}
	return fmt.Errorf("there is no module, no block and no connection %q.%s dsplay doc lists them", word, decode.Suggest(word, a.words()))
}

// words are what docWord explains.
func (a *app) words() []string {
	var words []string
	for _, m := range a.wires().modules {
		words = append(words, m.Name)
	}
	for _, b := range lang.Blocks() {
		words = append(words, b.Name)
	}
	words = append(words, lang.PolicyBlock().Name, lang.NotifyBlock().Name)
	for _, block := range []string{connectionWord, sourceWord} {
		words = slices.AppendSeq(words, maps.Keys(a.settings(block)))
	}
	return words
}

func (a *app) docList(modules []engine.Module) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, m := range modules {
		first, _, _ := strings.Cut(strings.ReplaceAll(m.Doc, "\n", " "), ". ")
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, uses(m), strings.TrimSuffix(first, "."))
	}
	var blocks []string
	for _, b := range lang.Blocks() {
		blocks = append(blocks, b.Name)
	}
	fmt.Fprintf(w, "\nBlocks of the language: %s\nFunctions: dsplay doc %s\nInventory: connection %s; source %s\nPolicies: policy\nNotifications: notify %s\n", strings.Join(blocks, " "), functionsWord,
		a.types(connectionWord), a.types(sourceWord), a.types(notifyWord))
	return w.Flush()
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
