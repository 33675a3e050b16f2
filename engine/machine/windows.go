package machine

import (
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// longestLine is what cmd.exe takes:
// https://learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation
const longestLine = 8191

// windows renders c for cmd.exe /c. Shell text stays as it is. Two parsers read the words of Argv: cmd.exe, then the
// program's own (CommandLineToArgvW). A line feed reaches neither, and a name of a program with % or " cannot be written.
func windows(c engine.Command, s system) (call, error) {
	r, err := windowsCall(c, s)
	r.windows, r.page = true, s.page
	return r, err
}

func windowsCall(c engine.Command, s system) (call, error) {
	var line strings.Builder
	if c.Dir != "" {
		dir, err := windowsPath(c.Dir)
		if err != nil {
			return call{}, engine.BadArg{Arg: "dir", Problem: err.Error()}
		}
		// exit, and not &&: it must hold back everything after it, whatever operators are in there.
		line.WriteString("cd /d " + dir + "||exit 1&")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if !isVariable(name) {
			return call{}, engine.BadArg{Arg: "env", Problem: "has a name that no environment variable can have: " + name}
		}
		line.WriteString("set " + name + "=" + engine.EscapeCmd(c.Env[name]) + "&")
	}
	if c.PowerShell != "" {
		return windowsScript(c, line.String(), s)
	}
	if c.Shell != "" {
		line.WriteString(c.Shell)
		return windowsLine(line.String())
	}
	program, err := windowsProgram(c.Argv[0])
	if err != nil {
		return call{}, err
	}
	line.WriteString(program)
	for _, word := range c.Argv[1:] {
		line.WriteString(" " + quoteWindows(word))
	}
	return windowsLine(line.String())
}

func windowsLine(line string) (call, error) {
	if len(line) > longestLine {
		return call{}, engine.BadArg{Arg: "command", Problem: "is longer than the 8191 characters that cmd.exe takes"}
	}
	return call{line: line}, nil
}

// windowsProgram is the name of a program at the beginning of a command. There cmd.exe wants its own quotes, and a
// line that begins with a quote loses it under /c; the @ in front (no echo, off anyway) keeps it.
func windowsProgram(name string) (string, error) {
	switch {
	case name == "" || strings.ContainsAny(name, "\"%\r\n"):
		return "", engine.BadArg{Arg: "argv", Problem: `must begin with the name of a program, without " and %`}
	case isPlainWindows(name):
		return name, nil
	}
	return `@"` + name + `"`, nil
}

// windowsPath is a path as cmd.exe's own commands take it.
func windowsPath(path string) (string, error) {
	if path == "" || strings.ContainsAny(path, "\"%\r\n") {
		return "", engine.BadArg{Arg: "path", Problem: `must not be empty or contain " or %`}
	}
	return `"` + path + `"`, nil
}

// quoteWindows quotes s so that a program gets it as one argument, byte for byte.
func quoteWindows(s string) string {
	switch {
	case isPlainWindows(s):
		return s
	case !strings.ContainsAny(s, "\"%!^&|<>()"):
		return quoteArgv(s) // cmd.exe sees quotes, too, and what is between them has no meaning for it
	}
	return engine.EscapeCmd(quoteArgv(s))
}

func isPlainWindows(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(`_-./:\+@$`, r)) ||
			r >= 0x80 // some of them are spaces
	})
}

// quoteArgv quotes for CommandLineToArgvW and the C runtime: backslashes count only before a quote.
// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
func quoteArgv(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	backslashes := 0
	for _, c := range []byte(s) {
		switch c {
		case '\\':
			backslashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, 2*backslashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, backslashes))
		}
		backslashes = 0
		b.WriteByte(c)
	}
	b.WriteString(strings.Repeat(`\`, 2*backslashes) + `"`)
	return b.String()
}
