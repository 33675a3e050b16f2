package unix

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// grepCommands are grep in its three names.
func grepCommands() map[string]command {
	return map[string]command{"grep": grep, "egrep": grep, "fgrep": grep}
}

// grep knows -i -v -c -q -n -o -l -w -x -E -F -s -h -e PATTERN -m N.
func grep(_ context.Context, c *call) int {
	var patterns, names []string
	flags, limit, ended := "", 0, false
	for i := 0; i < len(c.args); i++ {
		arg := c.args[i]
		switch {
		case ended || len(arg) < 2 || arg[0] != '-':
			names = append(names, arg)
		case arg == "--":
			ended = true
		case strings.HasSuffix(arg, "e") && arg[1] != '-' && i+1 < len(c.args):
			i++
			patterns, flags = append(patterns, c.args[i]), flags+arg[1:len(arg)-1]
		case strings.HasPrefix(arg, "-m"):
			value := arg[2:]
			if value == "" && i+1 < len(c.args) {
				i++
				value = c.args[i]
			}
			limit, _ = strconv.Atoi(value)
		default:
			flags += arg[1:]
		}
	}
	if len(patterns) == 0 {
		if len(names) == 0 {
			return c.fail(2, "no pattern")
		}
		patterns, names = names[:1], names[1:]
	}
	flags += map[string]string{"egrep": "E", "fgrep": "F"}[c.name]
	if strings.Trim(flags, "ivcqnolwxEFshH") != "" {
		return c.fail(2, "an option of -%s is not simulated in this lab", flags)
	}
	re, err := pattern(patterns, flags)
	if err != nil {
		return c.fail(2, "%s", err)
	}
	return c.grepFiles(re, names, flags, limit)
}

func (c *call) grepFiles(re *regexp.Regexp, names []string, flags string, limit int) int {
	has := func(flag string) bool { return strings.Contains(flags, flag) }
	code := 1
	failed := c.each(names, func(name string, data []byte) {
		count := 0
		for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			if re.MatchString(line) == has("v") || len(data) == 0 || limit > 0 && count == limit {
				continue
			}
			count++
			code = 0
			if has("q") || has("c") || has("l") {
				continue
			}
			prefix := ""
			if len(names) > 1 && !has("h") {
				prefix = name + ":"
			}
			if has("n") {
				prefix += strconv.Itoa(i+1) + ":"
			}
			if has("o") {
				line = strings.Join(re.FindAllString(line, -1), "\n"+prefix)
			}
			fmt.Fprintln(c.stdout, prefix+line)
		}
		switch {
		case has("q"):
		case has("l") && count > 0:
			fmt.Fprintln(c.stdout, name)
		case has("c"):
			fmt.Fprintln(c.stdout, count)
		}
	})
	if failed != 0 && !(code == 0 && has("q")) {
		return 2
	}
	return code
}

// pattern makes one expression of grep's patterns, one a line too.
func pattern(patterns []string, flags string) (*regexp.Regexp, error) {
	var parts []string
	for _, p := range strings.Split(strings.Join(patterns, "\n"), "\n") {
		switch {
		case strings.Contains(flags, "F"):
			p = regexp.QuoteMeta(p)
		case !strings.Contains(flags, "E"):
			p = basic(p)
		}
		parts = append(parts, "(?:"+p+")")
	}
	whole := "(?:" + strings.Join(parts, "|") + ")"
	if strings.Contains(flags, "w") {
		whole = `\b` + whole + `\b`
	}
	if strings.Contains(flags, "x") {
		whole = "^" + whole + "$"
	}
	if strings.Contains(flags, "i") {
		whole = "(?i)" + whole
	}
	return regexp.Compile(whole)
}

// basic turns a basic regular expression into an extended one: +?|(){} count only behind a backslash.
func basic(p string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case inClass:
			inClass = c != ']'
		case c == '[':
			inClass = true
		case c == '\\' && i+1 < len(p) && strings.IndexByte("+?|(){}", p[i+1]) >= 0:
			i++
			c = p[i]
		case strings.IndexByte("+?|(){}", c) >= 0:
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
