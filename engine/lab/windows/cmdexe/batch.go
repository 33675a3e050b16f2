package cmdexe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// batch is a batch file that runs.
type batch struct {
	path, dir string
	args      []string // %0 and on, quotes kept
	all       string   // %*
	lines     []string
	pos       int
	ended     bool
	jump      string // the label that goto named
	saved     []scope
}

// scope is what setlocal keeps.
type scope struct {
	vars, spelt map[string]string
	dir         string
	delayed     bool
}

// runBatch runs a batch file, from a label or the beginning, and returns %errorlevel%.
func (s *session) runBatch(ctx context.Context, path, name, tail, label string) uint32 {
	data, err := s.sys.Disk.Read(path)
	if err != nil {
		s.complain(err.Error())
		s.level = 1
		return 1
	}
	if s.depth++; s.depth > 100 {
		s.complain("******  B A T C H   R E C U R S I O N  exceeds STACK limits ******")
		s.exited, s.code = true, 1
		return 1
	}
	caller := s.batch
	s.batch = &batch{path: path, dir: s.dir, args: append([]string{name}, words(tail)...),
		all: strings.TrimLeft(tail, " \t"), lines: strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"),
		jump: label}
	s.batchLines(ctx)
	for len(s.batch.saved) > 0 {
		s.endLocal()
	}
	s.batch = caller
	s.depth--
	return s.level
}

func (s *session) batchLines(ctx context.Context) {
	b := s.batch
	for ctx.Err() == nil && !s.exited && !b.ended {
		if b.jump != "" && !s.goTo() || b.pos >= len(b.lines) {
			return
		}
		text := b.lines[b.pos]
		b.pos++
		if trimmed := strings.TrimSpace(text); trimmed == "" || trimmed[0] == ':' {
			continue
		}
		n, err := parse(s.expand(text))
		for errors.Is(err, errMore) && b.pos < len(b.lines) || strings.HasSuffix(text, "^") && b.pos < len(b.lines) {
			text += "\n" + b.lines[b.pos]
			b.pos++
			n, err = parse(s.expand(text))
		}
		if err != nil { // cmd.exe gives up the whole batch file
			s.misread(err, 255)
			return
		}
		s.run(ctx, n)
	}
}

// goTo moves to the label of a goto. Without it the batch file ends.
func (s *session) goTo() bool {
	b := s.batch
	label := strings.ToLower(b.jump)
	b.jump = ""
	if label == "eof" || label == ":eof" {
		return false
	}
	for i, line := range b.lines {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), ":")
		name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), " ")
		if ok && name == strings.TrimPrefix(label, ":") {
			b.pos = i + 1
			return true
		}
	}
	s.complain("The system cannot find the batch label specified - %s", strings.TrimPrefix(label, ":"))
	s.level = 1
	return false
}

// call runs "call LABEL", "call FILE" and "call COMMAND"; percent signs are expanded once more.
func (s *session) call(ctx context.Context, tail string) uint32 {
	text := strings.TrimLeft(s.expand(tail), " \t")
	if strings.HasPrefix(text, ":") {
		if s.batch == nil {
			s.complain("Invalid attempt to call batch label outside of batch script.")
			return 1
		}
		label, rest := programName(text)
		return s.runBatch(ctx, s.batch.path, s.batch.args[0], rest, label)
	}
	if name, rest, ok := s.builtinName(text); ok {
		return s.builtin(ctx, name, rest)
	}
	name, rest := programName(text)
	return s.external(ctx, name, rest, true)
}

func (s *session) setLocal(tail string) {
	if s.batch == nil {
		return
	}
	s.batch.saved = append(s.batch.saved, scope{maps.Clone(s.vars), maps.Clone(s.spelt), s.dir, s.delayed})
	if strings.Contains(strings.ToLower(tail), "enabledelayedexpansion") {
		s.delayed = true
	}
}

func (s *session) endLocal() {
	if s.batch == nil || len(s.batch.saved) == 0 {
		return
	}
	last := s.batch.saved[len(s.batch.saved)-1]
	s.batch.saved = s.batch.saved[:len(s.batch.saved)-1]
	s.vars, s.spelt, s.dir, s.delayed = last.vars, last.spelt, last.dir, last.delayed
}

// show prints a command before it runs, as a batch file does until echo is off.
func (s *session) show(n *simple) {
	if s.batch != nil && s.echo && !n.quiet && n.text != "" {
		fmt.Fprintf(s.out, "\r\n%s>%s \r\n", s.dir, strings.TrimRight(n.text, " "))
	}
}
