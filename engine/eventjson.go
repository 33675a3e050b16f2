package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AppendJSON appends what encoding/json makes of the event, in a tenth of the time: a run has some events for each entry and
// host, and most of them are written twice.
func (e *Event) AppendJSON(b []byte) []byte {
	w := eventWriter{b: append(b, '{')}
	w.number("v", int64(e.V), true)
	w.text("run", e.Run, true)
	w.number("seq", int64(e.Seq), true)
	w.time("time", e.Time)
	w.text("kind", string(e.Kind), true)
	w.text("pass", e.Pass, false)
	w.text("play", e.Play, false)
	w.text("host", e.Host, false)
	w.text("on", e.On, false)
	w.text("entry", e.Entry, false)
	w.text("module", e.Module, false)
	w.text("title", e.Title, false)
	w.text("item", e.Item, false)
	w.number("attempt", int64(e.Attempt), false)
	w.text("status", e.Status, false)
	w.text("reason", e.Reason, false)
	if e.Error != nil {
		w.other("error", e.Error)
	}
	w.number("took", int64(e.Took), false)
	if !e.Until.IsZero() {
		w.time("until", e.Until)
	}
	w.text("place", e.Place, false)
	w.args(e.Args)
	if len(e.Changes) > 0 {
		w.other("changes", e.Changes)
	}
	w.texts("commands", e.Lines)
	w.text("values", e.Values, false)
	w.texts("waits", e.Waits)
	w.number("hosts", int64(e.Hosts), false)
	w.counts(e.Counts)
	if e.Exit != nil {
		w.number("exit", int64(*e.Exit), true)
	}
	w.text("plan", e.Plan, false)
	return append(w.b, '}')
}

// eventWriter writes the members of an object.
type eventWriter struct{ b []byte }

func (w *eventWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), `":`...)
}

func (w *eventWriter) time(name string, t time.Time) {
	w.name(name)
	w.b = append(t.AppendFormat(append(w.b, '"'), time.RFC3339Nano), '"')
}

// text writes a text; an empty one only when always.
func (w *eventWriter) text(name, value string, always bool) {
	if value != "" || always {
		w.name(name)
		w.b = appendString(w.b, value)
	}
}

func (w *eventWriter) number(name string, value int64, always bool) {
	if value != 0 || always {
		w.name(name)
		w.b = strconv.AppendInt(w.b, value, 10)
	}
}

func (w *eventWriter) texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	for i, v := range values {
		w.b = appendString(append(w.b, opening(i)), v)
	}
	w.b = append(w.b, ']')
}

func (w *eventWriter) args(args []Arg) {
	if len(args) == 0 {
		return
	}
	w.name("args")
	for i, a := range args {
		w.b = append(w.b, opening(i), '{')
		w.text("name", a.Name, true)
		w.text("value", a.Value, true)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *eventWriter) counts(counts map[string]int) {
	if len(counts) == 0 {
		return
	}
	w.name("counts")
	w.b = append(w.b, '{')
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		if w.b[len(w.b)-1] != '{' {
			w.b = append(w.b, ',')
		}
		w.b = strconv.AppendInt(append(appendString(w.b, key), ':'), int64(counts[key]), 10)
	}
	w.b = append(w.b, '}')
}

func (w *eventWriter) other(name string, value any) {
	w.name(name)
	text, err := json.Marshal(value)
	if err != nil { // texts and truths always marshal
		text = []byte("null")
	}
	w.b = append(w.b, text...)
}

// opening is what stands before the i-th element of a list.
func opening(i int) byte {
	if i == 0 {
		return '['
	}
	return ','
}

// appendString writes a text as encoding/json does; what is not plain is left to that.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendOdd(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendOdd writes a text that is not plain. Results are JSON in a text, so quotes are the most common oddity.
func appendOdd(b []byte, s string) []byte {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' || r == '<' || r == '>' || r == '&' }) {
		quoted, err := json.Marshal(s)
		if err != nil { // a text always marshals
			return append(b, `""`...)
		}
		return append(b, quoted...)
	}
	b = append(b, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return append(append(b, s...), '"')
		}
		b = append(append(b, s[:i]...), '\\', '"')
		s = s[i+1:]
	}
}
