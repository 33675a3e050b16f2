package cmdexe

import (
	"strings"
)

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
