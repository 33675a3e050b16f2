package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// knownTags refuses a tag that no entry of the playbook has: a misspelt one would skip everything.
func knownTags(p *engine.Playbook, asked []string) error {
	known := map[string]bool{}
	for _, item := range p.Items {
		if item.Play == nil {
			continue
		}
		for e := range engine.Walk(item.Play.Entries) {
			for _, tag := range e.Tags {
				known[tag] = true
			}
		}
	}
	for _, tag := range asked {
		if !known[tag] {
			names := "it has none"
			if len(known) > 0 {
				names = "it has " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
			}
			return fmt.Errorf("nothing in %s has the tag %q (%s); nothing was executed", p.Path, tag, names)
		}
	}
	return nil
}
