package show

import (
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// web is what the template sees.
type web struct {
	*page
	Style               template.CSS
	Script              template.JS
	StyleSum, ScriptSum string
	Picture             template.HTML
	Detailed            []*host // with a detail of their own: acted on, or not planned completely
	PrintDetail         bool    // they are few enough for paper
}

// printedHosts is up to how many hosts are printed one by one. All that is executed is printed in any case.
const printedHosts = 20

// HTML is one file that needs nothing else: for a browser, for the attachment of a ticket, for paper (A4). Everything in it can
// be read without its script, which only opens and filters; its Content-Security-Policy allows no other script, and no
// request to anywhere.
func HTML(w io.Writer, doc *plan.Document, o Options) error {
	s := newSpeaker(o)
	p := newPage(doc, o.Now)
	x := &web{page: p, Style: template.CSS(pageCSS + s.footer(doc.ID)), Script: template.JS(pageJS), Picture: s.picture(p.Estate)}
	x.StyleSum, x.ScriptSum = sum(string(x.Style)), sum(string(x.Script))
	for _, h := range p.All {
		if h.touched() || h.Blind {
			x.Detailed = append(x.Detailed, h)
		}
	}
	x.PrintDetail = len(x.Detailed) <= printedHosts
	t, err := template.New("page").Funcs(s.functions()).Funcs(template.FuncMap{
		"printed": func(h *host) bool { return x.PrintDetail && (h.touched() || h.Blind) },
	}).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	return guarded(w, func(w io.Writer) error {
		if err := t.Execute(w, x); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		return nil
	})
}

// sum is a hash as a Content-Security-Policy has it.
func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(h[:])
}

// footer is the style of a printed page's margins: id and page number, where the browser can. What stands in an id besides
// letters, digits and the colon is left out: it must not end the text.
func (s speaker) footer(id string) string {
	id = strings.Map(func(r rune) rune {
		if r == ':' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, id)
	return fmt.Sprintf(`@page{size:A4;margin:14mm 12mm 16mm;@bottom-left{content:"%s";font:7pt monospace;color:#59636e}@bottom-right{content:"%s " counter(page) " / " counter(pages);font:8pt sans-serif;color:#59636e}}`,
		s.say("footer", id), s.say("page"))
}

func (s speaker) functions() template.FuncMap {
	return template.FuncMap{
		"t": s.say, "lang": func() string { return s.lang }, "list": s.list, "or_": s.or, "inc": func(n int) int { return n + 1 },
		"effect": s.effect, "disposition": s.disposition, "check": s.check, "state": s.state, "mark": s.mark, "group": s.group,
		"reach": s.reach, "place": s.place, "places": s.places, "limits": s.limits, "arguments": s.arguments, "hostCount": s.hostCount, "variable": s.variable,
		"named": func(x *web) string { return named(x.page) }, "facts": func(x *web) [][2]string { return s.facts(x.page) },
		"alarms": func(x *web) []string { return s.alarms(x.page) }, "sentences": func(x *web) []string { return s.sentences(x.page) },
		"lookedAt": func(x *web) string { return s.lookedAt(x.page) },
		"title":    title, "heading": playPart.heading, "arms": step.arms, "weakens": step.weakens, "signed": step.signed, "blamed": blind.blamed,
		"doer":   func(i plan.Item) string { return s.place(where{Host: i.Host, On: i.On}) },
		"values": values, "lines": lines, "decoded": decoded,
	}
}

// decoded is the script that a command line hands to PowerShell; "" when there is none.
func decoded(line string) string {
	script, _ := engine.PowerShellOf(line)
	return script
}

// lines are those of a command, each with its end but the last.
func lines(s string) []string { return strings.SplitAfter(s, "\n") }

// values writes a JSON object on one line for people. What is none stays as it is.
func values(text any) string {
	var raw []byte
	switch t := text.(type) {
	case string:
		raw = []byte(t)
	case json.RawMessage:
		raw = t
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return string(raw)
	}
	parts := make([]string, 0, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, name+" = "+string(fields[name]))
	}
	return strings.Join(parts, ", ")
}

// blamed is the host whose fault it is, when it is another one.
func (b blind) blamed() string {
	if len(b.Hosts) == 1 && b.Hosts[0] == b.Error.Host {
		return ""
	}
	return b.Error.Host
}
