package unix

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

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
