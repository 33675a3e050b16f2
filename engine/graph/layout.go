package graph

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Sizes in user units of SVG. The font is monospaced, so that the width of a text is known without measuring it.
const (
	margin    = 24.0
	charWidth = 7.3
	rowHeight = 25.0
	portSpace = 6.0 // between two lines that end at one row
	padding   = 9.0 // between a box and the boxes in it
	gap       = 6.0 // between two rows of one box
	itemGap   = 20.0
	laneWidth = 9.0
)

// box is a node with its place. Lines end at its right side, each at a port of its own.
type box struct {
	*Node
	depth      int
	x, y, w, h float64
	head       float64 // the height of its own row; below it stand its children
	outside    string  // what it needs from the inventory and from variables
	arrivals   int
	departs    bool
	used       int // arrivals that have a line already
}

// port is the height at which the next line arrives; the line that departs stands below all others.
func (b *box) port(depart bool) float64 {
	n, i := b.ports(), b.used
	if depart {
		i = n - 1
	} else {
		b.used++
	}
	return b.y + b.head/2 + (float64(i)-float64(n-1)/2)*portSpace
}

func (b *box) ports() int {
	n := b.arrivals
	if b.departs {
		n++
	}
	return n
}

// wire is everything that flows out of one node: a vertical line in a lane right of all boxes, with a branch each.
type wire struct {
	from     *box
	to       []*box
	decides  []bool // whether the branch decides for which hosts a play runs
	lane     int
	top, end float64
}

// layout is a graph with places.
type layout struct {
	boxes []*box // the outer before the inner
	wires []*wire
	right float64 // the right side of the items
	w, h  float64
}

func newLayout(g Graph) *layout {
	l := &layout{}
	byID := map[string]*box{}
	g.Walk(func(n *Node, depth int) {
		b := &box{Node: n, depth: depth}
		l.boxes = append(l.boxes, b)
		byID[n.ID] = b
	})
	l.connect(byID)
	width := 0.0
	for _, b := range l.boxes {
		text := utf8.RuneCountInString(b.Label()) + utf8.RuneCountInString(b.Note) + utf8.RuneCountInString(b.outside)
		width = max(width, float64(text+7)*charWidth+2*padding*float64(b.depth+1))
	}
	y := margin + rowHeight
	for _, n := range g.Nodes {
		y = l.place(n, byID, margin, y, width) + itemGap
	}
	l.right, l.h = margin+width, y+2*rowHeight
	lanes := l.lanes()
	l.w = max(l.right+laneWidth*float64(lanes+3), margin+float64(len(legend[0]))*charWidth) + margin
	return l
}

// connect makes wires of needs. Those of variables are words in the box: nearly everything would hang on them.
func (l *layout) connect(byID map[string]*box) {
	wires := map[*box]*wire{}
	for _, b := range l.boxes {
		for _, need := range b.Needs {
			from := byID[need.To]
			if from == nil || from.Kind == "variable" {
				b.outside = strings.TrimPrefix(b.outside+", "+need.Name, ", ")
				continue
			}
			w := wires[from]
			if w == nil {
				w = &wire{from: from}
				wires[from] = w
				l.wires = append(l.wires, w)
				from.departs = true
			}
			w.to, w.decides = append(w.to, b), append(w.decides, need.Decides())
			b.arrivals++
		}
	}
}

// place gives a node and its children their places, and returns the height at which the next thing may stand.
func (l *layout) place(n *Node, byID map[string]*box, x, y, w float64) float64 {
	b := byID[n.ID]
	b.x, b.y, b.w = x, y, w
	b.head = max(rowHeight, float64(b.ports()+1)*portSpace)
	y += b.head
	for _, c := range n.Children {
		y = l.place(c, byID, x+padding, y, w-2*padding) + gap
	}
	if len(n.Children) > 0 {
		y += padding - gap
	}
	b.h = y - b.y
	return y
}

// lanes gives each wire a lane in which no other one is at the same height, the short ones near the boxes, and
// returns how many there are.
func (l *layout) lanes() int {
	for _, w := range l.wires {
		w.top, w.end = w.from.y, w.from.y+w.from.head
		for _, b := range w.to {
			w.top, w.end = min(w.top, b.y), max(w.end, b.y+b.head)
		}
	}
	order := slices.Clone(l.wires)
	slices.SortStableFunc(order, func(a, b *wire) int { return cmp.Compare(a.end-a.top, b.end-b.top) })
	var taken [][]*wire
	for _, w := range order {
		lane := slices.IndexFunc(taken, func(others []*wire) bool {
			return !slices.ContainsFunc(others, func(o *wire) bool { return w.top < o.end && o.top < w.end })
		})
		if lane < 0 {
			lane = len(taken)
			taken = append(taken, nil)
		}
		w.lane, taken[lane] = lane, append(taken[lane], w)
	}
	return len(taken)
}
