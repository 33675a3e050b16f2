package cmdexe

import "strings"

// ifNode parses "if [/i] [not] CONDITION COMMANDS [else COMMANDS]". As in cmd.exe, everything up to the end of the
// line belongs to the commands, operators too.
func (p *parser) ifNode() (node, error) {
	p.pos += len("if")
	n := &ifNode{}
	word := p.word()
	for {
		switch strings.ToLower(word) {
		case "/i":
			n.fold = true
		case "not":
			n.not = true
		default:
			if err := p.condition(n, word); err != nil {
				return nil, err
			}
			return n, p.branches(n)
		}
		word = p.word()
	}
}

func (p *parser) condition(n *ifNode, word string) error {
	switch kind := strings.ToLower(word); kind {
	case "exist", "errorlevel", "defined":
		n.kind, n.a = kind, p.word()
	default:
		n.a = word
		for !p.end() && (p.in[p.pos] == ' ' || p.in[p.pos] == '\t') {
			p.pos++
		}
		if strings.HasPrefix(p.in[p.pos:], "==") {
			p.pos += 2
			n.kind = "=="
		} else {
			n.kind = strings.ToLower(p.word())
		}
		n.b = p.word()
		if !strings.Contains(" == equ neq lss leq gtr geq ", " "+n.kind+" ") {
			return unexpected(n.kind)
		}
	}
	if n.a == "" {
		return &errSyntax{text: "The syntax of the command is incorrect."}
	}
	return nil
}

func (p *parser) branches(n *ifNode) error {
	var err error
	if n.yes, err = p.list(0); err != nil {
		return err
	}
	if n.yes == nil {
		return &errSyntax{text: "The syntax of the command is incorrect."}
	}
	p.blank()
	if !strings.EqualFold(p.peek(), "else") {
		return nil
	}
	p.pos += len("else")
	n.no, err = p.list(0)
	return err
}

// forNode parses "for %x in (SET) do COMMANDS" and "for /l %x in (START,STEP,END) do COMMANDS".
func (p *parser) forNode() (node, error) {
	p.pos += len("for")
	n := &forNode{}
	word := p.word()
	if strings.EqualFold(word, "/l") {
		n.count = true
		word = p.word()
	}
	name := strings.TrimLeft(word, "%")
	if len(name) != 1 || name == word {
		return nil, unexpected(word)
	}
	n.variable = name[0]
	if in := p.word(); !strings.EqualFold(in, "in") {
		return nil, unexpected(in)
	}
	p.blank()
	set, rest, ok := strings.Cut(p.in[p.pos:], ")")
	if !ok {
		return nil, errMore
	}
	if !strings.HasPrefix(set, "(") {
		return nil, unexpected(p.word())
	}
	n.set = set[1:]
	p.pos = len(p.in) - len(rest)
	if do := p.word(); !strings.EqualFold(do, "do") {
		return nil, unexpected(do)
	}
	var err error
	n.body, err = p.list(0)
	return n, err
}
