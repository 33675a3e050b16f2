package unix

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// cat passes its input on as it comes.
func cat(_ context.Context, c *call) int {
	_, names := split(c.args)
	if (len(names) == 0 || names[0] == "-") && c.stdin != nil {
		if _, err := io.Copy(c.stdout, c.stdin); err != nil {
			return 1
		}
		return 0
	}
	return c.each(names, func(_ string, data []byte) { c.stdout.Write(data) })
}

func tee(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	flags, names := split(c.args)
	data, _ := c.read("-")
	c.stdout.Write(data)
	for _, name := range names {
		if err := c.m.files.write(c.path(name), c.uid(), data, strings.Contains(flags, "a"), 0o644); err != nil {
			return c.fail(1, "%s: %s", name, err)
		}
	}
	return 0
}

// headOrTail is "head|tail [-n N|-N|-c N] [FILE…]"; "tail -f" is not simulated.
func headOrTail(_ context.Context, c *call) int {
	count, bytewise, names := 10, false, []string{}
	for i := 0; i < len(c.args); i++ {
		arg := c.args[i]
		if len(arg) < 2 || arg[0] != '-' {
			names = append(names, arg)
			continue
		}
		value := strings.TrimLeft(arg, "-nc")
		if bytewise = strings.HasPrefix(arg, "-c"); value == "" && i+1 < len(c.args) {
			i++
			value = c.args[i]
		}
		n, err := strconv.Atoi(value)
		if err != nil || value[0] == '+' || value[0] == '-' && c.name == "tail" {
			return c.fail(1, "invalid option -- '%s'", arg)
		}
		count = n
	}
	return c.each(names, func(_ string, data []byte) {
		parts := bytes.SplitAfter(data, []byte("\n"))
		if bytewise {
			parts = bytes.SplitAfter(data, nil)
		}
		if len(parts) > 0 && len(parts[len(parts)-1]) == 0 {
			parts = parts[:len(parts)-1]
		}
		n := min(count, len(parts))
		if count < 0 { // all but so many
			n = max(0, len(parts)+count)
		}
		if c.name == "tail" {
			parts = parts[len(parts)-n:]
		}
		c.stdout.Write(bytes.Join(parts[:n], nil))
	})
}

func wc(_ context.Context, c *call) int {
	flags, names := split(c.args)
	return c.each(names, func(name string, data []byte) {
		for _, kind := range []struct {
			flag string
			n    int
		}{{"l", bytes.Count(data, []byte("\n"))}, {"w", len(bytes.Fields(data))}, {"c", len(data)}} {
			if flags == "" || strings.Contains(flags, kind.flag) {
				fmt.Fprintf(c.stdout, "%d ", kind.n)
			}
		}
		fmt.Fprintln(c.stdout, strings.TrimPrefix(name, "-"))
	})
}
