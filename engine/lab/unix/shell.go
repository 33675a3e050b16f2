package unix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// script runs shell text in this process and returns its exit code. name is $0.
func (c *call) script(ctx context.Context, name, text string, params []string) int {
	file, err := parse(name, text)
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: -c: %s\n", c.m.shell, err)
		return 2
	}
	env := &environ{call: c, starting: true}
	runner, err := interp.New(interp.Env(env), interp.Dir("/"), interp.StdIO(c.stdin, c.stdout, c.stderr),
		interp.Params(append([]string{"--"}, params...)...), interp.OpenHandler(c.open), interp.ReadDirHandler2(c.readDir),
		interp.StatHandler(c.stat), interp.AccessHandler(c.access), interp.CallHandler(c.intercept),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return c.execute }))
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: %s\n", c.m.shell, err)
		return 2
	}
	runner.Dir = c.dir // the option would look for it on the real disk
	runner.Reset()
	env.starting = false

	err = runner.Run(ctx, file)
	var status interp.ExitStatus
	switch {
	case ctx.Err() != nil:
		return 143 // ended by SIGTERM
	case errors.As(err, &status):
		return int(status)
	case err != nil:
		fmt.Fprintf(c.stderr, "%s: %s\n", c.m.shell, err)
		return 2
	}
	return 0
}

// parse reads POSIX syntax, in which the interpreter cannot make named pipes on the real disk, and takes care that it
// does not show its own process ids.
func parse(name, text string) (*syntax.File, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, err
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil && (p.Param.Value == "$" || p.Param.Value == "PPID") {
			p.Param.Value = map[string]string{"$": ownPID, "PPID": parentPID}[p.Param.Value]
		}
		return true
	})
	return file, nil
}

// Variables that no script can name.
const (
	ownPID    = "LAB own pid"
	parentPID = "LAB parent pid"
)

// environ is what the interpreter takes for the environment of the process.
type environ struct {
	call     *call
	starting bool
}

// Get answers every question that the interpreter would otherwise put to the real machine: home folders, numbers of
// users and processes, and, when it starts, the folder in which it would open named pipes of its own.
func (e *environ) Get(name string) expand.Variable {
	text := func(s string) expand.Variable { return expand.Variable{Set: true, Kind: expand.String, Str: s} }
	user, isHome := strings.CutPrefix(name, "HOME ")
	switch {
	case isHome && e.call.m.knows(user):
		return text(e.call.m.home(user))
	case isHome:
		return text("~" + user)
	case name == "TMPDIR" && e.starting:
		return text("/\x00")
	case name == "UID" || name == "EUID" || name == "GID":
		return text(strconv.Itoa(e.call.uid()))
	case name == ownPID:
		return text(strconv.Itoa(e.call.pid))
	case name == parentPID:
		return text(strconv.Itoa(e.call.parent))
	}
	if value, ok := e.call.env[name]; ok {
		return expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
	}
	return expand.Variable{}
}

// Each gives the exported variables.
func (e *environ) Each(f func(name string, v expand.Variable) bool) {
	for name := range e.call.env {
		if !f(name, e.Get(name)) {
			return
		}
	}
}

func (m *machine) knows(user string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.users[user]
	return ok
}

// execute runs a command that is no function and no builtin that the interpreter may run itself.
func (c *call) execute(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	child := *c
	child.dir, child.stdin, child.stdout, child.stderr = hc.Dir, hc.Stdin, hc.Stdout, hc.Stderr
	child.env = map[string]string{}
	hc.Env.Each(func(name string, v expand.Variable) bool {
		if v.Exported && v.IsSet() {
			child.env[name] = v.String()
		}
		return true
	})
	code := 0
	if name, own := strings.CutPrefix(args[0], internal); own {
		child.name, child.args = name, args[1:]
		code = child.builtin(ctx, name)
	} else {
		code = child.run(ctx, args)
	}
	if code != 0 {
		return interp.ExitStatus(code)
	}
	return nil
}

// The files of the interpreter are those of the machine.

func (c *call) at(ctx context.Context) *call {
	child := *c
	child.dir = interp.HandlerCtx(ctx).Dir
	return &child
}

func (c *call) open(ctx context.Context, name string, flag int, mode os.FileMode) (io.ReadWriteCloser, error) {
	full := c.at(ctx).path(name)
	refused := func(err error) error { return &os.PathError{Op: c.m.shell + ":", Path: name, Err: err} }
	if full == "/dev/null" {
		return &handle{}, nil
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		touch.Mark(ctx)
		if err := c.m.files.write(full, c.uid(), nil, flag&os.O_APPEND != 0, mode); err != nil {
			return nil, refused(err)
		}
		return &handle{tree: c.m.files, name: full, uid: c.uid()}, nil
	}
	found, err := c.m.files.get(full, c.uid())
	switch {
	case err != nil:
		return nil, refused(err)
	case found.IsDir():
		return nil, refused(errIsDir)
	case !found.allows(c.uid(), 4):
		return nil, refused(errDenied)
	}
	return &handle{data: found.data}, nil
}

// handle is an open file: its content when it was opened for reading, else the place where writes go.
type handle struct {
	data []byte
	tree *tree
	name string
	uid  int
}

func (h *handle) Read(p []byte) (int, error) {
	if len(h.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.data)
	h.data = h.data[n:]
	return n, nil
}

func (h *handle) Write(p []byte) (int, error) {
	if h.tree == nil {
		return len(p), nil
	}
	// The user's right was looked at when the file was opened; who removes it meanwhile gets a new one.
	if err := h.tree.write(h.name, 0, p, true, 0o644); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (h *handle) Close() error { return nil }

func (c *call) stat(ctx context.Context, name string, _ bool) (fs.FileInfo, error) {
	if name == "/dev/null" {
		return info{name, &node{mode: fs.ModeDevice | fs.ModeCharDevice | 0o666}}, nil
	}
	return c.m.files.get(c.at(ctx).path(name), c.uid())
}

func (c *call) access(ctx context.Context, name string, mode interp.AccessMode) error {
	found, err := c.m.files.get(c.at(ctx).path(name), c.uid())
	if err != nil {
		return err
	}
	if !found.allows(c.uid(), fs.FileMode(mode)) {
		return errDenied
	}
	return nil
}

func (c *call) readDir(ctx context.Context, name string) ([]fs.DirEntry, error) {
	found, err := c.m.files.list(c.at(ctx).path(name), c.uid())
	entries := make([]fs.DirEntry, len(found))
	for i, f := range found {
		entries[i] = f
	}
	return entries, err
}
