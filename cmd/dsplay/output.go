package main

import (
	"io"
	"os"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/report"
	"golang.org/x/term"
)

// text is where texts for people go: standard error when standard output carries JSON.
func (s *session) text() io.Writer { return s.textOut(s.f) }

func (a *app) textOut(f passFlags) io.Writer {
	switch {
	case f.cron:
		return io.Discard // the page at the end says it
	case f.json:
		return a.err
	}
	return a.out
}

// sinks are the readers of events that the flags ask for.
func (a *app) sinks(f passFlags) []engine.Journal {
	var sinks []engine.Journal
	if f.json {
		sinks = append(sinks, report.JSON{W: a.out})
	}
	if f.told != nil {
		sinks = append(sinks, &f.told.digest)
	}
	if f.cron {
		return sinks
	}
	w := a.textOut(f)
	live := isTerminal(w)
	terminal := &report.Terminal{W: w, Live: live, Color: live && os.Getenv("NO_COLOR") == "", Verbose: f.verbose,
		Clock: f.resume == nil} // resume may ask in the middle of a play: its question must not be written over
	return append(sinks, terminal)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
