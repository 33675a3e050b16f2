package unix

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// systemCommands are those of every Unix shell that work on no files.
func systemCommands() map[string]command {
	own := map[string]command{"sh": sh, "env": env, "sleep": sleep, "date": date, "hostname": hostname, "kill": killProgram,
		"nohup": nohup, "setsid": nohup, "cut": cut, "tr": tr, "sort": sortLines, "which": which, "seq": seq,
		"sed": notSimulated, "awk": notSimulated}
	for _, name := range []string{"echo", "printf", "test", "[", "true", "false"} {
		own[name] = shellBuiltin
	}
	return own
}

func notSimulated(_ context.Context, c *call) int { return c.fail(1, "not simulated in this lab") }

// shellBuiltin is the program of the same name as a builtin.
func shellBuiltin(ctx context.Context, c *call) int {
	return c.script(ctx, c.name, c.name+` "$@"`, c.args)
}

// sh is "sh [-e] -c TEXT [NAME ARG…]", "sh FILE ARG…", "sh -s ARG…" and sh with a script on its input.
func sh(ctx context.Context, c *call) int {
	args, options := c.args, ""
	for len(args) > 0 && len(args[0]) > 1 && strings.HasPrefix(args[0], "-") {
		flags := args[0][1:]
		args = args[1:]
		if flags == "-" || flags == "s" {
			break
		}
		if strings.Contains(flags, "c") {
			if len(args) == 0 {
				return c.fail(2, "-c: option requires an argument")
			}
			name := c.name
			if len(args) > 1 {
				name = args[1]
			}
			return c.script(ctx, name, setOptions(options+flags)+args[0], args[min(2, len(args)):])
		}
		options += flags
	}
	if len(args) > 0 && !strings.HasPrefix(c.args[0], "-s") {
		data, err := c.read(args[0])
		if err != nil {
			return c.fail(127, "%s: %s", args[0], err)
		}
		return c.script(ctx, args[0], setOptions(options)+string(data), args[1:])
	}
	text, err := c.read("-")
	if err != nil {
		return 1
	}
	return c.script(ctx, c.name, setOptions(options)+string(text), args)
}

func setOptions(flags string) string {
	text := ""
	for _, flag := range "eux" {
		if strings.ContainsRune(flags, flag) {
			text += "set -" + string(flag) + "; "
		}
	}
	return text
}

// env runs a command with variables added, or lists those that there are.
func env(ctx context.Context, c *call) int {
	child := *c
	child.env = maps.Clone(c.env)
	args := c.args
	for ; len(args) > 0; args = args[1:] {
		name, value, ok := strings.Cut(args[0], "=")
		if args[0] == "-i" {
			child.env = map[string]string{}
		} else if ok {
			child.env[name] = value
		} else {
			return child.run(ctx, args)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(child.env)) {
		fmt.Fprintf(c.stdout, "%s=%s\n", name, child.env[name])
	}
	return 0
}

// nohup and setsid run a command; who runs it in the background leaves it behind when the session ends.
func nohup(ctx context.Context, c *call) int {
	_, args := c.args, c.args
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	if len(args) == 0 {
		return c.fail(125, "missing operand")
	}
	return c.run(ctx, args)
}

// sleep waits for lab time.
func sleep(ctx context.Context, c *call) int {
	var total time.Duration
	for _, arg := range c.args {
		if strings.TrimRight(arg, "0123456789.") == "" {
			arg += "s"
		}
		d, err := time.ParseDuration(arg)
		if err != nil {
			return c.fail(1, "invalid time interval '%s'", arg)
		}
		total += d
	}
	if c.m.clock.Wait(ctx, total) != nil {
		return 143
	}
	return 0
}

// date is "date [-u] [-d @SECONDS] [+FORMAT]".
func date(_ context.Context, c *call) int {
	now, format := time.Now().UTC(), "%a %b %e %H:%M:%S UTC %Y"
	for i, arg := range c.args {
		if f, ok := strings.CutPrefix(arg, "+"); ok {
			format = f
		}
		if arg == "-d" && i+1 < len(c.args) {
			seconds, err := strconv.ParseInt(strings.TrimPrefix(c.args[i+1], "@"), 10, 64)
			if err != nil {
				return c.fail(1, "invalid date '%s'", c.args[i+1])
			}
			now = time.Unix(seconds, 0).UTC()
		}
	}
	fmt.Fprintln(c.stdout, strftime(now, format))
	return 0
}

func strftime(t time.Time, format string) string {
	return strings.NewReplacer("%%", "%", "%s", strconv.FormatInt(t.Unix(), 10), "%Y", t.Format("2006"), "%m", t.Format("01"),
		"%d", t.Format("02"), "%e", t.Format("_2"), "%H", t.Format("15"), "%M", t.Format("04"), "%S", t.Format("05"),
		"%F", t.Format("2006-01-02"), "%T", t.Format("15:04:05"), "%a", t.Format("Mon"), "%b", t.Format("Jan"),
		"%N", t.Format("000000000"), "%Z", "UTC", "%z", "+0000").Replace(format)
}

func hostname(_ context.Context, c *call) int {
	fmt.Fprintln(c.stdout, c.m.name)
	return 0
}

func killProgram(ctx context.Context, c *call) int { return c.kill(ctx) }

// which prints where programs are.
func which(_ context.Context, c *call) int {
	code := 0
	for _, name := range c.args {
		found, err := c.find(name)
		if err != nil {
			code = 1
			continue
		}
		fmt.Fprintln(c.stdout, found.name)
	}
	return code
}

// lines gives the lines of the input, or of files.
func (c *call) lines(names []string) ([]string, int) {
	var all []string
	code := c.each(names, func(_ string, data []byte) {
		if len(data) > 0 {
			all = append(all, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
		}
	})
	return all, code
}

// cut is "cut -d C -f N[,N|-N|N-]" and "cut -c N-M".
func cut(_ context.Context, c *call) int {
	delimiter, list, chars, names := "\t", "", false, []string{}
	for i := 0; i < len(c.args); i++ {
		arg := c.args[i]
		if len(arg) < 2 || arg[0] != '-' {
			names = append(names, arg)
			continue
		}
		value := arg[2:]
		if value == "" && i+1 < len(c.args) {
			i++
			value = c.args[i]
		}
		switch arg[1] {
		case 'd':
			delimiter = value
		case 'f', 'c':
			list, chars = value, arg[1] == 'c'
		}
	}
	all, code := c.lines(names)
	for _, line := range all {
		sep := delimiter
		if chars {
			sep = ""
		} else if !strings.Contains(line, sep) {
			fmt.Fprintln(c.stdout, line)
			continue
		}
		fields := strings.Split(line, sep)
		var kept []string
		for i, field := range fields {
			if selected(list, i+1) {
				kept = append(kept, field)
			}
		}
		fmt.Fprintln(c.stdout, strings.Join(kept, sep))
	}
	return code
}

func selected(list string, n int) bool {
	for _, part := range strings.Split(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		low, err := strconv.Atoi(from)
		if err != nil {
			low = 1
		}
		high := low
		if isRange {
			if high, err = strconv.Atoi(to); err != nil {
				high = n
			}
		}
		if n >= low && n <= high {
			return true
		}
	}
	return false
}

// tr is "tr [-d] SET [SET]" with ranges, \n and \t.
func tr(_ context.Context, c *call) int {
	flags, sets := split(c.args)
	data, _ := c.read("-")
	if len(sets) == 0 {
		return c.fail(1, "missing operand")
	}
	from := runes(sets[0])
	var to []rune
	if len(sets) > 1 {
		to = runes(sets[1])
	}
	for _, r := range string(data) {
		i := slices.Index(from, r)
		switch {
		case i < 0:
			fmt.Fprint(c.stdout, string(r))
		case strings.Contains(flags, "d") || len(to) == 0:
		default:
			fmt.Fprint(c.stdout, string(to[min(i, len(to)-1)]))
		}
	}
	return 0
}

func runes(set string) []rune {
	var all []rune
	in := []rune(strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(set))
	for i := 0; i < len(in); i++ {
		if i+2 < len(in) && in[i+1] == '-' {
			for r := in[i]; r <= in[i+2]; r++ {
				all = append(all, r)
			}
			i += 2
			continue
		}
		all = append(all, in[i])
	}
	return all
}

func sortLines(_ context.Context, c *call) int {
	flags, names := split(c.args)
	all, code := c.lines(names)
	sort.SliceStable(all, func(i, j int) bool {
		if strings.Contains(flags, "n") {
			x, _ := strconv.Atoi(all[i])
			y, _ := strconv.Atoi(all[j])
			return x < y
		}
		return all[i] < all[j]
	})
	if strings.Contains(flags, "r") {
		slices.Reverse(all)
	}
	if strings.Contains(flags, "u") {
		all = slices.Compact(all)
	}
	for _, line := range all {
		fmt.Fprintln(c.stdout, line)
	}
	return code
}

func seq(_ context.Context, c *call) int {
	from, to := 1, 0
	if len(c.args) == 0 {
		return c.fail(1, "missing operand")
	}
	to, _ = strconv.Atoi(c.args[len(c.args)-1])
	if len(c.args) > 1 {
		from, _ = strconv.Atoi(c.args[0])
	}
	for i := from; i <= to; i++ {
		fmt.Fprintln(c.stdout, i)
	}
	return 0
}
