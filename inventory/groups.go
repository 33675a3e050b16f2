package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

// lineage is every group that a host is in, directly or through parents, and what they say together.
type lineage struct {
	groups  []*decl // all first, every parent before its children
	names   []string
	above   map[*decl]map[*decl]bool // the ancestors of each
	attrs   map[string]attr
	clashes map[string][2]attr // attributes on which two unrelated groups disagree
	mixes   map[string]*mix    // what they say of connections of a type ("ssh"), and of sudo ("")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// linkGroups checks that every group that is named is declared and that none contains itself.
func (m *Model) linkGroups() {
	if m.groups[All] == nil {
		m.groups[All] = &decl{kind: "group", name: All}
	}
	for _, d := range m.groups {
		m.checkMembers(d)
	}
	for _, d := range m.hosts {
		m.checkMembers(d)
	}
	if parents := m.groups[All].groups; len(parents) > 0 {
		m.fail(parents[0].place, "Group in itself", `The group "all" contains every other group, so it is in none.`)
		m.groups[All].groups = nil
	}
	state := map[string]int{}
	for _, name := range sortedKeys(m.groups) {
		m.checkCycle(name, state, nil)
	}
}

// checkMembers drops the groups of d that are not declared, or come twice.
func (m *Model) checkMembers(d *decl) {
	kept := d.groups[:0]
	for i, g := range d.groups {
		switch {
		case m.groups[g.group] == nil:
			m.fail(g.place, "Unknown group", m.unknownGroup(g.group))
		case !slices.ContainsFunc(d.groups[:i], func(x member) bool { return x.group == g.group }):
			kept = append(kept, g)
		}
	}
	d.groups = kept
}

func (m *Model) unknownGroup(name string) string {
	return fmt.Sprintf("No group %q is declared.%s A group is declared with: group %q {}", name, decode.Suggest(name, sortedKeys(m.groups)), name)
}

// checkCycle follows the parents of a group; state is 1 for groups under way and 2 for those that are done.
func (m *Model) checkCycle(name string, state map[string]int, path []string) {
	path = append(path, name)
	if state[name] == 2 {
		return
	}
	state[name] = 1
	d := m.groups[name]
	d.groups = slices.DeleteFunc(d.groups, func(parent member) bool {
		if state[parent.group] != 1 {
			m.checkCycle(parent.group, state, path)
			return false
		}
		circle := append(slices.Clone(path[slices.Index(path, parent.group):]), parent.group)
		m.fail(parent.place, "Group in itself", fmt.Sprintf("Through its parents this group contains itself: %s.", strings.Join(circle, " → ")))
		return true
	})
	state[name] = 2
}

// lineageOf is that of a host which is a member of these groups.
func (m *Model) lineageOf(members []member) *lineage {
	names := make([]string, len(members))
	for i, g := range members {
		names[i] = g.group
	}
	slices.Sort(names)
	key := strings.Join(names, "\n")
	if known := m.lines[key]; known != nil {
		return known
	}
	l := &lineage{above: map[*decl]map[*decl]bool{}, mixes: map[string]*mix{}}
	l.add(m, m.groups[All])
	for _, name := range names {
		l.add(m, m.groups[name])
	}
	for _, g := range l.groups[1:] {
		l.names = append(l.names, g.name)
	}
	slices.Sort(l.names)
	l.inherit()
	m.lines[key] = l
	return l
}

func (l *lineage) add(m *Model, g *decl) {
	if l.above[g] != nil {
		return
	}
	above := map[*decl]bool{}
	if all := m.groups[All]; g != all {
		above[all] = true
	}
	for _, parent := range g.groups {
		p := m.groups[parent.group]
		l.add(m, p)
		above[p] = true
		maps.Copy(above, l.above[p])
	}
	l.above[g] = above
	l.groups = append(l.groups, g)
}

// nearest are the groups for which says holds, without those that have a descendant for which it holds, too.
// More than one of them means that unrelated groups speak.
func (l *lineage) nearest(says func(*decl) bool) []*decl {
	var out []*decl
	for _, g := range l.groups {
		if says(g) {
			out = slices.DeleteFunc(out, func(x *decl) bool { return l.above[g][x] })
			out = append(out, g)
		}
	}
	return out
}

// inherit finds what the groups say of each attribute.
func (l *lineage) inherit() {
	l.attrs, l.clashes = map[string]attr{}, map[string][2]attr{}
	for _, g := range l.groups {
		for name := range g.attrs {
			if _, done := l.attrs[name]; done {
				continue
			}
			speakers := l.nearest(func(d *decl) bool { _, ok := d.attrs[name]; return ok })
			l.attrs[name] = speakers[0].attrs[name]
			for _, other := range speakers[1:] {
				if a, b := speakers[0].attrs[name], other.attrs[name]; !a.value.RawEquals(b.value) {
					l.clashes[name] = [2]attr{a, b}
				}
			}
		}
	}
}

// disagree reports, once for all hosts, that two groups of a host say different things about the same.
func (m *Model) disagree(host *decl, what string, a, b *decl, at, other hcl.Range) {
	if once := (complaint{at, what, line(other)}); !m.seen[once] {
		m.seen[once] = true
		m.fail(at, "Groups disagree", fmt.Sprintf("The %s (%s) and the %s (%s) disagree about %s, and neither contains the other; %s is in both. Let the host say it, or put one group into the other.",
			a, line(at), b, line(other), what, host))
	}
}
