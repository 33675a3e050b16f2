package graph

import (
	"fmt"
	"io"
	"strings"
)

// DOT writes the graph in the language of graphviz: what holds other nodes is a cluster, in which a node of its own
// stands for itself, because edges join nodes only.
func DOT(w io.Writer, g Graph) error {
	d := &dot{outside: map[string]bool{}, joined: map[string]bool{}}
	g.Walk(func(n *Node, _ int) {
		for _, need := range n.Needs {
			d.joined[n.ID], d.joined[need.To] = true, true
		}
	})
	d.line(0, "digraph %s {", quote(g.Title))
	d.line(1, `rankdir=TB; compound=true; fontname="sans-serif"; node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"]; edge [fontname="sans-serif", fontsize=10];`)
	for _, n := range g.Nodes {
		d.node(n, 1)
	}
	g.Walk(func(n *Node, _ int) { d.edges(n) })
	d.line(0, "}")
	_, err := io.WriteString(w, d.String())
	return err
}

type dot struct {
	strings.Builder
	outside map[string]bool // what the inventory gives and has a node
	joined  map[string]bool // nodes with an edge
}

func (d *dot) line(depth int, format string, args ...any) {
	d.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(d, format+"\n", args...)
}

func (d *dot) node(n *Node, depth int) {
	label := n.Label()
	if n.Note != "" {
		label += "\n" + n.Note
	}
	if len(n.Children) == 0 {
		d.line(depth, "%s [label=%s];", quote(n.ID), quote(label))
		return
	}
	d.line(depth, "subgraph %s {", quote("cluster "+n.ID))
	d.line(depth+1, `label=%s; style="rounded,filled"; fillcolor="#0000000a";`, quote(label))
	if d.joined[n.ID] {
		d.line(depth+1, "%s [label=%s, shape=plaintext, style=\"\"];", quote(n.ID), quote(n.Kind))
	}
	for _, c := range n.Children {
		d.node(c, depth+1)
	}
	d.line(depth, "}")
}

func (d *dot) edges(n *Node) {
	for _, need := range n.Needs {
		from := need.To
		if from == "" {
			from = "inventory " + need.Name
			if !d.outside[from] {
				d.line(1, "%s [label=%s, shape=ellipse];", quote(from), quote(need.Name))
			}
			d.outside[from] = true
		}
		style := ""
		if need.Decides() {
			style = ", penwidth=2"
		}
		d.line(1, "%s -> %s [label=%s%s];", quote(from), quote(n.ID), quote(strings.Join(need.By, ", ")), style)
	}
}

// quote makes a string of graphviz, in which only the quote needs an escape, the backslash where it would be one, and
// \n is a line break.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
