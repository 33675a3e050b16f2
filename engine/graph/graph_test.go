package graph

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// sample has every shape: nesting, needs forwards over several items, from the inventory, and names that need quoting.
func sample() Graph {
	return Graph{Title: `a "quoted" <name>.hcl`, Nodes: []*Node{
		{ID: "variables", Kind: "variables", Children: []*Node{{ID: "var.a", Kind: "variable", Name: "a"}}},
		{ID: "play.p", Kind: "play", Name: "p", Needs: []Need{{Name: "group.g", By: []string{"hosts"}}}, Children: []*Node{
			{ID: "p/probe.x", Kind: "probe", Name: "x", Note: "service"},
			{ID: "p/step.y", Kind: "step", Name: "y", Note: "command", Needs: []Need{{Name: "probe.x", To: "p/probe.x", By: []string{"when"}}, {Name: "var.a", To: "var.a", By: []string{"argv"}}}},
		}},
		{ID: "locals", Kind: "locals", Children: []*Node{
			{ID: "local.l", Kind: "local", Name: "l", Needs: []Need{{Name: "play.p.hosts", To: "play.p"}}},
			{ID: "local.m", Kind: "local", Name: "m", Needs: []Need{{Name: "local.l", To: "local.l"}, {Name: "play.p.missing", To: "play.p"}}},
		}},
		{ID: `check.a "b" \ c`, Kind: "check", Name: `a "b" \ c`, Needs: []Need{{Name: "local.m", To: "local.m", By: []string{"condition"}}}},
		{ID: "play.q", Kind: "play", Name: "q", Needs: []Need{{Name: "local.l", To: "local.l", By: []string{"hosts"}}, {Name: "local.m", To: "local.m", By: []string{"batch", "hosts"}}}},
	}}
}

func drawn(t *testing.T, draw func(io.Writer, Graph) error, g Graph) string {
	t.Helper()
	var b strings.Builder
	if err := draw(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	want := `a "quoted" <name>.hcl
  variables
    a
  play p              ← needs group.g (hosts)
    probe x (service)
    step y (command)  ← needs probe.x (when), var.a (argv)
  locals
    l                 ← needs play.p.hosts
    m                 ← needs local.l, play.p.missing
  check "a "b" \ c"   ← needs local.m (condition)
  play q              ← needs local.l (hosts), local.m (batch, hosts)
`
	if got := drawn(t, Text, sample()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestDOT(t *testing.T) {
	got := drawn(t, DOT, sample())
	for _, want := range []string{
		`digraph "a \"quoted\" <name>.hcl" {`, `subgraph "cluster play.p" {`, `"p/probe.x" [label="probe x\nservice"];`,
		`"p/probe.x" -> "p/step.y" [label="when"];`, `"inventory group.g" -> "play.p" [label="hosts", penwidth=2];`,
		`"check.a \"b\" \\ c" [label="check \"a \"b\" \\ c\""];`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	if strings.Count(got, "{") != strings.Count(got, "}") {
		t.Error("braces do not match")
	}
}

// TestSVG: it is well-formed, and draws a box for every node and an arrow for every need that has a node.
func TestSVG(t *testing.T) {
	got := drawn(t, SVG, sample())
	d := xml.NewDecoder(strings.NewReader(got))
	elements := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, got)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
		}
	}
	if elements["rect"] != 1+10 { // the background, and the nodes
		t.Errorf("%d rectangles", elements["rect"])
	}
	if arrows := strings.Count(got, "l7 -3.5v7z"); arrows != 7 {
		t.Errorf("%d arrows", arrows)
	}
	if !strings.Contains(got, "&lt;name&gt;") || !strings.Contains(got, ">group.g<") {
		t.Error("a text is missing")
	}
}

// TestNothingOverlaps: boxes lie beside or inside each other, lines in one lane at different heights, and no two lines
// end at the same point.
func TestNothingOverlaps(t *testing.T) {
	l := newLayout(sample())
	for i, a := range l.boxes {
		for _, b := range l.boxes[i+1:] {
			apart := a.y+a.h < b.y || b.y+b.h < a.y
			inside := a.x < b.x && a.y < b.y && b.x+b.w < a.x+a.w && b.y+b.h < a.y+a.h
			if !apart && !inside {
				t.Errorf("%s and %s overlap", a.ID, b.ID)
			}
		}
		if a.x+a.w > l.right+0.1 || a.y+a.h > l.h {
			t.Errorf("%s lies outside", a.ID)
		}
	}
	ends := map[[2]float64]bool{}
	for i, a := range l.wires {
		for _, b := range l.wires[i+1:] {
			if a.lane == b.lane && a.top < b.end && b.top < a.end {
				t.Errorf("the lines of %s and %s overlap", a.from.ID, b.from.ID)
			}
		}
		for _, b := range append(a.to, a.from) {
			at := [2]float64{b.x, math.Round(b.port(b == a.from)*10) / 10}
			if ends[at] {
				t.Errorf("two lines end at the same point of %s", b.ID)
			}
			ends[at] = true
		}
	}
}
