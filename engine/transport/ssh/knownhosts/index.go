package knownhosts

import (
	"slices"
	"strings"
	"sync"
)

// index finds the lines of a file that speak of a name. Estates have thousands of lines and ask once per host: so whole
// names are looked up, only patterns and hashes are tried one by one, and what was found is kept.
type index struct {
	lines  []*Line
	whole  map[string][]int // positions in lines, by name
	others []int            // of lines with patterns, or with a hash

	mu    sync.Mutex
	found map[string][]*Line
}

func (x *index) add(l *Line) {
	at := len(x.lines)
	x.lines = append(x.lines, l)
	list, ok := l.names.(patterns)
	if !ok || slices.ContainsFunc(list, func(p string) bool { return strings.ContainsAny(p, "*?!") }) {
		x.others = append(x.others, at)
		return
	}
	if x.whole == nil {
		x.whole = map[string][]int{}
	}
	for _, name := range list {
		x.whole[name] = append(x.whole[name], at)
	}
}

// find returns the lines in their order. The caller must not change them.
func (x *index) find(name string) []*Line {
	x.mu.Lock()
	defer x.mu.Unlock()
	if lines, ok := x.found[name]; ok {
		return lines
	}
	at := slices.Clone(x.whole[name])
	for _, i := range x.others {
		if x.lines[i].names.match(name) {
			at = append(at, i)
		}
	}
	slices.Sort(at)
	lines := []*Line{}
	for _, i := range slices.Compact(at) { // a line may have a name twice
		lines = append(lines, x.lines[i])
	}
	if x.found == nil {
		x.found = map[string][]*Line{}
	}
	x.found[name] = lines
	return lines
}
