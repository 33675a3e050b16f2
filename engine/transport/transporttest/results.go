package transporttest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

func (s *suite) exitCodes(t *testing.T) {
	shell := s.open(t)
	for _, code := range []int{0, 1, 255} {
		must(t, shell, s.c.Exit(code), "", code)
	}
	for code, arrives := range s.Codes {
		must(t, shell, s.c.Exit(code), "", arrives)
	}
}

func (s *suite) unknownCommand(t *testing.T) {
	r := must(t, s.open(t), "dsplay-no-such-command", "", s.c.Unknown)
	if !strings.Contains(r.stderr+r.stdout, "dsplay-no-such-command") {
		t.Errorf("the host's complaint does not arrive: %q", r.stderr)
	}
}

func (s *suite) streams(t *testing.T) {
	r := must(t, s.open(t), s.c.Both, "", 0)
	for name, got := range map[string]string{"out": r.stdout, "err": r.stderr} {
		var want strings.Builder
		for i := range 100 {
			fmt.Fprintf(&want, "%s %d\n", name, i+1)
		}
		if normal(got) != want.String() {
			t.Errorf("std%s is %.200q", name, got)
		}
	}
}

// normal takes Windows' line ends for ours.
func normal(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

func (s *suite) stdin(t *testing.T) {
	shell := s.open(t)
	text := "first\nsecond with 'quotes' and \"more\"\n"
	if r := must(t, shell, s.c.Cat, text, 0); normal(r.stdout) != text {
		t.Errorf("stdin came back as %q", r.stdout)
	}
	// Without stdin a command reads an end of file, and not for ever.
	if !s.Windows {
		if r := must(t, shell, s.c.Cat, "", 0); r.stdout != "" {
			t.Errorf("no stdin came back as %q", r.stdout)
		}
	}
	// A command that reads none of it is no failure.
	must(t, shell, s.c.Exit(0), strings.Repeat("unread\n", 50_000), 0)
}

func (s *suite) largeOutput(t *testing.T) {
	if s.c.Big == "" {
		t.Skip("this platform has no command for it")
	}
	r := must(t, s.open(t), s.c.Big, "", 0)
	if len(r.stdout) != big || strings.Trim(r.stdout, "x") != "" {
		t.Errorf("%d bytes arrived, want %d", len(r.stdout), big)
	}
}

func (s *suite) largeInput(t *testing.T) {
	line := strings.Repeat("y", 999) + "\n"
	want := "10000000"
	if s.Windows {
		want = "10000" // find counts lines
	}
	r := must(t, s.open(t), s.c.Count, strings.Repeat(line, big/len(line)), 0)
	if strings.TrimSpace(r.stdout) != want {
		t.Errorf("the host counts %q, want %s", r.stdout, want)
	}
}

func (s *suite) bytes(t *testing.T) {
	if s.c.Raw == "" {
		t.Skip("this protocol carries text")
	}
	if r := must(t, s.open(t), s.c.Raw, "", 0); r.stdout != "\xff\xfe\x00\x80\n" {
		t.Errorf("the bytes arrive as % x", r.stdout)
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if r := must(t, s.open(t), s.c.Cat, string(all), 0); r.stdout != string(all) {
		t.Errorf("256 bytes come back as % x", r.stdout)
	}
}

// quoting sends every nasty word through machine's rendering, one at a time and all at once.
func (s *suite) quoting(t *testing.T) {
	if s.c.Args == nil {
		t.Skip("this target has no program that prints its arguments")
	}
	host := machine.New(pool{s.open(t)}, &engine.Host{Name: "h"}, machine.Options{})
	words := nasty(s.Windows)
	if len(words) < 50 {
		t.Fatalf("only %d words", len(words))
	}
	for _, batch := range append([][]string{words}, each(words)...) {
		out, err := host.Run(t.Context(), engine.Command{Argv: append(append([]string{}, s.c.Args...), batch...)})
		if err != nil {
			t.Errorf("%q: %v", batch, err)
			continue
		}
		if got := s.parseArgs(out.Stdout); strings.Join(got, "\x00") != strings.Join(batch, "\x00") {
			t.Errorf("%q arrives as %q", batch, got)
		}
	}
}

func (s *suite) parseArgs(text string) []string {
	end := "\x00"
	if s.c.ArgsLines {
		text, end = strings.ReplaceAll(text, "\r\n", "\n"), "\n"
	}
	return strings.Split(strings.TrimSuffix(text, end), end)
}

func each(words []string) [][]string {
	batches := make([][]string, len(words))
	for i, word := range words {
		batches[i] = []string{word}
	}
	return batches
}

// nasty are words that shells, C runtimes and protocols like to change.
func nasty(windows bool) []string {
	words := []string{
		"plain", "", " ", "  two  spaces  ", "tab\there", "'", "''", "'\\''", "it's", `"`, `""`, `say "hi"`, `\`, `\\`, `\\\`, `a\"b`, `a\\"b`,
		`trailing\`, `trailing two\\`, `trail space\ `, `C:\Program Files\VMware\`, `\\server\share`, "`id`", "$(id)", "$HOME", "${PATH}", "$$", "$", "%PATH%", "%", "%%",
		"100%", "%PATH:~0,3%", "%OS%%OS%", "a%b", "!", "!x!", "!!", "^", "^^", "^&", "a^", "&", "&&", "a&b", "|", "||", "<", ">", ">>", ">&2", ";", "a;b", ",", "=", "a=b",
		"(", ")", "()", "{a,b}", "[a-z]", "*", "?", "~", "~root", "#", "# no comment", "-", "--", "-n", "-e", "/?", "/c", "@", ":", "if", "a b\"c d", `"quoted"`, `'quoted'`,
		"]]>", "]]><x>&amp;", "<![CDATA[", "&lt;", "ümläut", "日本語", "€", "\u00a0", "😀", "e\u0301", "'\"`$\\!^&|<>(){}[]*?~#;%", `\n`, `\x41`, `\0`, `%s`, `%d%n`,
		strings.Repeat("long ", 200),
	}
	if !windows {
		words = append(words, "line\nfeed", "\n", "cr\rhere", "\r\n", "\x01\x02\x7f", "\x1b[31m", "\xff\xfe", "nul-free \x80 bytes", "a\\\nb")
	}
	return words
}

func (s *suite) concurrency(t *testing.T) {
	shell := s.open(t)
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			text := fmt.Sprintf("number %d\n", i)
			r := exec(t.Context(), shell, s.c.Cat, text)
			if r.err != nil || r.code != 0 || normal(r.stdout) != text {
				t.Errorf("command %d: %d, %v, %q", i, r.code, r.err, r.stdout)
			}
		})
	}
	wait.Wait()
}
