package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever reads the events goes away: what runs is finished, nothing further is begun, and the exit code does not say
// that nothing was executed.
func TestEventsThatNobodyReads(t *testing.T) {
	dir := t.TempDir()
	go1, one, two := filepath.Join(dir, "go"), filepath.Join(dir, "one"), filepath.Join(dir, "two")
	for name, text := range map[string]string{
		"inv.hcl": ``,
		"p.hcl": `play "p" {
  hosts = ["localhost"]
  step "shell" "one" {
    text = "while ! test -e ` + go1 + `; do sleep 0.05; done; touch ` + one + `"
  }
  step "shell" "two" {
    text = "touch ` + two + `"
  }
}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := command(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--yes", "--json")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), `"kind":"intent"`); {
	}
	_ = out.Close()
	if err := os.WriteFile(go1, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // the code says how it ended
	if code := c.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit %d (%s), want %d", code, c.ProcessState, exitFailed)
	}
	if _, err := os.Stat(one); err != nil {
		t.Error("what ran was not finished")
	}
	if _, err := os.Stat(two); err == nil {
		t.Error("a step was begun that could not be recorded")
	}
}
