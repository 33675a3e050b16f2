package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/lang"
)

// The main job's record answers what a person asks afterwards: why this host, what was seen, what was done, who was missing.
func TestConsoleOnTheRecordOfTheMainJob(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "driver-stopped", Target: "guest1-3"}, lab.Fault{Name: "unreachable", Target: "guest1-3"})
	o := e.heal("--json")
	e.ended(o, exitUnreachable)
	record := filepath.Join(t.TempDir(), "run.jsonl")
	if err := os.WriteFile(record, []byte(o.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := func(pass, text string) outcome {
		return e.dsplayReads(text, "console", "playbooks/engine-offline.hcl", "--record", record, "--pass", pass, "--var", "poll=100ms", "--var", "patience=8s")
	}
	questions := `local.dark
local.lone
[for h in play.case_a.missing : "${h.name} ${h.status}"]
length(play.triage.hosts)
.play case_b
.host esx2
self.dsva
step.ds_agent.changed
step.mux.status
length(probe.after.online)
`
	if got, want := asked("apply", questions), "[\"esx2\"]\n[\"guest1-3\"]\n[\"guest1-3 unreachable\"]\n40\n\"dsva2\"\ntrue\n\"skipped\"\n10\n"; got.code != exitOK || got.stdout != want {
		t.Errorf("exit %d, got\n%s\nwant\n%s", got.code, got, want)
	}
	if got := asked("plan", "length(play.case_b.hosts)\n"); !strings.HasPrefix(got.stdout, "(unknown)\n# play.case_b: it was planned, and not executed: case_b/engines/") {
		t.Errorf("got\n%s", got)
	}
}

// keys is a terminal on which somebody types.
type keys struct {
	io.Reader
	bytes.Buffer
}

func (k *keys) Read(p []byte) (int, error) { return k.Reader.Read(p) }

// typed is what a terminal shows when something is typed, without the control sequences.
func typed(t *testing.T, text string) string {
	t.Helper()
	inv := &engine.Inventory{}
	desk, problems := lang.LoadConsole("", lang.Options{Inventory: inv})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	desk.Start(inv, "", nil)
	k := &keys{Reader: strings.NewReader(text)}
	c := &console{app: &app{stop: make(chan struct{})}, Console: desk, inv: inv, redact: func(s string) string { return s }}
	if err := c.converse(k, func() (int, int) { return 80, 24 }); codeOf(err) != exitOK && codeOf(err) != exitUsage {
		t.Fatal(err)
	}
	return k.String()
}

func TestConsoleOnATerminal(t *testing.T) {
	got := typed(t, "max(1,\r2)\rupp\t(\"x\")\r\x1b[A\rnonsense\r1 + 1\rst\t\x15\x04")
	for _, want := range []string{"> max(1,", "… 2)", "\r\n2\r\n", `upper("x")`, "\"X\"\r\n", "Unknown name", "startswith"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not show %q", want)
		}
	}
	if n := strings.Count(got, "\"X\"\r\n"); n != 2 {
		t.Errorf("the history gave %d results, want 2", n)
	}
	if t.Failed() {
		t.Logf("%q", got)
	}
}
