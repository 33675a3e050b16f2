package main

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// The first signal stops starting things: what runs ends, hosts that were not begun are not touched.
func TestSIGTERMBetweenTwoBatches(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"}, lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "dsva-stuck", Target: "esx3"})
	o := e.healing(atFirst(`"kind":"intent"`, func(c *exec.Cmd) {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}))
	if o.code != exitSIGTERM {
		t.Errorf("exit %d, want %d\n%s", o.code, exitSIGTERM, o)
	}
	for _, want := range []string{`"kind":"signal"`, `"status":"not_attempted"`, `"kind":"run_end"`} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("the record lacks %s", want)
		}
	}
	e.acted(map[string][]string{"dsva1": {restartAgent, heartbeat}})
}
