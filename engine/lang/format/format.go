// Package format knows how HCL is laid out: it changes spaces and nothing else.
package format

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Source gives src in canonical form: the one that terraform fmt and every other tool on HCL's own formatter gives.
// Comments, line breaks and texts stay as they are, so the meaning does, too. A text with a syntax error is not
// touched: its problems name name and the place, and the result is nil.
func Source(name string, src []byte) ([]byte, engine.Problems) {
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, decode.Problems(diags, map[string]*hcl.File{name: file})
	}
	return hclwrite.Format(src), nil
}
