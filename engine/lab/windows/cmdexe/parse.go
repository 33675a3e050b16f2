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

// escape takes what stands behind a caret; at the end of a line it joins the next one.
func (p *parser) escape(text *strings.Builder) {
	p.pos++
	if strings.HasPrefix(p.in[p.pos:], "\r\n") {
		p.pos++
	}
	if !p.end() && p.in[p.pos] == '\n' {
		p.pos++
	}
	if !p.end() {
		text.WriteByte(p.in[p.pos])
		p.pos++
	}
}

// redir parses a redirection that begins here. A digit belongs to it only where a delimiter stands before.
func (p *parser) redir() (redir, bool, error) {
	i := p.pos
	if p.end() {
		return redir{}, false, nil
	}
	fd := -1
	if c := p.in[i]; c >= '0' && c <= '9' && (i == 0 || strings.IndexByte(" \t,;=()&|\n", p.in[i-1]) >= 0) {
		fd = int(c - '0')
		i++
	}
	if i >= len(p.in) || p.in[i] != '<' && p.in[i] != '>' {
		return redir{}, false, nil
	}
	r := redir{fd: fd, op: string(p.in[i])}
	i++
	if r.op == ">" && strings.HasPrefix(p.in[i:], ">") {
		r.op = ">>"
		i++
	}
	if r.fd < 0 {
		r.fd = map[string]int{"<": 0}[r.op]
		if r.op != "<" {
			r.fd = 1
		}
	}
	p.pos = i
	if strings.HasPrefix(p.in[i:], "&") && i+1 < len(p.in) {
		r.op, r.to = "&", int(p.in[i+1]-'0')
		p.pos = i + 2
	} else {
		r.target = p.word()
	}
	if r.fd > 2 || r.op == "&" && (r.to < 0 || r.to > 2) || r.op != "&" && r.target == "" {
		return redir{}, false, &errSyntax{text: "The syntax of the command is incorrect."}
	}
	return r, true, nil
}

// word takes one word with carets resolved and its quotes kept.
func (p *parser) word() string {
	p.blank()
	if !p.end() && (p.in[p.pos] == ')' || p.in[p.pos] == '(') {
		p.pos++
		return p.in[p.pos-1 : p.pos]
	}
	var word strings.Builder
	quoted := false
	for !p.end() {
		c := p.in[p.pos]
		if !quoted && c == '^' {
			p.escape(&word)
			continue
		}
		if c == '\n' || !quoted && strings.IndexByte(" \t\r,;=&|<>()", c) >= 0 {
			break
		}
		if c == '"' {
			quoted = !quoted
		}
		word.WriteByte(c)
		p.pos++
	}
	return word.String()
}

// peek gives the letters (or colons) that come next.
func (p *parser) peek() string {
	rest := p.in[p.pos:]
	i := strings.IndexFunc(rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == ':')
	})
	if i < 0 {
		return rest
	}
	return rest[:i]
}

// line takes the rest of the line.
func (p *parser) line() string {
	rest, _, _ := strings.Cut(p.in[p.pos:], "\n")
	p.pos += len(rest)
	return rest
}
