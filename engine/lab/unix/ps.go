package unix

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ps is that of procps: -e -A -f aux, -p LIST, -C NAMES, -u USERS, -o COLUMNS with NAME= for its own or no heading.
func ps(_ context.Context, c *call) int {
	columns, all := []string{}, false
	var keep []func(process) bool
	for i := 0; i < len(c.args); i++ {
		arg := c.args[i]
		value := func() string {
			if i+1 < len(c.args) {
				i++
				return c.args[i]
			}
			return ""
		}
		switch {
		case arg == "-o" || arg == "o" || arg == "-eo":
			all = all || arg == "-eo"
			columns = append(columns, strings.FieldsFunc(value(), func(r rune) bool { return r == ',' || r == ' ' })...)
		case arg == "-p" || arg == "p":
			keep = append(keep, inList(value(), func(p process) string { return strconv.Itoa(p.pid) }))
		case arg == "-C":
			keep = append(keep, inList(value(), func(p process) string { return p.comm }))
		case arg == "-u" || arg == "-U":
			keep = append(keep, inList(value(), func(p process) string { return p.user }))
		default:
			all = all || strings.ContainsAny(arg, "eAx")
			if strings.ContainsAny(arg, "fu") {
				columns = []string{"user", "pid", "ppid", "start", "time", "args"}
			}
		}
	}
	if len(columns) == 0 {
		columns = []string{"pid", "tty", "time", "comm"}
	}
	var found []process
	for _, p := range c.m.processes() {
		chosen := all || len(keep) == 0 && p.user == c.user && p.parent != 1
		if len(keep) > 0 {
			chosen = slices.ContainsFunc(keep, func(f func(process) bool) bool { return f(p) })
		}
		if chosen {
			found = append(found, p)
		}
	}
	c.table(columns, found)
	if len(found) == 0 {
		return 1
	}
	return 0
}

func inList(list string, of func(process) string) func(process) bool {
	words := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	return func(p process) bool { return slices.Contains(words, of(p)) }
}

// table prints columns, the last one as long as it is, the others padded.
func (c *call) table(columns []string, found []process) {
	rows := [][]string{{}}
	headed := false
	for i, column := range columns {
		name, heading, own := strings.Cut(column, "=")
		columns[i] = name
		if !own {
			heading = strings.ToUpper(name)
		}
		headed = headed || heading != ""
		rows[0] = append(rows[0], heading)
	}
	if !headed {
		rows = nil
	}
	for _, p := range found {
		row := make([]string, len(columns))
		for i, column := range columns {
			row[i] = c.column(p, column)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, cell := range row {
			width := 0
			for _, other := range rows {
				width = max(width, len(other[i]))
			}
			if i == len(row)-1 {
				fmt.Fprintln(c.stdout, cell)
			} else {
				fmt.Fprintf(c.stdout, "%*s ", width, cell)
			}
		}
	}
}

func (c *call) column(p process, name string) string {
	age := time.Since(p.start)
	switch name {
	case "pid":
		return strconv.Itoa(p.pid)
	case "ppid":
		return strconv.Itoa(p.parent)
	case "user", "euser", "ruser":
		return p.user
	case "uid":
		return strconv.Itoa(c.m.uid(p.user))
	case "comm", "ucmd":
		return p.comm
	case "args", "cmd", "command":
		return strings.Join(p.args, " ")
	case "etimes":
		return strconv.Itoa(int(age.Seconds()))
	case "etime":
		s := int(age.Seconds())
		if s >= 86400 {
			return fmt.Sprintf("%d-%02d:%02d:%02d", s/86400, s/3600%24, s/60%60, s%60)
		}
		if s >= 3600 {
			return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
		}
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	case "lstart":
		return p.start.UTC().Format("Mon Jan _2 15:04:05 2006")
	case "start", "stime":
		return p.start.UTC().Format("15:04:05")
	case "stat", "s", "state":
		return "S"
	case "tty", "tt":
		return "?"
	case "time", "cputime":
		return "00:00:00"
	}
	return "-"
}

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
