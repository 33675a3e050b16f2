package main

import (
	"io"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/run"
)

// A person at a terminal says what became of a change; a signal instead of an answer ends the question, and those after it.
func TestAskerAtATerminal(t *testing.T) {
	user, terminal := openTerminal(t)
	a := &app{out: io.Discard, err: io.Discard, stdin: terminal, stop: make(chan struct{})}
	ask := a.asker(resumeFlags{})
	if ask == nil {
		t.Fatal("nobody is asked at a terminal")
	}
	u := run.Unsettled{Host: "esx1", On: "dsva1", Entry: "p/step.x", Began: time.Now(), Why: "nothing on the host tells"}
	for line, want := range map[string]run.Verdict{"yes\n": run.Done, "no\n": run.NotDone, "perhaps\n": run.Unknown} {
		if _, err := user.WriteString(line); err != nil {
			t.Fatal(err)
		}
		if got := ask(t.Context(), u); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
	answers := make(chan run.Verdict)
	go func() { answers <- ask(t.Context(), u) }()
	close(a.stop)
	for range 2 {
		select {
		case got := <-answers:
			if got != run.Unknown {
				t.Errorf("a signal said %s", got)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the question does not end")
		}
		go func() { answers <- ask(t.Context(), u) }()
	}
	<-answers
}
