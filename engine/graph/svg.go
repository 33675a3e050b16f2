package graph

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// colors tell wires apart; each is dark enough on white.
var colors = []string{"#1f6feb", "#c2410c", "#15803d", "#9333ea", "#b91c1c", "#0e7490", "#a16207", "#be185d", "#4d7c0f", "#475569", "#7c2d12"}

// fills are the backgrounds of boxes by kind.
var fills = map[string]string{
	"play": "#eef4ff", "locals": "#f6f5ef", "variables": "#f7f7f7", "check": "#fff7e6",
	"probe": "#ffffff", "step": "#ffe9e3", "recover": "#e6f4ea", "goal": "#f4fbf6", "attempt": "#fbfefc",
	"block": "#f6f8fa", "rescue": "#fdf3d8", "finally": "#f0f0f0", "include": "#f5f0fa", "input": "#e9dff5", "output": "#e9dff5",
}

// legend is smaller than the other texts.
var legend = []string{"lines: values, from where they come to where they are needed", "thick: they decide for which hosts a play runs"}

// SVG draws the graph without any foreign help: items from top to bottom, entries inside of them, and at their right
// side the ways that values take. A thick line decides for which hosts a play runs. It needs no font of its own.
func SVG(w io.Writer, g Graph) error {
	l := newLayout(g)
	p := &painter{}
	p.put(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="12">`, l.w, l.h, l.w, l.h)
	p.put(`<title>%s</title>`, escape(g.Title))
	p.put(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	p.put(`<text x="%.1f" y="%.1f" font-size="14" font-weight="bold">%s</text>`, margin, margin, escape(g.Title))
	for i, b := range l.boxes {
		p.order(l, i)
		p.box(b)
	}
	for i, wire := range l.wires {
		p.wire(l, wire, colors[i%len(colors)])
	}
	for i, line := range legend {
		p.put(`<text x="%.1f" y="%.1f" fill="#666666" font-size="11">%s</text>`, margin, l.h-rowHeight*(1.5-0.6*float64(i)), line)
	}
	p.put(`</svg>`)
	_, err := io.WriteString(w, p.String())
	return err
}

type painter struct{ strings.Builder }

func (p *painter) put(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// order draws the way from the item before to this one: it happens after it.
func (p *painter) order(l *layout, i int) {
	b := l.boxes[i]
	if b.depth > 0 || i == 0 {
		return
	}
	x := b.x + 2*padding
	p.put(`<path d="M%.1f %.1fV%.1f" stroke="#999999" fill="none"/>`, x, b.y-itemGap, b.y-6)
	p.head(x, b.y, 0, "#999999")
}

func (p *painter) box(b *box) {
	fill := fills[b.Kind]
	if fill == "" {
		fill = "#ffffff"
	}
	p.put(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="5" fill="%s" stroke="#8c959f"/>`, b.x, b.y, b.w, b.h, fill)
	y := b.y + b.head/2 + 4
	weight := ""
	if b.depth == 0 {
		weight = ` font-weight="bold"`
	}
	note := ""
	if b.Note != "" {
		note = fmt.Sprintf(`<tspan dx="%.1f" fill="#57606a" font-weight="normal">(%s)</tspan>`, charWidth, escape(b.Note))
	}
	p.put(`<text x="%.1f" y="%.1f"%s>%s%s</text>`, b.x+padding, y, weight, escape(b.Label()), note)
	if b.outside != "" {
		p.put(`<text x="%.1f" y="%.1f" text-anchor="end" fill="#57606a">%s</text>`, b.x+b.w-padding, y, escape(b.outside))
	}
}

// wire draws one line out of a node, and a branch to each that needs it.
func (p *painter) wire(l *layout, w *wire, color string) {
	lane := l.right + laneWidth*float64(w.lane+2)
	start := w.from.port(true)
	p.put(`<g stroke="%s" fill="none" stroke-linejoin="round"><title>%s</title>`, color, escape(w.from.Label()))
	p.put(`<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`, w.from.x+w.from.w, start, color)
	top, bottom := start, start // what branches share is drawn once: drawn upon itself it would look thick
	for i, b := range w.to {
		end := b.port(false)
		top, bottom = min(top, end), max(bottom, end)
		if w.decides[i] {
			p.put(`<path d="M%.1f %.1fH%.1fV%.1fH%.1f" stroke-width="2.8"/>`, w.from.x+w.from.w, start, lane, end, b.x+b.w+6)
		} else {
			p.put(`<path d="M%.1f %.1fH%.1f" stroke-width="1.3"/>`, lane, end, b.x+b.w+6)
		}
		p.head(b.x+b.w, end, 1, color)
	}
	p.put(`<path d="M%.1f %.1fH%.1fM%.1f %.1fV%.1f" stroke-width="1.3" stroke-linecap="round"/>`, w.from.x+w.from.w, start, lane, lane, top, bottom)
	p.put(`</g>`)
}

// head draws an arrow that ends at a point: downwards, or (left = 1) to the left.
func (p *painter) head(x, y float64, left int, color string) {
	if left == 1 {
		p.put(`<path d="M%.1f %.1fl7 -3.5v7z" fill="%s" stroke="none"/>`, x, y, color)
		return
	}
	p.put(`<path d="M%.1f %.1fl-3.5 -7h7z" fill="%s" stroke="none"/>`, x, y, color)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
