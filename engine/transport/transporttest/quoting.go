package transporttest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// arguments sends every nasty word through machine's rendering, one at a time and all at once. On Windows it goes through
// cmd.exe and a program's own parser, elsewhere through the login shell. With -short ten go at a time.
func (s *suite) arguments(t *testing.T) {
	if s.c.Args == nil {
		t.Skip("this target has no program that prints its arguments")
	}
	each := 1
	if s.Slow {
		each = 10
	}
	s.arrive(t, append(slices.Collect(slices.Chunk(s.words(), each)), s.words()), func(words []string) engine.Command {
		return engine.Command{Argv: slices.Concat(s.c.Args, words)}
	})
}

// quotingForSh: what a playbook does with shell text. The second way goes through two shells, the third through three.
func (s *suite) quotingForSh(t *testing.T) {
	print := func(words []string) string {
		line := `printf '%s\000'`
		for _, word := range words {
			line += " " + engine.QuoteSh(word)
		}
		return line
	}
	for name, command := range map[string]func([]string) engine.Command{
		"shell": func(words []string) engine.Command { return engine.Command{Shell: print(words)} },
		"sh -c": func(words []string) engine.Command { return engine.Command{Argv: []string{"sh", "-c", print(words)}} },
		"sh, twice": func(words []string) engine.Command {
			return engine.Command{Shell: "sh -c " + engine.QuoteSh(print(words)), Dir: "/"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.arrive(t, slices.Collect(slices.Chunk(nasty(false), 25)), command)
		})
	}
}

func (s *suite) powerShell(t *testing.T) {
	if s.c.PowerShell == nil {
		t.Skip("this target has no PowerShell")
	}
	s.arrive(t, slices.Collect(slices.Chunk(s.words(), 10)), func(words []string) engine.Command {
		script := ""
		for _, word := range words {
			script += "[Console]::Out.Write(" + engine.QuotePS(word) + " + [char]0);"
		}
		return s.c.PowerShell(script)
	})
}

// words are the nasty ones that this host's shell leaves alone.
func (s *suite) words() []string {
	return slices.DeleteFunc(nasty(s.Windows), func(w string) bool { return s.Changes != nil && s.Changes(w) })
}

// arrive runs a command for each batch, and compares what it prints with the batch, byte for byte.
func (s *suite) arrive(t *testing.T, batches [][]string, command func(words []string) engine.Command) {
	t.Helper()
	host := s.machine(t)
	slots := make(chan struct{}, 5)
	var wait sync.WaitGroup
	for _, batch := range batches {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			out, err := host.Run(t.Context(), command(batch))
			if engine.KindOf(err) == engine.KindExit && s.notFound(t, fmt.Sprintf("%q", batch), out.Code, out.Stdout) {
				out, err = host.Run(t.Context(), command(batch))
			}
			if got := s.parseArgs(out.Stdout); err != nil || !slices.Equal(got, batch) {
				t.Errorf("%q\narrives as\n%q, %v", batch, got, err)
			}
		})
	}
	wait.Wait()
}

// machine is the host as an entry of a playbook sees it.
func (s *suite) machine(t *testing.T) *machine.Host {
	t.Helper()
	return machine.New(pool{s.open(t)}, &engine.Host{Name: "h"}, machine.Options{})
}

func (s *suite) parseArgs(text string) []string {
	end := "\x00"
	if s.c.ArgsLines {
		text, end = strings.ReplaceAll(text, "\r\n", "\n"), "\n"
	}
	return strings.Split(strings.TrimSuffix(text, end), end)
}

// nasty are more than 200 words that shells, C runtimes and protocols like to change, each once.
func nasty(windows bool) []string {
	words := []string{
		"plain", "", " ", "  two  spaces  ", "tab\there", "'", "''", "'\\''", "it's", `"`, `""`, `say "hi"`, `\`, `\\`, `\\\`, `a\"b`, `a\\"b`,
		`trailing\`, `trailing two\\`, `trail space\ `, `C:\Program Files\VMware\`, `\\server\share`, "`id`", "$(id)", "$HOME", "${PATH}", "$$", "$", "%PATH%", "%", "%%",
		"100%", "%PATH:~0,3%", "%OS%%OS%", "a%b", "%1", "%*", "%~dp0", "%%i", "!", "!x!", "!!", "!-1", "^", "^^", "^&", "a^", "&", "&&", "a&b", "|", "||", "<", ">", ">>", ">&2", "2>nul", ";", "a;b", ",", "=", "a=b",
		"(", ")", "()", "{a,b}", "[a-z]", "*", "?", "~", "~root", "#", "# no comment", "-", "--", "-n", "-e", "/?", "/c", "@", ":", "if", "a b\"c d", `"quoted"`, `'quoted'`,
		"]]>", "]]><x>&amp;", "<![CDATA[", "&lt;", "&#10;", "ümläut", "日本語", "表", "ソ", "€", "\u00a0", "\u3000", "😀", "e\u0301", "\u2018curly\u2019", "\u201a\u201b\u201c\u201d", "\u200b", "\ufeff", "\u2028",
		"'\"`$\\!^&|<>(){}[]*?~#;%", `\n`, `\x41`, `\0`, `%s`, `%d%n`, `$'x'`, `$"x"`, "<<EOF", "<(id)", "con", "nul", "rem x", "exit", "exit 7", "function f { }",
		strings.Repeat("long ", 200),
	}
	for _, c := range "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" {
		x := string(c)
		words = append(words, x, x+x, "a"+x, x+"a", "a "+x+" b", `"`+x, `\`+x+`\`)
	}
	if !windows { // there a line end reaches nobody, and arguments are text
		words = append(words, "line\nfeed", "\n", "cr\rhere", "\r\n", "\x01\x02\x7f", "\x1b[31m", "\xff\xfe", "nul-free \x80 bytes", "a\\\nb", "\n\n", "'\n'", "\xc3", "\xed\xa0\x80")
	}
	slices.Sort(words)
	return slices.Compact(words)
}
