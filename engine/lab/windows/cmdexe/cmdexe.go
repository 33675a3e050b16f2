// Package cmdexe knows the language of cmd.exe: how a line is split, expanded, redirected and run, and the
// commands that are built into cmd.exe itself. It works on a disk.Disk and on programs that are Go functions;
// it never touches the real machine.
//
// What it does follows the documented behaviour ("cmd /?", "if /?", "call /?") and well-known observations:
// percent signs are expanded for a whole line before anything of it runs, so "sc query x & echo %errorlevel%"
// prints the code from before; "cmd /c" ends with what its last command returned, which is 1 for a command that
// does not exist although %errorlevel% is 9009 then (a batch file ends with %errorlevel%).
// Not simulated: for /f, for /r, for /d, set /a, setlocal without delayed expansion, pipes of endless programs,
// aliases of doskey, and drives' current folders.
package cmdexe

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// Codes with which cmd.exe itself ends or that it leaves in %errorlevel%.
const (
	NotFound = 9009       // an unknown command, in %errorlevel%
	Killed   = 0xC000013A // STATUS_CONTROL_C_EXIT: the process was ended from outside
)

// System is what the commands of a computer act on.
type System struct {
	Disk *disk.Disk
	// Program runs an executable by the name under which it was put on the disk.
	Program func(ctx context.Context, name string, p *Process) uint32
	// Say gives a message of cmd.exe in the language of the system.
	Say func(english string) string
	// Wait waits for a duration of lab time or for the end of ctx.
	Wait func(ctx context.Context, d time.Duration) error
	// Scratch tells of a path that writing there changes nothing of the system. nil: it is always a change.
	Scratch func(path string) bool
	// Version is what ver prints in its brackets: "Version 10.0.17763.1".
	Version string
}

// Process is a program that runs: what it was given and where its output goes.
type Process struct {
	Path  string   // the file that runs
	Args  string   // the command line behind the name of the program, as written
	Argv  []string // the same, split as C programs split it, without the program
	User  string
	Dir   string
	Env   map[string]string // upper-case names
	Stdin io.Reader         // nil: there is none
	// Stdout and Stderr are never nil.
	Stdout, Stderr io.Writer
}

// Getenv gives a variable by its name in any case.
func (p *Process) Getenv(name string) string { return p.Env[strings.ToUpper(name)] }

// session is one cmd.exe: its variables, folder and streams.
type session struct {
	sys   *System
	mark  func() // says that a command changes something; see package touch
	user  string
	vars  map[string]string // upper-case names
	spelt map[string]string // upper-case name → as it was set
	dir   string
	level uint32 // errorlevel

	in       io.Reader
	out, err io.Writer

	delayed bool
	echo    bool // of a batch file
	batch   *batch
	depth   int // of batch files and calls
	exited  bool
	code    uint32 // with which it exited
	loop    map[byte]string
}

// Run runs "cmd.exe /c LINE" as p says and returns the code with which cmd.exe ends.
// A killed ctx ends it with Killed.
func Run(ctx context.Context, sys *System, p *Process, line string) uint32 {
	return newSession(ctx, sys, p).main(ctx, line)
}

// Launch starts a program or a batch file as Windows itself does it, without cmd.exe: operators and redirections are
// plain arguments. It returns the exit code, and NotFound where there is no such program.
func Launch(ctx context.Context, sys *System, p *Process, commandLine string) uint32 {
	s := newSession(ctx, sys, p)
	commandLine = strings.TrimLeft(s.expand(commandLine), " ")
	name, tail, _ := strings.Cut(commandLine, " ")
	if strings.HasPrefix(commandLine, `"`) {
		name, tail, _ = strings.Cut(commandLine[1:], `"`)
	}
	s.external(ctx, name, tail, false)
	if ctx.Err() != nil {
		return Killed
	}
	return s.level
}

// Command runs cmd.exe itself with the arguments p.Args, as CreateProcess starts it: "/d /s /c LINE".
func Command(ctx context.Context, sys *System, p *Process) uint32 {
	return newSession(ctx, sys, p).command(ctx, p.Args)
}

// changes says that the command changes something, unless all of paths are scratch.
func (s *session) changes(paths ...string) {
	if s.sys.Scratch == nil || len(paths) == 0 || slices.ContainsFunc(paths, func(p string) bool { return !s.sys.Scratch(p) }) {
		s.mark()
	}
}

func newSession(ctx context.Context, sys *System, p *Process) *session {
	s := &session{sys: sys, mark: func() { touch.Mark(ctx) }, user: p.User, vars: map[string]string{}, spelt: map[string]string{}, dir: p.Dir,
		in: p.Stdin, out: p.Stdout, err: p.Stderr, echo: true, loop: map[byte]string{}}
	for name, value := range p.Env {
		s.vars[strings.ToUpper(name)], s.spelt[strings.ToUpper(name)] = value, name
	}
	return s
}

// main is what cmd.exe does with its arguments, from /c on.
func (s *session) main(ctx context.Context, line string) uint32 {
	line, _, _ = strings.Cut(line, "\n")
	code := s.line(ctx, stripQuotes(strings.TrimRight(line, "\r"), s.isProgram))
	if ctx.Err() != nil {
		return Killed
	}
	if s.exited {
		return s.code
	}
	return code
}

// command is the program cmd.exe: "cmd [/s] [/d] [/q] [/v:on] /c LINE".
func (s *session) command(ctx context.Context, args string) uint32 {
	child := *s
	child.vars, child.spelt, child.loop = maps.Clone(s.vars), maps.Clone(s.spelt), map[byte]string{}
	child.batch, child.level, child.exited = nil, 0, false
	strip := false
	for {
		args = strings.TrimLeft(args, " \t")
		if len(args) < 2 || args[0] != '/' {
			return 0 // an interactive shell that reads the end of its input
		}
		flag, rest := strings.ToLower(args[:2]), args[2:]
		switch flag {
		case "/s":
			strip = true
		case "/v":
			child.delayed = !strings.HasPrefix(strings.ToLower(rest), ":off")
			rest = strings.TrimLeft(rest, ":onfONF")
		case "/e", "/t", "/f":
			_, rest, _ = strings.Cut(rest, " ")
		case "/c", "/k", "/r":
			if strip {
				rest = stripOuter(strings.TrimLeft(rest, " \t"))
			}
			return child.main(ctx, rest)
		}
		args = rest
	}
}

// stripQuotes is the rule of "cmd /?": two quotes around a program with a blank in its name stay; otherwise, when
// the line begins with a quote, this and the last one are taken away. So a line that begins with a quoted program
// and has another quote in it breaks; "call" or a parenthesis before it helps. There is a report of a WinRM
// service that took the quotes even where this rule keeps them.
func stripQuotes(line string, isProgram func(string) bool) string {
	line = strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(line, `"`) {
		return line
	}
	between, _, _ := strings.Cut(line[1:], `"`)
	if strings.Count(line, `"`) == 2 && !strings.ContainsAny(between, "&<>()@^|") &&
		strings.Contains(between, " ") && isProgram(between) {
		return line
	}
	return stripOuter(line)
}

func stripOuter(line string) string {
	last := strings.LastIndexByte(line, '"')
	if !strings.HasPrefix(line, `"`) || last == 0 {
		return line
	}
	return line[1:last] + line[last+1:]
}

// SplitArgs splits a command line as C programs do: quotes group, \" is a quote.
func SplitArgs(args string) []string {
	var argv []string
	var word strings.Builder
	quoted, some := false, false
	for i := 0; i < len(args); i++ {
		c := args[i]
		slashes := len(args[i:]) - len(strings.TrimLeft(args[i:], `\`))
		switch {
		case slashes > 0 && i+slashes < len(args) && args[i+slashes] == '"':
			word.WriteString(strings.Repeat(`\`, slashes/2))
			i += slashes - 1
			if slashes%2 == 1 {
				word.WriteByte('"')
				i++
			}
			some = true
		case c == '"':
			quoted, some = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if some {
				argv = append(argv, word.String())
			}
			word.Reset()
			some = false
		default:
			word.WriteByte(c)
			some = true
		}
	}
	if some {
		argv = append(argv, word.String())
	}
	return argv
}
