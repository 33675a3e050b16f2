package machine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// cmdexe is what cmd.exe /c makes of a line of one command: percent expansion over the whole line first, then carets
// and quotes, in which a metacharacter that is neither escaped nor quoted would end the command.
func cmdexe(t *testing.T, line string, env map[string]string) (rest string) {
	t.Helper()
	line = expandPercent(line, env)
	line = strings.TrimPrefix(line, "@")
	var out strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '^' && i+1 < len(line):
			i++
			c = line[i]
		case strings.IndexByte("&|<>()^", c) >= 0:
			t.Fatalf("cmd.exe takes the %c in %s for itself", c, line)
		}
		out.WriteByte(c)
	}
	return out.String()
}

// expandPercent is phase one, as on a command line: a variable that does not exist stays as it is.
func expandPercent(line string, env map[string]string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(line, "%")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, rest, closed := strings.Cut(after, "%")
		variable, _, _ := strings.Cut(name, ":") // %NAME:a=b% and %NAME:~0,1% are of NAME
		if value, ok := env[strings.ToUpper(variable)]; closed && ok && variable != "" {
			out.WriteString(value)
			line = rest
			continue
		}
		out.WriteByte('%')
		line = after
	}
}

// commandLineToArgv is CommandLineToArgvW without the program's name.
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func commandLineToArgv(line string) (argv []string) {
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return argv
		}
		var word string
		word, line = nextWord(line)
		argv = append(argv, word)
	}
}

func nextWord(line string) (word, rest string) {
	quoted, backslashes := false, 0
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			backslashes++
		case c == '"':
			b.WriteString(strings.Repeat(`\`, backslashes/2))
			if backslashes%2 == 1 {
				b.WriteByte('"')
			} else {
				quoted = !quoted
			}
			backslashes = 0
		case !quoted && (c == ' ' || c == '\t'):
			return b.String() + strings.Repeat(`\`, backslashes), line[i:]
		default:
			b.WriteString(strings.Repeat(`\`, backslashes))
			b.WriteByte(c)
			backslashes = 0
		}
	}
	return b.String() + strings.Repeat(`\`, backslashes), ""
}

func checkWindows(t *testing.T, argv []string) {
	t.Helper()
	env := map[string]string{"PATH": `C:\Windows;"x"`, "OS": "Windows_NT", "A": "&calc"}
	h := &host{family: "windows"}
	line, err := on(h, machine.Options{}).Line(t.Context(), engine.Command{Argv: append([]string{"args.exe"}, argv...)})
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	got := commandLineToArgv(strings.TrimPrefix(cmdexe(t, line, env), "args.exe"))
	if !slices.Equal(got, argv) {
		t.Errorf("%q arrives as %q by way of %s", argv, got, line)
	}
}

func TestWindowsQuotingArrives(t *testing.T) {
	words := []string{
		"plain", "", " ", "a b", "tab\there", `"`, `""`, `say "hi"`, `\`, `\\`, `a\"b`, `trail\`, `trail space\`, `C:\Program Files\`, `\\server\share`,
		"%PATH%", "%", "%%", "100%", "%PATH:~0,3%", "%OS%%OS%", "%path:a=b%", "a%b%c", "^", "^^", "^&", "a^", "&", "&&", "a&b", "|", "<", ">", ">&2", "(", ")", "!x!", "!", ",", ";", "=", "a=b",
		"'", "`", "$x", "ümläut", "日本語", "\u00a0", "]]>", `"&calc&"`, `\"&calc&\"`, `%A%`, `"%A%"`, `^%A^%`, "~", "*", "?", "/c", "@echo",
	}
	for _, word := range words {
		checkWindows(t, []string{word})
	}
	checkWindows(t, words)
}

func FuzzWindowsQuoting(f *testing.F) {
	f.Add(`%PATH%`, `a "b" \`)
	f.Add(`^&|<>()%!"`, `\\"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsAny(a+b, "\x00\r\n") || len(a)+len(b) > 1000 {
			t.Skip("no command line can carry it")
		}
		checkWindows(t, []string{a, b})
	})
}

func TestWindowsEnvironmentIsNotExpanded(t *testing.T) {
	c := engine.Command{Argv: []string{"x.exe"}, Env: map[string]string{"B": `%PATH%&"calc"^`}}
	line, err := on(&host{family: "windows"}, machine.Options{}).Line(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	set, _ := strings.CutSuffix(line, "&x.exe")
	if got := cmdexe(t, set, map[string]string{"PATH": "bad"}); got != `set B=%PATH%&"calc"^` {
		t.Errorf("%s becomes %s", line, got)
	}
}
