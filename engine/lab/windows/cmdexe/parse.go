package cmdexe

import (
	"errors"
	"fmt"
	"strings"
)

// A command line is parsed as cmd.exe does it: percent signs were expanded before; carets and quotes are seen here;
// & binds weaker than ||, that weaker than &&, that weaker than |.

type node interface{}

type (
	list struct { // left op right; op is "&", "||", "&&" or "|"
		op          string
		left, right node
	}
	group struct {
		body   node
		redirs []redir
	}
	simple struct {
		text   string // carets resolved, quotes kept, redirections taken out
		redirs []redir
		quiet  bool // @
	}
	ifNode struct {
		not, fold bool
		kind      string // exist, errorlevel, defined, or a comparison: == equ neq lss leq gtr geq
		a, b      string
		yes, no   node
	}
	forNode struct {
		variable byte
		count    bool // /l
		set      string
		body     node
	}
	redir struct {
		fd     int    // 0, 1 or 2
		op     string // "<", ">", ">>" or "&" (a copy of handle to)
		target string
		to     int
	}
)

type parser struct {
	in    string
	pos   int
	depth int
}

// errSyntax is what cmd.exe prints when it cannot understand a line.
type errSyntax struct {
	text string
	args []any
}

func (e *errSyntax) Error() string { return fmt.Sprintf(e.text, e.args...) }

// errMore says that a parenthesis is still open.
var errMore = errors.New("The syntax of the command is incorrect.")

func unexpected(token string) error {
	return &errSyntax{"%s was unexpected at this time.", []any{token}}
}

// parse gives nil for an empty line.
func parse(line string) (node, error) {
	p := &parser{in: line}
	n, err := p.list(0)
	if err != nil {
		return nil, err
	}
	p.blank()
	if p.pos < len(p.in) {
		return nil, unexpected(p.word())
	}
	return n, nil
}

var operators = []string{"&", "||", "&&", "|"} // from weak to strong

// list parses operators of this strength and above.
func (p *parser) list(strength int) (node, error) {
	if strength == len(operators) {
		return p.command()
	}
	left, err := p.list(strength + 1)
	if err != nil {
		return nil, err
	}
	for {
		op := p.operator()
		if op == "\n" && strength == 0 && p.depth > 0 {
			op = "&"
			p.skipLines()
		} else if op != operators[strength] {
			return left, nil
		} else {
			p.pos += len(op)
		}
		p.blank()
		if op == "&" && (p.end() || p.in[p.pos] == ')') {
			return left, nil
		}
		right, err := p.list(strength + 1)
		if err != nil {
			return nil, err
		}
		if right == nil {
			return nil, unexpected(p.word())
		}
		left = &list{op, left, right}
	}
}

// operator looks at the operator that comes next: "&", "&&", "|", "||", a line end, or "".
func (p *parser) operator() string {
	p.blank()
	rest := p.in[p.pos:]
	for _, op := range []string{"&&", "||", "&", "|", "\n"} {
		if strings.HasPrefix(rest, op) {
			return op
		}
	}
	return ""
}

func (p *parser) end() bool { return p.pos >= len(p.in) }

func (p *parser) blank() {
	for !p.end() && strings.IndexByte(" \t\r,;=", p.in[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) skipLines() {
	for !p.end() && strings.IndexByte(" \t\r\n", p.in[p.pos]) >= 0 {
		p.pos++
	}
}

// command parses one command, or a group in parentheses. It is nil where none begins.
func (p *parser) command() (node, error) {
	p.blank()
	if p.depth > 0 {
		p.skipLines()
	}
	quiet := false
	for !p.end() && p.in[p.pos] == '@' {
		quiet = true
		p.pos++
		p.blank()
	}
	if p.end() || p.in[p.pos] == ')' && p.depth > 0 {
		return nil, nil
	}
	if op := p.operator(); op != "" && op != "\n" {
		return nil, unexpected(op)
	}
	if p.in[p.pos] == '(' {
		return p.group()
	}
	switch word := strings.ToLower(p.peek()); {
	case word == "if":
		return p.ifNode()
	case word == "for":
		return p.forNode()
	case word == "rem" || strings.HasPrefix(word, "::"):
		p.line()
		return &simple{text: "rem", quiet: quiet}, nil
	}
	return p.simple(quiet)
}

func (p *parser) group() (node, error) {
	p.pos++
	p.depth++
	p.skipLines()
	body, err := p.list(0)
	if err != nil {
		return nil, err
	}
	p.skipLines()
	if p.end() {
		return nil, errMore
	}
	if p.in[p.pos] != ')' {
		return nil, unexpected(p.word())
	}
	p.pos++
	p.depth--
	g := &group{body: body}
	for {
		p.blank()
		r, ok, err := p.redir()
		if err != nil {
			return nil, err
		}
		if !ok {
			return g, nil
		}
		g.redirs = append(g.redirs, r)
	}
}

// simple takes everything up to an operator that is not quoted.
func (p *parser) simple(quiet bool) (node, error) {
	s := &simple{quiet: quiet}
	var text strings.Builder
	quoted := false
	for !p.end() {
		c := p.in[p.pos]
		if !quoted {
			if c == '^' {
				p.escape(&text)
				continue
			}
			if strings.IndexByte("&|\n", c) >= 0 || c == ')' && p.depth > 0 {
				break
			}
			r, ok, err := p.redir()
			if err != nil {
				return nil, err
			}
			if ok {
				s.redirs = append(s.redirs, r)
				continue
			}
		}
		if c == '\n' {
			break
		}
		if c == '"' {
			quoted = !quoted
		}
		text.WriteByte(c)
		p.pos++
	}
	s.text = strings.TrimLeft(text.String(), " \t")
	return s, nil
}
