package unix

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// pgrep is "pgrep [-x] [-f] [-o|-n] [-l] [-u USER] PATTERN".
func pgrep(_ context.Context, c *call) int {
	flags, user, patterns := "", "", []string{}
	for i := 0; i < len(c.args); i++ {
		switch arg := c.args[i]; {
		case arg == "-u" && i+1 < len(c.args):
			i++
			user = c.args[i]
		case strings.HasPrefix(arg, "-"):
			flags += arg[1:]
		default:
			patterns = append(patterns, arg)
		}
	}
	if len(patterns) != 1 {
		return c.fail(2, "only one pattern can be provided")
	}
	text := patterns[0]
	if strings.Contains(flags, "x") {
		text = "^(?:" + text + ")$"
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return c.fail(2, "%s", err)
	}
	var found []process
	for _, p := range c.m.processes() {
		subject := p.comm
		if strings.Contains(flags, "f") {
			subject = strings.Join(p.args, " ")
		}
		if re.MatchString(subject) && p.pid != c.pid && (user == "" || user == p.user) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b process) int { return a.start.Compare(b.start) })
	switch {
	case len(found) == 0:
		return 1
	case strings.Contains(flags, "o"):
		found = found[:1]
	case strings.Contains(flags, "n"):
		found = found[len(found)-1:]
	}
	for _, p := range found {
		if strings.Contains(flags, "l") {
			fmt.Fprintf(c.stdout, "%d %s\n", p.pid, p.comm)
		} else {
			fmt.Fprintln(c.stdout, p.pid)
		}
	}
	return 0
}

// id is "id [-u|-g|-n] [USER]".
func id(_ context.Context, c *call) int {
	flags, names := split(c.args)
	user := c.user
	if len(names) > 0 {
		user = names[0]
		if !c.m.knows(user) {
			return c.fail(1, "%s: no such user", user)
		}
	}
	uid := c.m.uid(user)
	switch {
	case strings.Contains(flags, "n"):
		fmt.Fprintln(c.stdout, user)
	case strings.ContainsAny(flags, "ug"):
		fmt.Fprintln(c.stdout, uid)
	default:
		fmt.Fprintf(c.stdout, "uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", uid, user, uid, user, uid, user)
	}
	return 0
}

func whoami(_ context.Context, c *call) int {
	fmt.Fprintln(c.stdout, c.user)
	return 0
}

func linuxUname(_ context.Context, c *call) int {
	return c.unameOf(map[rune]string{'s': "Linux", 'n': c.m.name, 'r': "3.10.0-1160.el7.x86_64",
		'v': "#1 SMP Mon Oct 19 16:18:59 UTC 2020", 'm': "x86_64", 'o': "GNU/Linux"}, "snrvmo")
}
