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

// The first signal stops starting things: what runs ends, hosts that were not begun are not touched.
func TestSIGTERMBetweenTwoBatches(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"}, lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "dsva-stuck", Target: "esx3"})
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
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	sent := false
	for lines.Scan() {
		log.WriteString(lines.Text() + "\n")
		if !sent && strings.Contains(lines.Text(), `"kind":"intent"`) {
			sent = true
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Wait() // the code says how it ended
	if code := c.ProcessState.ExitCode(); code != exitSIGTERM {
		t.Errorf("exit %d, want %d\n%s", code, exitSIGTERM, log.String())
	}
	for _, want := range []string{`"kind":"signal"`, `"status":"not_attempted"`, `"kind":"run_end"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the record lacks %s", want)
		}
	}
	e.acted(map[string][]string{"dsva1": {restartAgent, heartbeat}})
}
