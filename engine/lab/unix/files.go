package unix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// fileCommands are those that work on files.
func fileCommands() map[string]command {
	return map[string]command{"cat": cat, "ls": ls, "head": headOrTail, "tail": headOrTail, "rm": rm, "mv": mv, "cp": cp,
		"mkdir": mkdir, "rmdir": rm, "chmod": chmod, "touch": touchFiles, "tee": tee, "wc": wc, "stat": statFile, "mktemp": mktemp,
		"basename": basename, "dirname": basename}
}

// split parts flags from the rest: "-abc" gives a, b and c; "--" ends them.
func split(args []string) (flags string, rest []string) {
	for i, arg := range args {
		if arg == "--" {
			return flags, append(rest, args[i+1:]...)
		}
		if len(arg) > 1 && arg[0] == '-' {
			flags += strings.TrimLeft(arg, "-")
		} else {
			rest = append(rest, arg)
		}
	}
	return flags, rest
}

// read gives a file's content, or the input for "-".
func (c *call) read(name string) ([]byte, error) {
	if name == "-" {
		if c.stdin == nil {
			return nil, nil
		}
		return io.ReadAll(c.stdin)
	}
	found, err := c.m.files.get(c.path(name), c.uid())
	switch {
	case c.path(name) == "/dev/null":
		return nil, nil
	case err != nil:
		return nil, err
	case found.IsDir():
		return nil, errIsDir
	case !found.allows(c.uid(), 4):
		return nil, errDenied
	}
	return found.data, nil
}

// each reads the named files, or the input, and reports what cannot be read.
func (c *call) each(names []string, f func(name string, data []byte)) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		data, err := c.read(name)
		if err != nil {
			code = c.fail(1, "%s: %s", name, err)
			continue
		}
		f(name, data)
	}
	return code
}

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

// ls knows -a, -d, -l and -1; names are one a line.
func ls(_ context.Context, c *call) int {
	flags, names := split(c.args)
	if len(names) == 0 {
		names = []string{"."}
	}
	code := 0
	for _, name := range names {
		found, err := c.m.files.get(c.path(name), c.uid())
		entries := []info{found}
		if err == nil && found.IsDir() && !strings.Contains(flags, "d") {
			entries, err = c.m.files.list(c.path(name), c.uid())
		} else {
			entries[0].name = name
		}
		if err != nil {
			if c.m.shell == "bash" {
				code = c.fail(2, "cannot access '%s': %s", name, err)
			} else {
				code = c.fail(1, "%s: %s", name, err)
			}
			continue
		}
		for _, e := range entries {
			c.printEntry(e, flags, name == e.name)
		}
	}
	return code
}

func (c *call) printEntry(e info, flags string, whole bool) {
	name := e.Name()
	if whole {
		name = e.name
	}
	if strings.HasPrefix(name, ".") && len(name) > 1 && !whole && !strings.Contains(flags, "a") {
		return
	}
	if !strings.Contains(flags, "l") {
		fmt.Fprintln(c.stdout, name)
		return
	}
	kind := strings.ToLower(e.mode.Perm().String())
	if e.IsDir() {
		kind = "d" + kind[1:]
	}
	owner := c.m.userName(e.uid)
	fmt.Fprintf(c.stdout, "%s 1 %s %s %8d %s %s\n", kind, owner, owner, e.Size(), e.modified.UTC().Format("Jan _2 15:04"), name)
}

func rm(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	flags, names := split(c.args)
	code := 0
	for _, name := range names {
		found, err := c.m.files.get(c.path(name), c.uid())
		if err == nil && found.IsDir() && !strings.ContainsAny(flags, "rR") && c.name == "rm" {
			err = errIsDir
		}
		if err == nil {
			err = c.m.files.remove(c.path(name), c.uid(), strings.ContainsAny(flags, "rR"))
		}
		if err != nil && !(errors.Is(err, errMissing) && strings.Contains(flags, "f")) {
			code = c.fail(1, "cannot remove '%s': %s", name, err)
		}
	}
	return code
}

// target is where a copy of source goes: into a folder under its own name.
func (c *call) target(source, name string) string {
	full := c.path(name)
	if found, err := c.m.files.get(full, c.uid()); err == nil && found.IsDir() {
		return path.Join(full, path.Base(source))
	}
	return full
}

func mv(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	_, names := split(c.args)
	if len(names) < 2 {
		return c.fail(1, "missing destination file operand")
	}
	for _, name := range names[:len(names)-1] {
		if err := c.m.files.rename(c.path(name), c.target(name, names[len(names)-1]), c.uid()); err != nil {
			return c.fail(1, "cannot move '%s' to '%s': %s", name, names[len(names)-1], err)
		}
	}
	return 0
}

func cp(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	_, names := split(c.args)
	if len(names) < 2 {
		return c.fail(1, "missing destination file operand")
	}
	return c.each(names[:len(names)-1], func(name string, data []byte) {
		mode := fs.FileMode(0o644)
		if found, err := c.m.files.get(c.path(name), c.uid()); err == nil {
			mode = found.mode.Perm()
		}
		if err := c.m.files.write(c.target(name, names[len(names)-1]), c.uid(), data, false, mode); err != nil {
			c.fail(1, "cannot create '%s': %s", names[len(names)-1], err)
		}
	})
}

func mkdir(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	flags, names := split(c.args)
	for _, name := range names {
		full := c.path(name)
		if strings.Contains(flags, "p") {
			for i, r := range full + "/" {
				if r == '/' && i > 0 {
					_ = c.m.files.mkdir(full[:i], c.uid()) // what fails here fails for the last one too
				}
			}
			if found, err := c.m.files.get(full, c.uid()); err == nil && found.IsDir() {
				continue
			}
		}
		if err := c.m.files.mkdir(full, c.uid()); err != nil {
			return c.fail(1, "cannot create directory '%s': %s", name, err)
		}
	}
	return 0
}

// chmod takes octal modes, and "+x" and the like for everybody.
func chmod(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	_, names := split(c.args)
	if len(names) < 2 {
		return c.fail(1, "missing operand")
	}
	for _, name := range names[1:] {
		mode, err := strconv.ParseUint(names[0], 8, 32)
		if err != nil && strings.HasSuffix(names[0], "+x") {
			found, _ := c.m.files.get(c.path(name), c.uid())
			if found.node != nil {
				mode, err = uint64(found.mode.Perm()|0o111), nil
			}
		}
		if err != nil {
			return c.fail(1, "invalid mode: '%s'", names[0])
		}
		if err := c.m.files.chmod(c.path(name), c.uid(), fs.FileMode(mode)); err != nil {
			return c.fail(1, "cannot access '%s': %s", name, err)
		}
	}
	return 0
}

func touchFiles(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	_, names := split(c.args)
	for _, name := range names {
		if err := c.m.files.write(c.path(name), c.uid(), nil, true, 0o644); err != nil {
			return c.fail(1, "cannot touch '%s': %s", name, err)
		}
	}
	return 0
}

// mktemp makes a file, or with -d a folder, of a name that is free.
func mktemp(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	flags, names := split(c.args)
	pattern := "/tmp/tmp.XXXXXX"
	if len(names) > 0 {
		pattern = c.path(names[0])
	}
	for i := c.pid; ; i++ {
		name := strings.TrimRight(pattern, "X") + fmt.Sprintf("%06d", i)
		if _, err := c.m.files.get(name, 0); err == nil {
			continue
		}
		var err error
		if strings.Contains(flags, "d") {
			err = c.m.files.mkdir(name, c.uid())
		} else {
			err = c.m.files.write(name, c.uid(), nil, false, 0o600)
		}
		if err != nil {
			return c.fail(1, "failed to create file via template '%s': %s", pattern, err)
		}
		fmt.Fprintln(c.stdout, name)
		return 0
	}
}

// statFile is "stat -c FORMAT FILE…" with %n %s %a %U %u %Y %F.
func statFile(_ context.Context, c *call) int {
	format, names := "%n", []string{}
	for i := 0; i < len(c.args); i++ {
		switch arg := c.args[i]; {
		case arg == "-c" && i+1 < len(c.args):
			i++
			format = c.args[i]
		case strings.HasPrefix(arg, "--format="):
			format = arg[len("--format="):]
		case !strings.HasPrefix(arg, "-"):
			names = append(names, arg)
		}
	}
	code := 0
	for _, name := range names {
		found, err := c.m.files.get(c.path(name), c.uid())
		if err != nil {
			code = c.fail(1, "cannot stat '%s': %s", name, err)
			continue
		}
		kind := "regular file"
		if found.IsDir() {
			kind = "directory"
		}
		fmt.Fprintln(c.stdout, strings.NewReplacer("%n", name, "%s", strconv.FormatInt(found.Size(), 10),
			"%a", strconv.FormatUint(uint64(found.mode.Perm()), 8), "%U", c.m.userName(found.uid), "%u", strconv.Itoa(found.uid),
			"%Y", strconv.FormatInt(found.modified.Unix(), 10), "%F", kind).Replace(format))
	}
	return code
}

func basename(_ context.Context, c *call) int {
	if len(c.args) == 0 {
		return c.fail(1, "missing operand")
	}
	if c.name == "dirname" {
		fmt.Fprintln(c.stdout, path.Dir(c.args[0]))
		return 0
	}
	name := path.Base(c.args[0])
	if len(c.args) > 1 {
		name = strings.TrimSuffix(name, c.args[1])
	}
	fmt.Fprintln(c.stdout, name)
	return 0
}
