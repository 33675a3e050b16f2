package unix

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

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

// chown is "chown USER[:GROUP] FILE…" and "chgrp GROUP FILE…", with names or numbers. Groups are not simulated: those that
// have a user's name are known, and change nothing.
func chown(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	_, names := split(c.args)
	if len(names) < 2 {
		return c.fail(1, "missing operand")
	}
	user, group, _ := strings.Cut(names[0], ":")
	if c.name == "chgrp" {
		user, group = "", user
	}
	uid := -1
	for i, name := range []string{user, group} {
		id, err := strconv.Atoi(name)
		switch {
		case name == "":
			continue
		case err != nil && !c.m.knows(name):
			return c.fail(1, "invalid %s: '%s'", []string{"user", "group"}[i], names[0])
		case err != nil:
			id = c.m.uid(name)
		}
		if i == 0 {
			uid = id
		}
	}
	for _, name := range names[1:] {
		found, err := c.m.files.get(c.path(name), c.uid())
		if err == nil && c.uid() != 0 && (found.uid != c.uid() || uid >= 0 && uid != c.uid()) {
			err = errNotPermitted
		}
		if err != nil {
			return c.fail(1, "changing ownership of '%s': %s", name, err)
		}
		if uid >= 0 {
			c.m.files.own(c.path(name), uid)
		}
	}
	return 0
}

func sha256sum(_ context.Context, c *call) int {
	_, names := split(c.args)
	return c.each(names, func(name string, data []byte) { fmt.Fprintf(c.stdout, "%x  %s\n", sha256.Sum256(data), name) })
}

// ln makes a copy: links are not simulated, and until one of the two is written nobody sees the difference.
func ln(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	flags, names := split(c.args)
	if len(names) != 2 || strings.Contains(flags, "s") {
		return c.fail(1, "not simulated in this lab")
	}
	to := c.target(names[0], names[1])
	if _, err := c.m.files.get(to, c.uid()); err == nil {
		return c.fail(1, "failed to create hard link '%s': %s", names[1], errExists)
	}
	if err := c.m.files.link(c.path(names[0]), to, c.uid()); err != nil {
		return c.fail(1, "failed to create hard link '%s': %s", names[1], err)
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
