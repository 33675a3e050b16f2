package show

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Sizes on the picture, in pixels.
const (
	cellNamed  = 18 // a square with room for a ring around it, where names stand beside it
	cellSmall  = 14 // where they do not
	fewAcross  = 2
	nameAcross = 116 // for a name beside a square
	nameLength = 17  // columns of it
)

// grid is how the cells of a box are laid out.
type grid struct {
	size, across, pitch int
	names               bool
}

// layout is for so many cells: names in two columns, or squares about three times as wide as they are high.
func layout(cells int, names bool) grid {
	if names {
		return grid{cellNamed, max(min(fewAcross, cells), 1), cellNamed + nameAcross, true}
	}
	rows := max(int(math.Round(math.Sqrt(float64(cells)/3.2))), 1)
	return grid{cellSmall, max((cells+rows-1)/rows, 1), cellSmall, false}
}

// shapes are drawn once and used for each host: what a colour says, a shape says, too.
const shapes = `<svg class="defs" width="0" height="0" aria-hidden="true"><defs>
<symbol id="p-up" viewBox="0 0 18 18"><rect class="f-up" x="4" y="4" width="10" height="10"/></symbol>
<symbol id="p-down" viewBox="0 0 18 18"><rect class="f-down" x="5" y="5" width="8" height="8"/><path class="f-x" d="M5 5L13 13M13 5L5 13"/></symbol>
<symbol id="p-asleep" viewBox="0 0 18 18"><rect class="f-asleep" x="4.8" y="4.8" width="8.4" height="8.4"/><path class="f-bar" d="M5 9H13"/></symbol>
<symbol id="p-unknown" viewBox="0 0 18 18"><circle class="f-unknown" cx="9" cy="9" r="3.6"/></symbol>
<symbol id="p-certain" viewBox="0 0 18 18"><rect class="ring" x="1.4" y="1.4" width="15.2" height="15.2"/></symbol>
<symbol id="p-maybe" viewBox="0 0 18 18"><rect class="ring maybe" x="1.4" y="1.4" width="15.2" height="15.2"/></symbol>
<symbol id="p-blind" viewBox="0 0 18 18"><circle class="ring lost" cx="9" cy="9" r="8"/><path class="bang" d="M9 1V4.4M9 13.6V17"/></symbol>
</defs></svg>
`

// picture draws the estate. Each box is a picture of its own, so that lines of boxes fit every screen and no page of paper
// cuts one.
func (s speaker) picture(e estate) template.HTML {
	b := &strings.Builder{}
	b.WriteString(shapes)
	s.legend(b)
	class := "estate many"
	if e.Labels {
		class = "estate"
	}
	fmt.Fprintf(b, "<div class=%q>\n", class)
	for _, x := range e.Boxes {
		s.box(b, x, e.Labels)
	}
	b.WriteString("</div>\n")
	return template.HTML(b.String()) // every text in it was escaped when it was written
}

func (s speaker) legend(b *strings.Builder) {
	b.WriteString(`<p class="legend">`)
	for _, l := range [][2]string{
		{"up", s.say("state.up")}, {"down", s.say("state.down")}, {"asleep", s.say("state.asleep")}, {"unknown", s.say("state.unknown")},
		{"certain", s.say("mark.certain")}, {"maybe", s.say("mark.maybe")}, {"blind", s.say("mark.blind")},
	} {
		fmt.Fprintf(b, `<span><svg width="18" height="18"><use href="#p-%s"/></svg>%s</span>`, l[0], escape(l[1]))
	}
	b.WriteString("</p>\n")
}

func (s speaker) box(b *strings.Builder, x box, labels bool) {
	class, name, own := "box", s.say("estate.rest"), ""
	if x.Host == nil {
		class = "box rest"
	} else {
		name = x.Host.Name
	}
	if x.Host != nil && (x.Host.State != stateUnknown || s.mark(x.Host) != "") {
		own = fmt.Sprintf(`<svg width="18" height="18">%s</svg>`, s.cell(x.Host, 0, 0, grid{size: cellNamed}))
	}
	guests := s.say("n.guests", len(x.Cells))
	if x.Host == nil {
		guests = s.say("n.hosts", len(x.Cells))
	}
	if x.Acts > 0 {
		guests = s.say("estate.box", guests, x.Acts)
	}
	g := layout(len(x.Cells), labels)
	rows := (len(x.Cells) + g.across - 1) / g.across
	fmt.Fprintf(b, `<div class="%s"><h5>%s%s <span>%s</span></h5><svg width="%d" height="%d" role="img">`, class, own, escape(name), escape(guests), g.across*g.pitch, rows*g.size)
	for n, h := range x.Cells {
		b.WriteString(s.cell(h, n%g.across*g.pitch, n/g.across*g.size, g))
	}
	b.WriteString("</svg></div>\n")
}

// cell is one host: its state, what will become of it, and its name where there is room.
func (s speaker) cell(h *host, x, y int, g grid) string {
	tip := h.Name + " · " + s.state(h.State)
	shape := use(string(h.State), x, y, g.size)
	if mark := s.mark(h); mark != "" {
		tip += " · " + mark
		shape += use(ringOf(h), x, y, g.size)
	}
	shape += "<title>" + escape(tip) + "</title>"
	if g.names {
		shape += fmt.Sprintf(`<text x="%d" y="%d">%s</text>`, x+g.size+4, y+g.size/2+4, escape(shortened(h.Name)))
	}
	if h.No == 0 { // nothing is known of it but its name
		return "<g>" + shape + "</g>"
	}
	return fmt.Sprintf(`<a href="#h%d">%s</a>`, h.No, shape)
}

func use(symbol string, x, y, size int) string {
	return fmt.Sprintf(`<use href="#p-%s" x="%d" y="%d" width="%d" height="%d"/>`, symbol, x, y, size, size)
}

func ringOf(h *host) string {
	switch {
	case h.touched() && h.Certain:
		return "certain"
	case h.touched():
		return "maybe"
	}
	return "blind"
}

// shortened cuts the middle out of a long name: the ends tell names apart.
func shortened(name string) string {
	runes := []rune(inLine(name))
	if columns(name) <= nameLength {
		return string(runes)
	}
	keep := nameLength / 2 * len(runes) / columns(name)
	return string(runes[:keep]) + "…" + string(runes[len(runes)-keep:])
}

func escape(s string) string { return template.HTMLEscapeString(s) }
