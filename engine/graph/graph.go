// Package graph knows how to draw what in a playbook waits for what: as text, for graphviz, and as a picture.
package graph

import (
	"slices"
	"strings"
)

// Graph is a playbook as its parts and what they need of each other.
type Graph struct {
	Title string
	Nodes []*Node // in the order in which they happen
}

// Node is a play, an entry, a local, a variable, or what holds such.
type Node struct {
	ID       string // unique in the graph
	Kind     string // the word of the language: "play", "probe", "attempt", "local" …
	Name     string // "" where the word has none, as goal
	Note     string // the module, the source of an include
	Needs    []Need // each once, in the order of their names
	Children []*Node
}

// Need is a value that a node cannot do without.
type Need struct {
	Name string   // as it is written: "local.dark", "probe.now", "group.guests"
	To   string   // the ID of the node that gives it; "" where the inventory does
	By   []string // the arguments that name it, sorted
}

// Decides tells whether the need decides for which hosts a play runs.
func (n Need) Decides() bool { return slices.Contains(n.By, "hosts") }

// Label is the node's first words: "probe vm", "goal", "check \"DSM knows\"".
func (n *Node) Label() string {
	switch {
	case n.Name == "":
		return n.Kind
	case strings.ContainsAny(n.Name, " \"") || n.Kind == "check" || n.Kind == "attempt":
		return n.Kind + ` "` + n.Name + `"`
	case n.Kind == "local" || n.Kind == "variable":
		return n.Name
	}
	return n.Kind + " " + n.Name
}

// Walk calls visit for every node, the outer before the inner; depth counts from 0.
func (g Graph) Walk(visit func(n *Node, depth int)) {
	var walk func([]*Node, int)
	walk = func(nodes []*Node, depth int) {
		for _, n := range nodes {
			visit(n, depth)
			walk(n.Children, depth+1)
		}
	}
	walk(g.Nodes, 0)
}
