package decode_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func TestNoCallFillsTheMemory(t *testing.T) {
	ctx := evalContext()
	for text, want := range map[string]string{
		`indent(999999999, "a\nb")`:                         "at most 1000 spaces",
		`indent(1e300, "a")`:                                "at most 1000 spaces",
		`setproduct(range(1000), range(1000))`:              "more than 100000 combinations",
		`setproduct(range(1000), range(1000), range(0))`:    "more than 100000 combinations",
		`length(setproduct(range(300), range(300))) == 9e4`: "",
		`indent(1000, "a") == "a"`:                          "",
		`length(setproduct(range(1000), range(0))) == 0`:    "",
	} {
		e, diags := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		v, diags := e.Value(ctx)
		switch {
		case want == "" && (diags.HasErrors() || v.False()):
			t.Errorf("%s: %v", text, diags)
		case want != "" && !strings.Contains(diags.Error(), want):
			t.Errorf("%s: %v, want %q", text, diags, want)
		}
	}
}
