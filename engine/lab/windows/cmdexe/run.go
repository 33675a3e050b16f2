package cmdexe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// line expands, parses and runs one line.
func (s *session) line(ctx context.Context, text string) uint32 {
	n, err := parse(s.expand(text))
	if err != nil {
		return s.misread(err, 1)
	}
	return s.run(ctx, n)
}

// misread reports a line that cannot be parsed.
func (s *session) misread(err error, level uint32) uint32 {
	var syntax *errSyntax
	if errors.As(err, &syntax) {
		s.complain(syntax.text, syntax.args...)
	} else {
		s.complain("%s", err.Error())
	}
	s.level = level
	return 1
}

// complain prints a message of cmd.exe to its error stream; the format is the English one.
func (s *session) complain(english string, args ...any) {
	fmt.Fprintf(s.err, s.sys.Say(english)+"\r\n", args...)
}

// run returns what cmd.exe calls the return code, which && and || judge.
func (s *session) run(ctx context.Context, n node) uint32 {
	if s.stopped(ctx) {
		return s.level
	}
	switch n := n.(type) {
	case *list:
		return s.list(ctx, n)
	case *group:
		return s.redirected(n.redirs, func() uint32 { return s.run(ctx, n.body) })
	case *ifNode:
		return s.branch(ctx, n)
	case *forNode:
		return s.each(ctx, n)
	case *simple:
		s.show(n)
		redirs := make([]redir, len(n.redirs))
		for i, r := range n.redirs {
			r.target = s.expandLate(r.target)
			redirs[i] = r
		}
		return s.redirected(redirs, func() uint32 { return s.simple(ctx, s.expandLate(n.text)) })
	}
	return 0
}

func (s *session) stopped(ctx context.Context) bool {
	return ctx.Err() != nil || s.exited || s.batch != nil && (s.batch.ended || s.batch.jump != "")
}

func (s *session) list(ctx context.Context, n *list) uint32 {
	if n.op == "|" {
		return s.pipe(ctx, n)
	}
	code := s.run(ctx, n.left)
	if s.stopped(ctx) || n.op == "&&" && code != 0 || n.op == "||" && code == 0 {
		return code
	}
	return s.run(ctx, n.right)
}

// pipe runs both sides in copies of the shell, as cmd.exe does: what they set is lost.
func (s *session) pipe(ctx context.Context, n *list) uint32 {
	var between bytes.Buffer
	left, right := s.copy(), s.copy()
	left.out = &between
	left.run(ctx, n.left)
	right.in = &between
	code := right.run(ctx, n.right)
	s.level = right.level
	return code
}

func (s *session) copy() *session {
	c := *s
	c.vars, c.spelt, c.loop = maps.Clone(s.vars), maps.Clone(s.spelt), maps.Clone(s.loop)
	return &c
}

func (s *session) branch(ctx context.Context, n *ifNode) uint32 {
	holds, err := s.holds(n)
	if err != nil {
		return s.misread(err, 1)
	}
	if holds != n.not {
		return s.run(ctx, n.yes)
	}
	if n.no != nil {
		return s.run(ctx, n.no)
	}
	return 0
}

func (s *session) holds(n *ifNode) (bool, error) {
	a, b := s.expandLate(n.a), s.expandLate(n.b)
	switch n.kind {
	case "exist":
		path := disk.Clean(s.dir, a)
		folder := strings.HasSuffix(strings.Trim(a, `"`), `\`)
		found := s.sys.Disk.Match(path)
		return len(found) > 0 && (!folder || found[0].Dir) || isDevice(path), nil
	case "errorlevel":
		limit, err := strconv.Atoi(a)
		if err != nil {
			return false, &errSyntax{text: errSyntaxText}
		}
		return int(int32(s.level)) >= limit, nil
	case "defined":
		_, ok := s.get(a)
		return ok, nil
	}
	return compare(a, b, n.kind, n.fold), nil
}

func compare(a, b, kind string, fold bool) bool {
	if fold {
		a, b = strings.ToLower(a), strings.ToLower(b)
	}
	order := strings.Compare(a, b)
	x, errX := strconv.ParseInt(a, 0, 64)
	y, errY := strconv.ParseInt(b, 0, 64)
	if kind != "==" && errX == nil && errY == nil {
		order = int(min(max(x-y, -1), 1))
	}
	switch kind {
	case "neq":
		return order != 0
	case "lss":
		return order < 0
	case "leq":
		return order <= 0
	case "gtr":
		return order > 0
	case "geq":
		return order >= 0
	}
	return order == 0
}

func (s *session) each(ctx context.Context, n *forNode) uint32 {
	items := s.items(n)
	before, had := s.loop[n.variable]
	var code uint32
	for _, item := range items {
		s.loop[n.variable] = item
		code = s.run(ctx, n.body)
		if s.stopped(ctx) {
			break
		}
	}
	delete(s.loop, n.variable)
	if had {
		s.loop[n.variable] = before
	}
	return code
}

// items gives the values of a for: words, files that match a pattern, or numbers.
func (s *session) items(n *forNode) []string {
	p := &parser{in: s.expandLate(n.set)}
	var items []string
	for word := p.word(); word != ""; word = p.word() {
		if strings.ContainsAny(word, "*?") {
			folder := word[:strings.LastIndexAny(word, `\/:`)+1]
			for _, info := range s.sys.Disk.Match(disk.Clean(s.dir, word)) {
				items = append(items, folder+info.Name())
			}
			continue
		}
		items = append(items, word)
	}
	if !n.count || len(items) != 3 {
		return items
	}
	start, _ := strconv.Atoi(items[0])
	step, _ := strconv.Atoi(items[1])
	end, _ := strconv.Atoi(items[2])
	items = nil
	for i := start; step > 0 && i <= end || step < 0 && i >= end; i += step {
		items = append(items, strconv.Itoa(i))
	}
	return items
}
