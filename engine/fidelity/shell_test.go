package fidelity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// shell executes one line on one host. The caller holds the world's lock.
type shell struct {
	*world
	node      *node
	uid       int
	in        io.Reader
	out, errs strings.Builder
	mutates   bool
	tag, self string // what the line says for whom it is executed
}

func write(to io.Writer, text string) {
	if to != nil {
		_, _ = io.WriteString(to, text)
	}
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _./:,+@%-"

// line runs a command line as a login shell does. What has no shell syntax in it is not given to the interpreter: that is
// most of it, and a hundred times faster.
func (s *shell) line(ctx context.Context, text string) int {
	if strings.HasPrefix(text, "for f in /run/systemd/system ") { // asked by every service, and always answered so
		s.out.WriteString("/run/systemd/system\n")
		return 0
	}
	if strings.Trim(text, plain) == "" && !strings.HasPrefix(text, "test ") {
		return s.program(ctx, strings.Fields(text), &s.out, &s.errs)
	}
	return s.script(ctx, text, &s.out, &s.errs)
}

func (s *shell) script(ctx context.Context, text string, out, errs io.Writer) int {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "sh")
	if err != nil {
		write(errs, "sh: "+err.Error()+"\n")
		return 2
	}
	runner, err := interp.New(interp.Env(expand.ListEnviron("HOME=/root", "PATH=/bin", "TMPDIR=/\x00", "UID=0", "EUID=0", "GID=0")), interp.Dir("/"), interp.StdIO(s.in, out, errs),
		interp.OpenHandler(s.open), interp.StatHandler(s.stat), interp.ReadDirHandler2(func(context.Context, string) ([]fs.DirEntry, error) { return nil, fs.ErrNotExist }),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc {
			return func(ctx context.Context, args []string) error {
				hc := interp.HandlerCtx(ctx)
				if code := s.program(ctx, args, hc.Stdout, hc.Stderr); code != 0 {
					return interp.ExitStatus(code)
				}
				return nil
			}
		}))
	if err != nil {
		panic(err)
	}
	var status interp.ExitStatus
	switch err := runner.Run(ctx, file); {
	case errors.As(err, &status):
		return int(status)
	case err != nil:
		write(errs, err.Error())
		return 2
	}
	return 0
}

// open lets a script write files by redirection, which changes the host.
func (s *shell) open(_ context.Context, name string, flag int, _ os.FileMode) (io.ReadWriteCloser, error) {
	if name == "/dev/null" {
		return null{}, nil
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		s.mutates = true
		s.node.files[path.Join("/", name)] = true
		return null{}, nil
	}
	return nil, &os.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (s *shell) stat(_ context.Context, name string, _ bool) (fs.FileInfo, error) {
	if name == "/" || name == "/run/systemd/system" || s.node.files[name] {
		return info{name}, nil
	}
	return nil, &os.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

type info struct{ name string }

func (i info) Name() string       { return path.Base(i.name) }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return 0o755 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.name == "/" }
func (i info) Sys() any           { return nil }

type null struct{}

func (null) Read([]byte) (int, error)    { return 0, io.EOF }
func (null) Write(b []byte) (int, error) { return len(b), nil }
func (null) Close() error                { return nil }

// program runs one program.
func (s *shell) program(ctx context.Context, args []string, out, errs io.Writer) int {
	say := func(format string, a ...any) { write(out, fmt.Sprintf(format, a...)) }
	switch name, rest := args[0], args[1:]; name {
	case "true":
		return 0
	case "false":
		return 1
	case "test": // "test -e FILE": the shell's own is another one
		if !s.node.files[rest[1]] {
			return 1
		}
	case "uname":
		say("Linux\n")
	case "id":
		say("%d\n", s.uid)
	case "sudo":
		for len(rest) > 0 && rest[0] != "--" {
			rest = rest[1:]
		}
		before := s.uid
		s.uid = 0
		defer func() { s.uid = before }()
		return s.program(ctx, rest[1:], out, errs)
	case "env":
		for len(rest) > 0 && strings.Contains(rest[0], "=") {
			rest = rest[1:]
		}
		return s.program(ctx, rest, out, errs)
	case "sh":
		return s.script(ctx, rest[1], out, errs)
	case "cat":
		return s.cat(rest, say)
	case "systemctl":
		return s.systemctl(rest, say)
	case "switch":
		return s.toggle(s.node, rest, say)
	case "keep": // asks or sets the switch of another host, which need not answer
		if n := s.nodes[rest[1]]; n != nil {
			return s.toggle(n, append([]string{rest[0]}, rest[2:]...), say)
		}
		return 4
	case "put":
		return s.act(rest, func() { s.node.files[rest[0]] = true })
	case "zap":
		say("zapped\n")
		return s.act(rest, func() {})
	default:
		write(errs, "sh: "+name+": not found\n")
		return 127
	}
	return 0
}

func (s *shell) cat(files []string, say func(string, ...any)) int {
	const booted = 10 * 24 * time.Hour // before the world began
	for _, f := range files {
		pid, isStat := strings.CutSuffix(strings.TrimPrefix(f, "/proc/"), "/stat")
		switch {
		case f == "/proc/uptime":
			say("%.2f 1.00\n", (time.Since(s.born) + booted).Seconds())
		case isStat:
			number, _ := strconv.Atoi(pid)
			u := s.process(number)
			if u == nil {
				return 1
			}
			ticks := (u.started.Sub(s.born) + booted).Milliseconds() / 10
			say("%s (x) S 1%s %d 0\n", pid, strings.Repeat(" 0", 17), ticks)
		default:
			return 1
		}
	}
	return 0
}

func (s *shell) process(pid int) *unit {
	for _, u := range s.node.units {
		if u.running && u.pid == pid {
			return u
		}
	}
	return nil
}

func (s *shell) systemctl(args []string, say func(string, ...any)) int {
	name := args[len(args)-1]
	u := s.unit(s.node, name)
	if args[0] == "show" {
		if !u.exists {
			say("LoadState=not-found\nActiveState=inactive\nMainPID=0\nUnitFileState=\n")
			return 0
		}
		state, pid := "inactive", 0
		if u.running {
			state, pid = "active", u.pid
		}
		say("LoadState=loaded\nActiveState=%s\nMainPID=%d\nUnitFileState=%s\n", state, pid, map[bool]string{true: "enabled", false: "disabled"}[u.enabled])
		return 0
	}
	s.tag, _, _ = strings.Cut(strings.TrimPrefix(name, "svc-"), "-")
	return s.act(nil, func() {
		switch args[0] {
		case "start":
			if u.exists && !u.running {
				s.start(u)
			}
		case "restart":
			if u.exists {
				s.start(u)
			}
		case "stop":
			u.running = false
		case "enable", "disable":
			u.enabled = args[0] == "enable"
		}
	})
}

// toggle is "get NAME" and "set NAME VALUE --for TAG@HOST".
func (s *shell) toggle(n *node, args []string, say func(string, ...any)) int {
	if args[0] == "get" {
		v := s.value(n, args[1])
		say("%s\n", v)
		if v == "dim" {
			return 3
		}
		return 0
	}
	say("set\n")
	return s.act(args, func() { n.switches[args[1]] = args[2] })
}

// act changes something, in the way in which this step's execution ends here. Even one that fails at once has tried.
func (s *shell) act(args []string, do func()) int {
	s.mutates = true
	for i, a := range args {
		if a == "--for" && i+1 < len(args) {
			s.tag, s.self, _ = strings.Cut(args[i+1], "@")
		}
	}
	how := s.fails[s.tag]
	if s.uid != 0 && s.self == "" && s.tag != "" { // a service without sudo
		return 4
	}
	if how == "before" {
		return 1
	}
	if how != "vain" {
		do()
	}
	for _, e := range s.after[s.tag] {
		who, _, _ := strings.Cut(s.self, "#")
		if who == "" {
			who = s.node.name
		}
		s.happen(e, who)
	}
	if how == "after" {
		return 1
	}
	return 0
}
