// Package report shows what events say: live on a terminal, plainly in a log, as JSON lines. Every event passes
// the redaction before anything is shown or stored.
package report

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine"
)

// shortest is the length below which a secret is not looked for in texts: it would eat innocent words.
// Such a secret is still never put into a text by the engine itself.
const shortest = 5

// Redactor replaces secrets in texts by their names, in clear and in the encodings that commands and URLs use.
type Redactor struct {
	secrets *engine.Secrets

	mu       sync.Mutex
	known    int
	replacer *strings.Replacer
}

// NewRedactor redacts everything that secrets holds, now and later.
func NewRedactor(secrets *engine.Secrets) *Redactor { return &Redactor{secrets: secrets} }

// Text returns s without secrets.
func (r *Redactor) Text(s string) string {
	if s == "" {
		return s
	}
	return (&redaction{replacer: r.current()}).text(s)
}

// redaction is the work on one text or event.
type redaction struct {
	replacer *strings.Replacer
	seen     unbroken
}

func (d *redaction) text(s string) string {
	if s == "" {
		return s
	}
	d.seen = unbroken{}
	if _, err := d.replacer.WriteString(&d.seen, s); err == nil && d.seen == (unbroken{1, len(s)}) {
		return s // in one piece: nothing in it is to be replaced
	}
	return d.replacer.Replace(s)
}

// unbroken counts what a replacer writes, and keeps nothing: most texts hold no secret and need no copy.
type unbroken struct{ writes, length int }

func (u *unbroken) Write(p []byte) (int, error)       { return u.wrote(len(p)) }
func (u *unbroken) WriteString(s string) (int, error) { return u.wrote(len(s)) }

func (u *unbroken) wrote(n int) (int, error) {
	u.writes++
	u.length += n
	return n, nil
}

func (r *Redactor) current() *strings.Replacer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replacer != nil && r.known == r.secrets.Len() {
		return r.replacer
	}
	all := r.secrets.All()
	var forms [][2]string
	for value, name := range all {
		if len(value) < shortest {
			continue
		}
		for _, part := range parts(value) {
			for _, f := range encodings(part) {
				forms = append(forms, [2]string{f, "«secret: " + name + "»"})
			}
		}
	}
	slices.SortFunc(forms, func(a, b [2]string) int { return len(b[0]) - len(a[0]) }) // the longest first
	var pairs []string
	for _, f := range forms {
		pairs = append(pairs, f[0], f[1])
	}
	r.known, r.replacer = len(all), strings.NewReplacer(pairs...)
	return r.replacer
}

// shortestLine is the length from which a line of a secret is one itself: errors hold the last lines of what a host said,
// and terminals have other line ends.
const shortestLine = 12

// parts are a value and, where it has several (a key), its lines.
func parts(value string) []string {
	all := []string{value}
	if !strings.ContainsAny(value, "\r\n") {
		return all
	}
	for _, line := range strings.FieldsFunc(value, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if line = strings.TrimSpace(line); len(line) >= shortestLine {
			all = append(all, line)
		}
	}
	return all
}

// encodings lists a value as it may stand in an output: clear, JSON, URL, hexadecimal, base64 at each of the three
// offsets that it can have inside a longer text, and base64 of UTF-16 as PowerShell's -EncodedCommand has it.
func encodings(v string) []string {
	quoted, _ := json.Marshal(v) // a string always marshals
	wide := make([]byte, 0, 2*len(v))
	for _, u := range utf16.Encode([]rune(v)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	out := []string{v, string(quoted[1 : len(quoted)-1]), url.QueryEscape(v), url.PathEscape(v), hex.EncodeToString([]byte(v))}
	for _, raw := range [][]byte{[]byte(v), wide} {
		for offset := range 3 {
			out = append(out, inner(raw, offset, base64.RawStdEncoding), inner(raw, offset, base64.RawURLEncoding))
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return len(s) < shortest })
}

// inner is the part of raw's base64 that does not depend on what stands around it.
func inner(raw []byte, offset int, e *base64.Encoding) string {
	s := e.EncodeToString(append(make([]byte, offset), raw...))
	from := (offset*8 + 5) / 6
	to := (offset + len(raw)) * 8 / 6
	if from >= to {
		return ""
	}
	return s[from:to]
}

// Event returns e without secrets in any of its texts. What e points to is not changed.
func (r *Redactor) Event(e engine.Event) engine.Event {
	d := &redaction{replacer: r.current()}
	d.value(reflect.ValueOf(&e).Elem())
	return e
}

// value redacts v in its place; what it shares with others is copied first.
func (d *redaction) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); s != "" {
			v.SetString(d.text(s))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			d.value(fresh.Elem())
			v.Set(fresh)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(fresh, v)
			v.Set(fresh)
		}
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() { // it is exported
				d.value(f)
			}
		}
	}
}

// Sinks is a journal that redacts every event once and hands it to each of its readers, in order.
type Sinks struct {
	Redactor *Redactor
	To       []engine.Journal
}

// Append implements engine.Journal. A reader that fails does not keep the others from their event.
func (s Sinks) Append(e engine.Event) error {
	e = s.Redactor.Event(e)
	var failed error
	for _, j := range s.To {
		if err := j.Append(e); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
