package approve

import (
	"strings"

	"github.com/dsplay/dsplay/engine/plan"
)

// people tells who is one person: keys and names that stand on one line of the allowed signers belong together, and so
// do those that share one of them. It rather takes two for one than one for two.
type people map[string]string // a key or a name → another of the same person; itself: it stands for the person

const thePlanner = "planner"

func newPeople(allowed *Signers, planner plan.Planner) people {
	p := people{}
	for _, key := range planner.Keys {
		p.join(thePlanner, "key "+key)
	}
	for _, l := range allowed.lines {
		if l.authority {
			continue
		}
		p.meet(Fingerprint(l.key), strings.Split(l.principals, ","), planner)
	}
	return p
}

// meet learns that a key belongs to somebody of these names. Patterns are nobody's name.
func (p people) meet(key string, names []string, planner plan.Planner) {
	for _, name := range names {
		if isPattern(name) || strings.HasPrefix(name, "!") {
			continue
		}
		p.join("key "+key, "name "+strings.ToLower(name))
		if isPlanner(name, planner) {
			p.join(thePlanner, "name "+strings.ToLower(name))
		}
	}
}

func (p people) join(a, b string) { p[p.find(a)] = p.find(b) }

func (p people) find(a string) string {
	if p[a] == "" {
		p[a] = a
	}
	for p[a] != a {
		a = p[a]
	}
	return a
}

// of is the person who holds a key; two keys of one person give the same.
func (p people) of(key string) string { return p.find("key " + key) }

func (p people) isPlanner(key string) bool { return p.of(key) == p.find(thePlanner) }

// isPlanner tells whether a principal is the user who made the plan: as a whole, or before its @. Root is nobody: many
// people are root, and they are told apart by their keys only.
func isPlanner(principal string, planner plan.Planner) bool {
	user := planner.User[strings.LastIndex(planner.User, `\`)+1:] // CORP\alice on Windows
	if user == "" || user == "root" {
		return false
	}
	before, _, _ := strings.Cut(principal, "@")
	return strings.EqualFold(principal, planner.User) || strings.EqualFold(before, user)
}
