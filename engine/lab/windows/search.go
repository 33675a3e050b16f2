package windows

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// findstr prints the lines that hold one of some words, a literal (/c:) or a simple expression (/r).
func (g *Guest) findstr(_ context.Context, p *cmdexe.Process) uint32 {
	var patterns, files []string
	flags := ""
	for _, arg := range p.Argv {
		lower := strings.ToLower(arg)
		switch {
		case strings.HasPrefix(lower, "/c:"):
			patterns = append(patterns, arg[3:])
			flags += "c"
		case strings.HasPrefix(arg, "/"):
			flags += strings.ReplaceAll(lower, "/", "")
		case len(patterns) == 0:
			patterns = strings.Fields(arg)
		default:
			files = append(files, arg)
		}
	}
	if len(patterns) == 0 {
		return g.fail(p, 2, "FINDSTR: Bad command line")
	}
	data, err := g.input(p, files)
	if err != nil {
		return g.fail(p, 1, "FINDSTR: Cannot open %s", strings.Join(files, " "))
	}
	literal := strings.Contains(flags, "l") || strings.Contains(flags, "c") && !strings.Contains(flags, "r")
	re, err := findstrPattern(patterns, literal, flags)
	if err != nil {
		return g.fail(p, 2, "FINDSTR: %s", err)
	}
	return grep(p, string(data), re.MatchString, strings.Contains(flags, "v"), strings.Contains(flags, "n"))
}

func findstrPattern(patterns []string, literal bool, flags string) (*regexp.Regexp, error) {
	alternatives := make([]string, len(patterns))
	for i, pattern := range patterns {
		if literal {
			pattern = regexp.QuoteMeta(pattern)
		} else {
			pattern = strings.NewReplacer(`\<`, `\b`, `\>`, `\b`, "+", `\+`, "?", `\?`, "(", `\(`, ")", `\)`, "|", `\|`,
				"{", `\{`, "}", `\}`).Replace(pattern)
		}
		alternatives[i] = pattern
	}
	whole := "(?:" + strings.Join(alternatives, "|") + ")"
	if strings.Contains(flags, "b") {
		whole = "^" + whole
	}
	if strings.Contains(flags, "e") || strings.Contains(flags, "x") {
		whole += "$"
	}
	if strings.Contains(flags, "x") {
		whole = "^" + whole
	}
	if strings.Contains(flags, "i") {
		whole = "(?i)" + whole
	}
	return regexp.Compile(whole)
}

// grep prints the lines that match. It returns 1 when there is none.
func grep(p *cmdexe.Process, data string, match func(string) bool, invert, number bool) uint32 {
	code := uint32(1)
	for i, text := range splitLines(data) {
		if match(text) == invert {
			continue
		}
		code = 0
		if number {
			text = strconv.Itoa(i+1) + ":" + text
		}
		line(p, "%s", text)
	}
	return code
}

func splitLines(data string) []string {
	if data == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(data, "\r\n", "\n"), "\n"), "\n")
}

// findText is "find [/i] [/v] [/c] [/n] "TEXT" [FILE]".
func (g *Guest) findText(_ context.Context, p *cmdexe.Process) uint32 {
	flags, rest := "", []string{}
	for _, arg := range p.Argv {
		if strings.HasPrefix(arg, "/") {
			flags += strings.ToLower(arg[1:])
		} else {
			rest = append(rest, arg)
		}
	}
	if len(rest) == 0 || !strings.Contains(p.Args, `"`) {
		return g.fail(p, 2, "FIND: Parameter format not correct")
	}
	data, err := g.input(p, rest[1:])
	if err != nil {
		return g.fail(p, 1, "File not found - %s", strings.ToUpper(strings.Join(rest[1:], " ")))
	}
	wanted, fold := rest[0], strings.Contains(flags, "i")
	if fold {
		wanted = strings.ToLower(wanted)
	}
	match := func(text string) bool {
		if fold {
			text = strings.ToLower(text)
		}
		return strings.Contains(text, wanted)
	}
	if !strings.Contains(flags, "c") {
		return grep(p, string(data), match, strings.Contains(flags, "v"), strings.Contains(flags, "n"))
	}
	count := 0
	for _, text := range splitLines(string(data)) {
		if match(text) != strings.Contains(flags, "v") {
			count++
		}
	}
	line(p, "%d", count)
	if count == 0 {
		return 1
	}
	return 0
}

// where finds programs along the PATH.
func (g *Guest) where(_ context.Context, p *cmdexe.Process) uint32 {
	code, quiet := uint32(0), false
	for _, name := range p.Argv {
		if strings.EqualFold(name, "/q") {
			quiet = true
			continue
		}
		info := cmdexe.Find(g.system, p.Dir, p.Getenv("PATH"), name)
		switch {
		case info.Path == "":
			code = 1
		case !quiet:
			line(p, "%s", info.Path)
		}
	}
	if code != 0 && !quiet {
		return g.fail(p, 1, "INFO: Could not find files for the given pattern(s).")
	}
	return code
}
