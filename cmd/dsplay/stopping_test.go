package main

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// Who presses Ctrl-C while something hangs is told at once what that did and what a second one will do.
func TestSignalIsAnsweredWhileSomethingRuns(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "agent-hangs", Target: "esx1"})
	var story []string // the order of what matters
	o := e.healing(func(line string, c *exec.Cmd) {
		for _, what := range []string{`"kind":"intent"`, `stopping: nothing new is started`, `killing what runs`, `"kind":"host_end","pass":"apply","play":"case_b","host":"esx1"`} {
			if !strings.Contains(line, what) {
				continue
			}
			story = append(story, what)
			if len(story) < 3 { // one signal for the step that hangs, one for the answer
				if err := c.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	if o.code != exitSIGINT {
		t.Errorf("exit %d, want %d", o.code, exitSIGINT)
	}
	if !strings.Contains(o.stderr, "to go on where it was stopped: dsplay resume 20") { // for people
		t.Errorf("nothing says how to go on:\n%s", o.stderr)
	}
	if len(story) != 4 || !strings.Contains(story[1], "stopping") || !strings.Contains(story[2], "killing") {
		t.Errorf("the answer to a signal has to come before the end of what hangs: %q", story)
	}
}
