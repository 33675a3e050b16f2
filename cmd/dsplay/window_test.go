package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWindows: outside of its window a playbook can be planned and is not applied (exit 6, with the time at which it opens), and
// what may outlast a window is not begun.
func TestWindows(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now().UTC()
	window := func(from, to time.Duration) string {
		return fmt.Sprintf("Mon-Sun %s-%s UTC", now.Add(from).Format("15:04"), now.Add(to).Format("15:04"))
	}
	shut, open := window(2*time.Hour, 3*time.Hour), window(-time.Hour, time.Hour)
	play := func(name, more, file string) string {
		return fmt.Sprintf("play %q {\n  hosts = [\"localhost\"]\n  %s\n  step \"shell\" \"make\" {\n    text = \"touch %s\"\n    timeout = %q\n  }\n}\n", name, more, filepath.Join(dir, file),
			map[bool]string{true: "24h", false: "1m"}[file == "long"])
	}
	policy := func(name, window string) {
		write(t, dir, name, fmt.Sprintf("policy %q {\n  playbooks = [\"shut.hcl\", \"long.hcl\", \"quick.hcl\"]\n  modules = [\"shell\"]\n  max_hosts = { all = 1 }\n  window = %q\n}\n", name, window))
	}
	write(t, dir, "inv.hcl", "group \"none\" {}\n")
	write(t, dir, "shut.hcl", play("p", fmt.Sprintf("window = %q", shut), "shut"))
	write(t, dir, "both.hcl", play("early", fmt.Sprintf("window = %q", open), "early")+play("late", fmt.Sprintf("window = %q", shut), "late"))
	write(t, dir, "long.hcl", play("p", "", "long"))
	write(t, dir, "quick.hcl", play("p", "", "quick"))
	policy("open.hcl", open)
	policy("closed.hcl", shut)

	path := func(name string) string { return filepath.Join(dir, name) }
	made := func(name string) bool { _, err := os.Stat(path(name)); return err == nil }
	run := func(code int, says string, args ...string) {
		t.Helper()
		if got := process(t, append(args, "-i", path("inv.hcl"))...); got.code != code || !strings.Contains(words(got), says) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", strings.Join(args, " "), got.code, code, says, got)
		}
	}
	run(exitOK, "; closed when this was planned, opens ", "plan", path("shut.hcl"), "--out", path("shut.plan"))
	for _, args := range [][]string{{"apply", path("shut.plan")}, {"run", path("shut.hcl"), "--yes"}, {"run", path("shut.hcl"), "--policy", path("open.hcl")}} {
		run(exitRefused, `the window of play "p" is closed (`+shut+`); it opens `, args...)
	}
	run(exitRefused, "window: it is closed ("+shut+"); it opens ", "run", path("quick.hcl"), "--policy", path("closed.hcl"))
	run(exitFailed, "shell may need 24h0m0s, and the window ("+open+") closes ", "run", path("long.hcl"), "--policy", path("open.hcl"))
	run(exitFailed, `outside of the window of play "late"`, "run", path("both.hcl"), "--yes")
	run(exitOK, "permits it", "run", path("quick.hcl"), "--policy", path("open.hcl"))
	if made("shut") || made("long") || made("late") || !made("early") || !made("quick") {
		t.Error("something else was done than the windows allow")
	}

	// an expired plan in cron, and one that is too late for its policy
	run(exitOK, "", "plan", path("quick.hcl"), "--out", path("old.plan"), "--expires", "1ms")
	run(exitRefused, "the plan was valid until ", "apply", path("old.plan"), "--policy", path("open.hcl"))
	run(exitOK, "", "plan", path("quick.hcl"), "--out", path("new.plan"))
	run(exitRefused, "no policy permits the whole plan; nothing was executed", "apply", path("new.plan"), "--policy", path("closed.hcl"))
	write(t, dir, "quick.hcl", play("p", "", "other")) // the plan holds the playbook that was judged
	if err := os.Remove(path("quick")); err != nil {
		t.Fatal(err)
	}
	run(exitOK, "permits it", "apply", path("new.plan"), "--policy", path("open.hcl"))
	if made("other") || !made("quick") {
		t.Error("what was planned is not what was done")
	}
}
