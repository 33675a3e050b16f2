package unix

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// internal marks commands that the shell itself has to do in our place of the interpreter's.
const internal = "lab internal "

// intercept changes calls of builtins that the interpreter would answer from the real machine, or that it lacks.
func (c *call) intercept(ctx context.Context, args []string) ([]string, error) {
	own := func() ([]string, error) { return append([]string{internal + args[0]}, args[1:]...), nil }
	switch args[0] {
	case "type", "hash", "umask", "kill", "ulimit", "times", "jobs":
		return own()
	case "pwd":
		return []string{"pwd"}, nil // -P would look at the real disk; there are no links here
	case "test", "[":
		return c.testArgs(args)
	case "trap":
		return trapArgs(args), nil
	case "eval":
		return c.evalArgs(strings.Join(args[1:], " "), args)
	case ".", "source":
		return c.sourceArgs(ctx, args)
	case "command":
		rest := args[1:]
		if len(rest) > 0 && (rest[0] == "-v" || rest[0] == "-V") {
			return own()
		}
		for len(rest) > 0 && (rest[0] == "-p" || rest[0] == "--") {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return []string{"true"}, nil
		}
		return c.intercept(ctx, rest)
	}
	if interp.IsBuiltin(args[0]) && !slices.Contains(strings.Fields(posixBuiltins), args[0]) {
		return own()
	}
	return args, nil
}

// posixBuiltins are those that the interpreter may do.
const posixBuiltins = ": . [ alias break cd command continue echo eval exec exit export false getopts local printf pwd read" +
	" readonly return set shift test trap true unalias unset wait"

// testArgs takes out what would ask the real machine: terminals, owners, identity of files.
func (c *call) testArgs(args []string) ([]string, error) {
	args = slices.Clone(args)
	for i, arg := range args {
		switch {
		case (arg == "-t" || arg == "-O" || arg == "-G" || arg == "-N") && i+1 < len(args) && args[i+1] != "]":
			args[i], args[i+1] = "-n", "" // false: no terminal, not the owner
			if arg == "-O" || arg == "-G" {
				args[i] = "-z" // root owns it all, and so does who asks
			}
		case arg == "-ef":
			args[i] = "="
		}
	}
	return args, nil
}

// trapArgs keeps the trap at exit, which is the only one that the interpreter has.
func trapArgs(args []string) []string {
	if len(args) < 3 {
		return []string{"true"}
	}
	if slices.Contains(args[2:], "EXIT") || slices.Contains(args[2:], "0") {
		return []string{"trap", args[1], "EXIT"}
	}
	return []string{"true"}
}

// evalArgs lets the interpreter see only what our own parser has seen before.
func (c *call) evalArgs(text string, args []string) ([]string, error) {
	file, err := parse(c.m.shell, text)
	var printed strings.Builder
	if err == nil {
		err = syntax.NewPrinter().Print(&printed, file)
	}
	if err != nil {
		return []string{internal + "syntax", args[0], err.Error()}, nil
	}
	return []string{"eval", printed.String()}, nil
}

func (c *call) sourceArgs(ctx context.Context, args []string) ([]string, error) {
	if len(args) < 2 {
		return []string{internal + "syntax", args[0], "filename argument required"}, nil
	}
	found, err := c.m.files.get(c.at(ctx).path(args[1]), c.uid())
	if err == nil && !found.allows(c.uid(), 4) {
		err = errDenied
	}
	if err != nil {
		return []string{internal + "syntax", args[1], err.Error()}, nil
	}
	return c.evalArgs(string(found.data), args)
}

// builtin does what intercept has marked.
func (c *call) builtin(ctx context.Context, name string) int {
	switch name {
	case "command":
		return c.commandV(c.args[1:])
	case "type":
		return c.typeOf()
	case "kill":
		return c.kill(ctx)
	case "umask":
		if len(c.args) == 0 {
			fmt.Fprintln(c.stdout, "0022")
		}
		return 0
	case "hash", "ulimit", "jobs", "times":
		return 0
	case "syntax":
		fmt.Fprintf(c.stderr, "%s: %s: %s\n", c.m.shell, c.args[0], c.args[1])
		return 2
	}
	return c.notFound(name, errMissing)
}

// commandV is "command -v NAME…".
func (c *call) commandV(names []string) int {
	code := 0
	for _, name := range names {
		switch found, err := c.find(name); {
		case slices.Contains(strings.Fields(posixBuiltins+" type hash umask kill"), name):
			fmt.Fprintln(c.stdout, name)
		case err == nil:
			fmt.Fprintln(c.stdout, found.name)
		default:
			code = 127
			if c.m.shell == "bash" {
				code = 1
			}
		}
	}
	return code
}

func (c *call) typeOf() int {
	code := 0
	for _, name := range c.args {
		switch found, err := c.find(name); {
		case interp.IsBuiltin(name):
			fmt.Fprintf(c.stdout, "%s is a shell builtin\n", name)
		case err == nil:
			fmt.Fprintf(c.stdout, "%s is %s\n", name, found.name)
		default:
			fmt.Fprintf(c.stderr, "%s: type: %s: not found\n", c.m.shell, name)
			code = 1
		}
	}
	return code
}

// kill is "kill [-SIGNAL|-s SIGNAL|-0] PID…"; a minus before an id names the group, which here is the process itself.
func (c *call) kill(ctx context.Context) int {
	number, pids := 15, c.args
	if len(pids) > 0 && strings.HasPrefix(pids[0], "-") && pids[0] != "--" {
		word := strings.TrimPrefix(pids[0], "-")
		pids = pids[1:]
		if word == "s" && len(pids) > 0 {
			word, pids = pids[0], pids[1:]
		}
		if n, err := strconv.Atoi(word); err == nil {
			number = n
		}
	}
	if len(pids) == 0 {
		return c.fail(2, "usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]")
	}
	if number != 0 {
		touch.Mark(ctx)
	}
	code := 0
	for _, word := range pids {
		if word == "--" {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimPrefix(word, "-"))
		if err != nil {
			code = c.fail(1, "%s: arguments must be process or job IDs", word)
			continue
		}
		if err := c.m.signal(pid, number, c.uid()); err != nil {
			code = c.fail(1, "(%d) - %s", pid, err)
		}
	}
	return code
}
