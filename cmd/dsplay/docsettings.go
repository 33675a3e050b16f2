package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/report/notify"
)

// The words behind which dsplay doc takes the type of a block.
const (
	connectionWord = "connection"
	sourceWord     = "source"
	notifyWord     = "notify"
)

// docSettings shows the arguments of a connection, source or notify block of one type; without a type, which there are.
func (a *app) docSettings(block string, which []string) error {
	settings := a.settings(block)
	known := a.types(block)
	if len(which) == 0 {
		fmt.Fprintf(a.out, "%s: %s\n", block, known)
		return nil
	}
	v, ok := settings[which[0]]
	if !ok {
		return fmt.Errorf("there is no %s %q; known are %s", block, which[0], known)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s %q\n\nArguments\n", block, which[0])
	for _, f := range engine.Fields(v) {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Name, argNotes(f), f.Doc)
	}
	return w.Flush()
}

// types are those of a block of the inventory.
func (a *app) types(block string) string {
	return strings.Join(slices.Sorted(maps.Keys(a.settings(block))), ", ")
}

// settings are what the types of a block of the inventory decode into.
func (a *app) settings(block string) map[string]any {
	out, w := map[string]any{}, a.wires()
	if block == notifyWord {
		for name, fresh := range notify.Types() {
			out[name] = fresh()
		}
		return out
	}
	if block == connectionWord {
		for name, t := range w.transports {
			out[name] = t.Settings()
		}
		return out
	}
	for name, s := range w.sources {
		out[name] = s.Settings()
	}
	return out
}
