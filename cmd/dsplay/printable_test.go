package main

import (
	"bytes"
	"strings"
	"testing"
)

// What stands in an error may be a host's: it does not drive the terminal of who reads it.
func TestErrorsDoNotDriveTheTerminal(t *testing.T) {
	var out, errs bytes.Buffer
	code := dsplay([]string{"show", "/nonexistent/\x1b]0;owned\a\u009b2J\u202eplan"}, nil, &out, &errs)
	if text := out.String() + errs.String(); code == 0 || strings.ContainsAny(text, "\x1b\a\u009b\u202e") || !strings.Contains(text, "owned") {
		t.Errorf("%d: %q", code, text)
	}
}
