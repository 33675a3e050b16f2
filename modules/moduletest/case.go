// Package moduletest knows how to test a module with one file per case: a host's answers on one side, what the
// module makes of them on the other.
//
// A file is a list of lines; a line that begins with # says why the case exists, empty lines are free.
//
//	host    windows                        posix, esxi or windows; or an API and its credentials: "dsm rest", "dsm soap", "dsm both"
//	probe | step                           what the module is used as; default step
//	arg     name "vsepflt"                 an argument, its value in JSON; a secret is a string
//	invalid name                           Validate must refuse this argument; nothing else is expected then
//	change  vsepflt: STOPPED -> RUNNING    Diff.Changes, in order
//	act     restart ds_agent               Diff.Act
//	opaque                                 Diff.Opaque
//	effect  restart                        Effects, in order; only compared when one is given
//	note    vsepflt is RUNNING             Diff.Note, exact; a Check that finds nothing to do must give one
//	command sc.exe start vsepflt           Diff.Commands, in order
//	do      sc.exe start vsepflt           what Apply executes, in order; default: the commands; "do" alone: nothing
//	error   is disabled                    the error of Probe, Check, Apply or Prove contains this
//	hint    enable it                      the hint of that error contains this
//	kind    exit                           the kind of that error
//	result  {"exists":true}                the result of Probe or Apply; attributes that are not named may be anything
//	file    /etc/x {"content":"a\n"}        a file of the host: content, mode, owner, group, kind, to (a link), shared, modified, acl, no_hash, refuses, missing
//	resume  2m                             Apply is left out: a new instance proves what another did, 2m after the intent
//
// Then what the host answers, one after the other:
//
//	answer sc.exe query vsepflt            a command line, as Line gives it
//	in     stopped                         only while the host is in this state; default: in any
//	then   starting                        the host is in this state from now on
//	times  2                               it is asked exactly this often; default: once or more
//	takes  5s                              how long it takes
//	stdin  hunter2                         what must arrive on standard input; parameters of a script before it: "a=1 b=2 hunter2"
//	exit   1060                            default 0
//	error  lost                            no answer: an error of this kind
//	|          STATE              : 1  STOPPED
//	2| a line of standard error
//
// An answer of an API is to a request: "GET /api/…", "POST /api/… {body}", or a SOAP operation with its arguments ("authenticate
// username=api"), whose answer is what stands in its Response; exit is the status, 200 unless said. Every request that changes
// something must be among the commands.
//
// A host begins in the state "start". Time is simulated: waiting costs nothing.
package moduletest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

type testCase struct {
	host    engine.Platform
	login   string // of an API: "rest", "soap" or "both"; "": it is none
	probe   bool
	args    map[string]string // JSON by name
	invalid string
	diff    engine.Diff
	effects []engine.Effect
	dos     []string // nil: diff.Commands
	fails   failure
	result  string // JSON; "": not compared
	resume  time.Duration
	answers []*answer
	files   map[string]*file
}

type failure struct{ text, hint, kind string }

type answer struct {
	line, in, then, stdin string
	times                 int // 0: once or more
	takes                 time.Duration
	out                   engine.Output
	err                   engine.ErrorKind
	used                  int
}

// read parses a case file.
func read(path string) (*testCase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &testCase{args: map[string]string{}}
	for n, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if err := c.line(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n+1, err)
		}
	}
	if c.host == "" {
		return nil, fmt.Errorf("%s: no host", path)
	}
	return c, nil
}

func (c *testCase) line(line string) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	if len(c.answers) > 0 && word != "answer" {
		return c.answers[len(c.answers)-1].line1(line, word, rest)
	}
	switch word {
	case "host":
		name, login, _ := strings.Cut(rest, " ")
		c.host, c.login = engine.Platform(name), login
	case "probe":
		c.probe = true
	case "step":
	case "arg":
		name, value, _ := strings.Cut(rest, " ")
		c.args[name] = value
	case "invalid":
		c.invalid = rest
	case "change":
		change, err := readChange(rest)
		if err != nil {
			return err
		}
		c.diff.Changes = append(c.diff.Changes, change)
	case "act":
		c.diff.Act = rest
	case "opaque":
		c.diff.Opaque = true
	case "effect":
		c.effects = append(c.effects, engine.Effect(rest))
	case "note":
		c.diff.Note = rest
	case "command":
		c.diff.Commands = append(c.diff.Commands, rest)
	case "do":
		if c.dos = append([]string{}, c.dos...); rest != "" {
			c.dos = append(c.dos, rest)
		}
	case "error":
		c.fails.text = rest
	case "hint":
		c.fails.hint = rest
	case "kind":
		c.fails.kind = rest
	case "result":
		c.result = rest
	case "resume":
		var err error
		c.resume, err = time.ParseDuration(rest)
		return err
	case "file":
		return c.readFile(rest)
	case "answer":
		c.answers = append(c.answers, &answer{line: rest})
	default:
		return fmt.Errorf("nothing is called %q", word)
	}
	return nil
}

func readChange(text string) (engine.Change, error) {
	what, states, ok1 := strings.Cut(text, ": ")
	before, after, ok2 := strings.Cut(states, " -> ")
	if !ok1 || !ok2 {
		return engine.Change{}, fmt.Errorf("a change is WHAT: BEFORE -> AFTER")
	}
	return engine.Change{What: what, Before: before, After: after}, nil
}

// line1 reads one line of an answer.
func (a *answer) line1(line, word, rest string) (err error) {
	if text, ok := strings.CutPrefix(line, "|"); ok {
		a.out.Stdout += strings.TrimPrefix(text, " ") + "\n"
		return nil
	}
	if text, ok := strings.CutPrefix(line, "2|"); ok {
		a.out.Stderr += strings.TrimPrefix(text, " ") + "\n"
		return nil
	}
	switch word {
	case "in":
		a.in = rest
	case "then":
		a.then = rest
	case "stdin":
		a.stdin = rest
	case "times":
		a.times, err = strconv.Atoi(rest)
	case "takes":
		a.takes, err = time.ParseDuration(rest)
	case "exit":
		a.out.Code, err = strconv.Atoi(rest)
	case "error":
		a.err = engine.ErrorKind(rest)
	default:
		err = fmt.Errorf("an answer has no %q", word)
	}
	return err
}
