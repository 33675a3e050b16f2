package unix

import (
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
		"mkdir": mkdir, "rmdir": rm, "chmod": chmod, "chown": chown, "chgrp": chown, "sha256sum": sha256sum, "ln": ln, "touch": touchFiles, "tee": tee, "wc": wc, "stat": statFile, "mktemp": mktemp,
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

// ls knows -a, -d, -l, -n and -1; names are one a line.
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
	if !strings.ContainsAny(flags, "ln") {
		fmt.Fprintln(c.stdout, name)
		return
	}
	kind := strings.ToLower(e.mode.Perm().String())
	if e.IsDir() {
		kind = "d" + kind[1:]
	}
	owner := c.m.userName(e.uid)
	if strings.Contains(flags, "n") {
		owner = strconv.Itoa(e.uid)
	}
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
	mode := uint64(0o755)
	if strings.Contains(flags, "m") && len(names) > 0 {
		var err error
		if mode, err = strconv.ParseUint(names[0], 8, 12); err != nil {
			return c.fail(1, "invalid mode '%s'", names[0])
		}
		names = names[1:]
	}
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
		if err := c.m.files.chmod(full, c.uid(), fs.FileMode(mode)); err != nil {
			return c.fail(1, "cannot change mode of '%s': %s", name, err)
		}
	}
	return 0
}
