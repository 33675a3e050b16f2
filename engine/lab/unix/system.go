package unix

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
