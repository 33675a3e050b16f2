// Package show knows how a plan is read: by an approver at a terminal, in a ticket, in a browser and on paper, in
// English and in Japanese. It shows what the document says and judges nothing.
package show

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
)

// Formats are the names that Write takes.
var Formats = []string{"text", "json", "markdown", "html"}

// Languages are the languages in which everything can be shown but JSON, which has none.
var Languages = []string{"en", "ja"}

// Options say for whom a plan is shown. The zero value is English, in UTC, without the present time.
type Options struct {
	Lang string         // of Languages; empty: en
	Zone *time.Location // of dates; nil: UTC
	Now  time.Time      // to say that a plan is over; zero: nothing is said
}

// Write shows a document in one of Formats. What came from hosts and authors can neither drive a terminal nor a browser, nor
// look like a part of the page that it is not: characters that cannot be seen are written as ⟨U+202E⟩.
// The document must have its ID (plan.Read and Encode set it).
func Write(w io.Writer, doc *plan.Document, format string, o Options) error {
	if o.Lang == "" {
		o.Lang = Languages[0]
	}
	if !slices.Contains(Languages, o.Lang) {
		return fmt.Errorf("language %q: it must be %s", o.Lang, strings.Join(Languages, " or "))
	}
	switch format {
	case "text":
		return Text(w, doc, o)
	case "json":
		return JSON(w, doc)
	case "markdown":
		return Markdown(w, doc, o)
	case "html":
		return HTML(w, doc, o)
	}
	return fmt.Errorf("format %q: it must be one of %s", format, strings.Join(Formats, ", "))
}

// Text is for a terminal, and for the question whether to do it.
func Text(w io.Writer, doc *plan.Document, o Options) error {
	return guarded(w, func(w io.Writer) error {
		t := &texter{speaker: newSpeaker(o), w: w}
		t.page(newPage(doc, o.Now))
		return nil
	})
}

// Markdown is for a ticket: GitHub's dialect, which Jira, GitLab and Backlog read, too.
func Markdown(w io.Writer, doc *plan.Document, o Options) error {
	return guarded(w, func(w io.Writer) error {
		m := &marker{speaker: newSpeaker(o), w: w}
		m.page(newPage(doc, o.Now))
		return nil
	})
}

// JSON is the file of the plan, laid out for people and for tools like jq. Read back it says the same; its bytes are not those
// that the id is made of.
func JSON(w io.Writer, doc *plan.Document) error {
	file, err := doc.Encode()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, file, "", "  "); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	_, err = io.WriteString(w, escaped(b.String()))
	return err
}

// guarded writes through a buffer and the neutraliser, and gives the first error of w.
func guarded(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 1<<16)
	q := &quieter{w: b}
	if err := write(q); err != nil {
		return err
	}
	if err := q.close(); err != nil {
		return err
	}
	return b.Flush()
}
