// Package format knows how HCL is laid out: it changes spaces and nothing else.
package format

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Source gives src in canonical form: the one that terraform fmt and every other tool on HCL's own formatter gives.
// Comments, line breaks and texts stay as they are, so the meaning does, too: a text of which the formatter would make
// another one is given back as it is. A text with a syntax error is not
// touched: its problems name name and the place, and the result is nil.
func Source(name string, src []byte) ([]byte, engine.Problems) {
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, decode.Problems(diags, map[string]*hcl.File{name: file})
	}
	out := hclwrite.Format(src)
	if !sameTokens(name, src, out) {
		return src, nil
	}
	return out, nil
}

// sameTokens tells whether two texts differ in spaces only. HCL's formatter joins some things that have to stay apart:
// of "0 .0", which reads an element of a number, it makes the number 0.0.
func sameTokens(name string, a, b []byte) bool {
	before, _ := hclsyntax.LexConfig(a, name, hcl.InitialPos)
	after, _ := hclsyntax.LexConfig(b, name, hcl.InitialPos)
	return slices.EqualFunc(before, after, func(a, b hclsyntax.Token) bool { return a.Type == b.Type && bytes.Equal(a.Bytes, b.Bytes) })
}
