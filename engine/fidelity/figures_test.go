package fidelity

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// figures are what was tried.
type figures struct {
	estates, calm, applied, drifted, narrowed, plays, items int
	lines, mutations                                        map[string]int
	dispositions, ends, stops, other                        map[string]int
	willRun, ran, resolved                                  [2]int // calm, others
}

func newFigures() *figures {
	return &figures{lines: map[string]int{}, mutations: map[string]int{}, dispositions: map[string]int{}, ends: map[string]int{}, stops: map[string]int{}, other: map[string]int{}}
}

func (f *figures) add(j *journey) {
	f.estates++
	f.plays += len(j.read.Plays)
	f.items += len(j.read.Items)
	kind := 1
	if j.calm {
		f.calm++
		kind = 0
	}
	for _, l := range j.world.log {
		f.lines[l.phase]++
		if l.mutates {
			f.mutations[l.phase]++
		}
	}
	for _, i := range j.read.Items {
		f.dispositions[string(i.Disposition)]++
		if strings.Contains(i.Reason, "cannot be known yet: it waits for") {
			f.other["refused as unknown"]++
		}
	}
	if j.read.Stop != nil {
		f.stops["plan: "+j.read.Stop.Kind]++
		return
	}
	f.applied++
	if j.result.Stop != nil {
		f.stops["apply: "+string(j.result.Stop.Kind)]++
	}
	if len(j.drift) > 0 {
		f.drifted++
	}
	if len(j.dropped) > 0 {
		f.narrowed++
	}
	for _, h := range j.result.Hosts {
		f.ends[string(h.Status)]++
	}
	f.resolved[kind] += j.result.Resolved
	for _, i := range j.read.Items {
		if i.Kind == engine.EntryStep && i.Disposition == plan.WillRun {
			f.willRun[kind]++
			if j.ran(i) {
				f.ran[kind]++
			}
		}
	}
}

func table(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

func (f *figures) String() string {
	return fmt.Sprintf(`%d estates (%d calm), %d applied, %d of them drifted before (%d narrowed); %d plays, %d entries × hosts
plan:      %s
           (%s)
stopped:   %s
hosts:     %s
lines:     %s
mutations: %s
will_run:  unchanged world: %d of %d ran, %d resolved; world that changes meanwhile: %d of %d ran, %d resolved`,
		f.estates, f.calm, f.applied, f.drifted, f.narrowed, f.plays, f.items, table(f.dispositions), table(f.other), table(f.stops), table(f.ends),
		table(f.lines), table(f.mutations), f.ran[0], f.willRun[0], f.resolved[0], f.ran[1], f.willRun[1], f.resolved[1])
}
