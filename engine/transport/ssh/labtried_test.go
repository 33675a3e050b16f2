//go:build lab

package ssh_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

var update = flag.Bool("update", false, "write the table \"Tried with\" of docs/ssh-tried.md")

// tried is that table: what was found out by this run of the test.
type tried struct {
	version string
	system  string // of the last row
	rows    []string
}

// row opens h, and writes down what it comes to; want is a part of that.
func (all *tried) row(t *testing.T, system, with string, h *engine.Host, want string) {
	t.Helper()
	var handshake, login string
	ctx := engine.WithStages(t.Context(), func(s engine.Stage) {
		switch s.Name {
		case engine.StageHandshake:
			handshake = s.Detail
		case engine.StageLogin:
			login = s.Detail
		}
	})
	conn, err := ssh.New().Open(ctx, h)
	outcome := ""
	if err == nil {
		outcome = "logs in as " + login + agreed(handshake)
		if strings.Contains(conn.Identity(), "legacy") {
			outcome += "; the plan shows " + conn.Identity()[strings.Index(conn.Identity(), "(legacy"):]
		}
		code, err := conn.(engine.Shell).Exec(t.Context(), engine.Process{Line: "exit 7"})
		if code != 7 || err != nil {
			t.Errorf("%s, %s: %d, %v", system, with, code, err)
		}
		conn.Close()
	} else {
		outcome = all.failure(t, err)
	}
	if !strings.Contains(outcome, want) {
		t.Errorf("%s, %s: %s\nwant %s", system, with, outcome, want)
	}
	if v := regexp.MustCompile(`OpenSSH_[0-9.]+`).FindString(handshake); v != "" {
		all.version = strings.Replace(v, "_", " ", 1)
	}
	if system == all.system {
		system = "" // once is enough to read
	} else {
		all.system = system
	}
	all.rows = append(all.rows, fmt.Sprintf("| %s | %s | %s |", system, with, anonymous(outcome)))
}

func (all *tried) failure(t *testing.T, err error) string {
	t.Helper()
	var e *engine.Error
	if !errors.As(err, &e) || !e.Unreachable || e.Hint == "" || e.Host == "" {
		t.Errorf("not an error for a person: %#v", err)
		return err.Error()
	}
	if strings.Contains(e.Error()+e.Hint, password) || strings.Contains(e.Error()+e.Hint, "s3cret") {
		t.Error("the password is in ", e)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	text := strings.TrimPrefix(e.Error(), e.Op+": ")
	if strings.Contains(text, "no common algorithm") { // the two lists are long
		text = text[:strings.Index(text, ";")] + "; both lists follow. " + e.Hint
	}
	if strings.Contains(e.Hint, "legacy_algorithms") && !strings.Contains(text, "legacy_algorithms") {
		text += ". " + e.Hint
	}
	return "`" + string(e.Kind) + "`: " + text
}

// agreed are key exchange, kind of host key and cipher.
func agreed(handshake string) string {
	var names []string
	for _, name := range strings.Fields(handshake) {
		if !strings.Contains(name, "OpenSSH_") && !strings.HasPrefix(name, "Debian") {
			names = append(names, name)
		}
	}
	return " (" + strings.Join(names, " ") + ")"
}

// anonymous is a text without what differs from run to run.
func anonymous(text string) string {
	for _, r := range [][2]string{
		{`SHA256:[A-Za-z0-9+/]{43}`, "SHA256:…"}, {`/tmp/[^ :]*/`, ""}, {`\[?127\.0\.\d+\.\d+\]?:\d+`, "HOST"}, {`127\.0\.\d+\.\d+`, "HOST"},
		{`the clock here says [^)]*\)`, "the clock here says …)"}, {`dsplaytry[a-z0-9]*`, "USER"}, {`\|`, `\|`},
	} {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}

const (
	manual     = "../../../docs/ssh-tried.md"
	tableBegin = "<!-- by go test -tags lab -run LabTriedWith ./engine/transport/ssh -update -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// publish compares the manual with what was found out, or writes it there.
func (all *tried) publish(t *testing.T) {
	t.Helper()
	table := fmt.Sprintf("\nServer: %s, with its defaults but for what is said.\n\n| server | dsplay has | comes to |\n|---|---|---|\n%s\n\n", all.version, strings.Join(all.rows, "\n"))
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tableBegin)
	old, after, ended := strings.Cut(rest, tableEnd)
	switch {
	case !found || !ended:
		t.Fatalf("%s has no place for the table: %q", manual, tableBegin)
	case *update:
		if err := os.WriteFile(manual, []byte(before+tableBegin+table+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case old != table:
		was := strings.Split(old, "\n")
		for i, line := range strings.Split(table, "\n") {
			if i >= len(was) || was[i] != line {
				t.Errorf("%s is out of date, the flag -update writes it anew; line %d of the table is now\n%s", manual, i, line)
				return
			}
		}
		t.Errorf("%s has rows that nothing tries any more", manual)
	}
}
