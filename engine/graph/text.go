package graph

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// arrowColumn is how far right the needs may be pushed to stand below each other.
const arrowColumn = 58

// Text writes an indented tree, a node a line, with what it needs behind it.
func Text(w io.Writer, g Graph) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", g.Title)
	column := 0
	g.Walk(func(n *Node, depth int) {
		if width := utf8.RuneCountInString(line(n, depth)); len(n.Needs) > 0 && width <= arrowColumn {
			column = max(column, width)
		}
	})
	g.Walk(func(n *Node, depth int) {
		text := line(n, depth)
		b.WriteString(text)
		if len(n.Needs) > 0 {
			b.WriteString(strings.Repeat(" ", max(0, column-utf8.RuneCountInString(text))))
			b.WriteString("  ← needs " + strings.Join(needs(n), ", "))
		}
		b.WriteByte('\n')
	})
	_, err := io.WriteString(w, b.String())
	return err
}

func line(n *Node, depth int) string {
	text := strings.Repeat("  ", depth+1) + n.Label()
	if n.Note != "" {
		text += " (" + n.Note + ")"
	}
	return text
}

// needs names what a node needs; where it is not a local's own expression, with the arguments.
func needs(n *Node) []string {
	out := make([]string, len(n.Needs))
	for i, need := range n.Needs {
		out[i] = need.Name
		if len(need.By) > 0 {
			out[i] += " (" + strings.Join(need.By, ", ") + ")"
		}
	}
	return out
}
