package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// Who presses Ctrl-C while something hangs is told at once what that did and what a second one will do.
func TestSignalIsAnsweredWhileSomethingRuns(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "agent-hangs", Target: "esx1"})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "run", "playbooks/engine-offline.hcl", "-i", filepath.Join(e.Dir(), "inventory.hcl"),
		"--yes", "--json", "--var", "poll=100ms", "--var", "patience=20s")
	c.Dir, c.Env = filepath.Join("..", ".."), append(os.Environ(), asDsplay+"=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder // for people
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var story []string // the order of what matters
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for _, what := range []string{`"kind":"intent"`, `stopping: nothing new is started`, `killing what runs`, `"kind":"host_end","pass":"apply","play":"case_b","host":"esx1"`} {
			if !strings.Contains(lines.Text(), what) {
				continue
			}
			story = append(story, what)
			if len(story) < 3 { // one signal for the step that hangs, one for the answer
				if err := c.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	_ = c.Wait() // the code says how it ended
	if code := c.ProcessState.ExitCode(); code != exitSIGINT {
		t.Errorf("exit %d, want %d", code, exitSIGINT)
	}
	if !strings.Contains(said.String(), "to go on where it was stopped: dsplay resume 20") {
		t.Errorf("nothing says how to go on:\n%s", &said)
	}
	if len(story) != 4 || !strings.Contains(story[1], "stopping") || !strings.Contains(story[2], "killing") {
		t.Errorf("the answer to a signal has to come before the end of what hangs: %q", story)
	}
}
