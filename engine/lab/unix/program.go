package unix

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
)

// uid gives a user's number; who was never seen gets one.
func (m *machine) uid(user string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.users[user]
	if !ok {
		id = 1000 + len(m.users)
		m.users[user] = id
	}
	return id
}

// fail prints "NAME: TEXT" to the error stream and gives the code back.
func (c *call) fail(code int, format string, args ...any) int {
	fmt.Fprintf(c.stderr, c.name+": "+format+"\n", args...)
	return code
}

// path makes a name absolute against the current folder.
func (c *call) path(name string) string {
	if !path.IsAbs(name) {
		name = path.Join(c.dir, name)
	}
	return path.Clean(name)
}

func (c *call) uid() int { return c.m.uid(c.user) }

// find looks for a program as execvp does: along the PATH, or where the name says.
func (c *call) find(name string) (info, error) {
	if strings.Contains(name, "/") {
		found, err := c.m.files.get(c.path(name), c.uid())
		switch {
		case err != nil:
			return info{}, err
		case found.IsDir():
			return info{}, errIsDir
		case !found.allows(c.uid(), 1):
			return info{}, errDenied
		}
		return found, nil
	}
	for _, dir := range strings.Split(c.env["PATH"], ":") {
		found, err := c.m.files.get(path.Join(dir, name), c.uid())
		if err == nil && found.Mode().IsRegular() && found.allows(c.uid(), 1) {
			return found, nil
		}
	}
	return info{}, errMissing
}

// run runs the program that argv names, as a process of its own.
func (c *call) run(ctx context.Context, argv []string) int {
	found, err := c.find(argv[0])
	if err != nil {
		return c.notFound(argv[0], err)
	}
	child := *c
	child.name, child.args, child.parent = path.Base(argv[0]), argv[1:], c.pid
	ctx, release, ok := c.m.begin(ctx, &child, argv)
	if !ok {
		return 255
	}
	defer release()
	code := 0
	switch f, ok := c.m.commands[found.program]; {
	case ok:
		code = f(ctx, &child)
	case strings.HasPrefix(string(found.data), "\x7fELF"):
		fmt.Fprintf(c.stderr, "%s: %s\n", argv[0], errNotBinary)
		return 126
	default: // a text: a script
		code = child.script(ctx, argv[0], string(found.data), argv[1:])
	}
	if ctx.Err() != nil {
		return 143 // ended by SIGTERM
	}
	return code
}

func (c *call) notFound(name string, err error) int {
	if strings.Contains(name, "/") {
		fmt.Fprintf(c.stderr, "%s: %s: %s\n", c.m.shell, name, err)
		if errors.Is(err, errMissing) {
			return 127
		}
		return 126
	}
	fmt.Fprintf(c.stderr, "%s: %s: %s\n", c.m.shell, name, c.m.missing)
	return 127
}
