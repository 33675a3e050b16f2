package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Worst is the worst case in numbers: everything that may act counts, attempts included.
type Worst struct {
	Hosts   []string              `json:"hosts,omitempty"` // that are acted on, also through "on"; sorted
	Entries int                   `json:"entries"`
	Effects map[engine.Effect]int `json:"effects,omitempty"` // on how many entries × hosts
	Unknown int                   `json:"unknown,omitempty"` // entries with an argument that is not known yet
}

// Worst sums up what may be changed.
func (p *Plan) Worst() Worst {
	w := Worst{Effects: map[engine.Effect]int{}}
	hosts := map[string]bool{}
	for _, i := range p.Acting() {
		if i.On != "" { // else it is not known yet
			hosts[i.On] = true
		}
		w.Entries++
		for _, e := range i.Effects {
			w.Effects[e]++
		}
		if len(i.Unknown) > 0 {
			w.Unknown++
		}
	}
	w.Hosts = slices.Sorted(maps.Keys(hosts))
	return w
}

// String is the worst case on one line.
func (w Worst) String() string {
	s := fmt.Sprintf("%s on %s", plural(w.Entries, "entry acts", "entries act"), plural(len(w.Hosts), "host", "hosts"))
	for _, e := range slices.Sorted(maps.Keys(w.Effects)) {
		s += fmt.Sprintf(", %s ×%d", e, w.Effects[e])
	}
	s = strings.Replace(s, ", ", "; ", 1)
	if w.Unknown > 0 {
		s += fmt.Sprintf("; %d with arguments that are not known yet", w.Unknown)
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
