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
	if f.json {
		return a.err
	}
	return a.out
}

// sinks are the readers of events that the flags ask for.
func (a *app) sinks(f passFlags) []engine.Journal {
	w := a.textOut(f)
	live := isTerminal(w)
	terminal := &report.Terminal{W: w, Live: live, Color: live && os.Getenv("NO_COLOR") == "", Verbose: f.verbose}
	if f.json {
		return []engine.Journal{report.JSON{W: a.out}, terminal}
	}
	return []engine.Journal{terminal}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
