package main

import (
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/shell"
)

// runbooks are the pages for people, in both languages.
var runbooks = []string{"runbook.md", "runbook.ja.md"}

var (
	runbookCommand = regexp.MustCompile("(?m)^dsplay .+$|`dsplay [^`]+`")
	runbookScreen  = regexp.MustCompile("(?ms)^```text\n(.*?)^```$")
)

// runbookCommands are the command lines of a page, those of its blocks and those in its sentences, as they stand.
func runbookCommands(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	for _, line := range runbookCommand.FindAllString(read(t, filepath.Join("..", "..", "docs", page)), -1) {
		all = append(all, strings.Trim(line, "`"))
	}
	return all
}

// A person who types what the runbooks say is understood: command, flags and number of arguments; playbooks and their
// variables are there, and take these values.
func TestRunbooksAreUnderstood(t *testing.T) {
	for _, page := range runbooks {
		lines := runbookCommands(t, page)
		if len(lines) < 20 {
			t.Fatalf("%s: only %d command lines", page, len(lines))
		}
		for _, line := range lines {
			words, err := shell.Fields(line, func(string) string { return "" })
			if err != nil {
				t.Errorf("%s: %s: %v", page, line, err)
				continue
			}
			understood(t, page+": "+line, words[1:])
		}
	}
}

// understood parses a command line as dsplay does, without executing it.
func understood(t *testing.T, line string, words []string) {
	t.Helper()
	a := &app{out: io.Discard, err: io.Discard}
	command, rest, err := a.root().Find(words)
	if err == nil {
		err = command.ParseFlags(rest)
	}
	if err == nil {
		err = command.ValidateArgs(command.Flags().Args())
	}
	if err != nil || !command.Runnable() {
		t.Errorf("%s: %v", line, err)
		return
	}
	playbook := command.Flags().Arg(0)
	if command.Name() != "run" && command.Name() != "plan" {
		return
	}
	asked := []string{"vars", playbook}
	for i, w := range words {
		if w == "--var" {
			asked = append(asked, w, words[i+1])
		}
	}
	if got := process(t, asked...); got.code != exitOK {
		t.Errorf("%s: exit %d: %s", line, got.code, got.stderr)
	}
}

// Both languages say the same: the same commands in the same order, and what the screen shows, byte for byte.
func TestRunbooksSayTheSame(t *testing.T) {
	en, ja := runbookCommands(t, runbooks[0]), runbookCommands(t, runbooks[1])
	if !slices.Equal(en, ja) {
		t.Errorf("commands differ:\n%s\n\n%s", strings.Join(en, "\n"), strings.Join(ja, "\n"))
	}
	screens := func(page string) []string {
		return runbookScreen.FindAllString(read(t, filepath.Join("..", "..", "docs", page)), -1)
	}
	if en, ja := screens(runbooks[0]), screens(runbooks[1]); len(en) == 0 || !slices.Equal(en, ja) {
		t.Errorf("screens differ: %d and %d", len(en), len(ja))
	}
}
