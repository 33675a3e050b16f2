package unix

import (
	"context"
	"fmt"
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
