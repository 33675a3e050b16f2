package lang

import (
	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// LocalTypes gives for every local that a pass has evaluated the type that the loader inferred, and the one that it has.
func LocalTypes(p engine.Pass) map[string][2]cty.Type {
	s := p.(*pass)
	out := map[string][2]cty.Type{}
	for _, block := range s.Program.locals {
		for _, l := range block {
			if v, ok := s.locals[l.name]; ok {
				out[l.name] = [2]cty.Type{l.typ, v.Type()}
			}
		}
	}
	return out
}

// PlayTypes is LocalTypes for the hosts and the missing of plays.
func PlayTypes(p engine.Pass) map[string][2]cty.Type {
	s := p.(*pass)
	out := map[string][2]cty.Type{}
	for x, v := range s.played {
		out[x.Name+".hosts"] = [2]cty.Type{cty.List(x.hostType), v.hosts.Type()}
		out[x.Name+".missing"] = [2]cty.Type{cty.List(x.missingType), v.missing.Type()}
	}
	return out
}

// Words are the arguments and blocks that the language itself has.
func Words() []string {
	words := append(append(append([]string{}, playAttrs...), metaAttrs...), metaBlocks...)
	return append(append(words, entryBlocks...), roots...)
}
