package decode

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFunc renders a file in HCL's template language. Its names are the keys of the second argument.
// The result is a string even where the file is one interpolation.
func templateFunc(opts FunctionOptions, funcs map[string]function.Function) function.Function {
	return renderer("Renders a template file with the values of an object or map.", "path", funcs, func(path string) (string, string, error) {
		data, err := opts.read(path)
		if err != nil {
			return "", "", err
		}
		src, err := text(data, path)
		return src, path, err
	})
}

// templateStringFunc does the same with a text.
func templateStringFunc(funcs map[string]function.Function) function.Function {
	return renderer("Renders a text as a template, with the values of an object or map.", "template", funcs, func(src string) (string, string, error) {
		return src, "template", nil
	})
}

// renderer makes a function that renders what source gives for its first argument: a template and its name.
func renderer(description, param string, funcs map[string]function.Function, source func(string) (src, name string, err error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: param, Type: cty.String}, {Name: "values", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if ty := args[1].Type(); !ty.IsObjectType() && !ty.IsMapType() {
				return cty.NilType, function.NewArgErrorf(1, "an object or map is required")
			}
			return cty.String, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			src, name, err := source(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			v, err := render(src, name, args[1].AsValueMap(), funcs)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return v, nil
		},
	})
}

func render(src, name string, values map[string]cty.Value, funcs map[string]function.Function) (cty.Value, error) {
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	if at := vastLiteral(expr); at != nil {
		return cty.NilVal, fmt.Errorf("%s: a number of this size means nothing here, and written out it would fill the memory", Range(*at))
	}
	names := map[string]cty.Value{} // never nil: HCL would say that names are not allowed at all
	maps.Copy(names, values)
	v, diags := expr.Value(&hcl.EvalContext{Variables: names, Functions: funcs})
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	v, err := convert.Convert(v, cty.String)
	if err == nil && v.IsNull() {
		err = errors.New("the template gives null, which is no text")
	}
	return v, err
}

// vastLiteral is where a number stands that is beyond 10^600 or below 10^-600; nil: nowhere. In a playbook the type walker
// finds it.
func vastLiteral(e hclsyntax.Expression) (at *hcl.Range) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		l, ok := n.(*hclsyntax.LiteralValueExpr)
		if ok && at == nil && l.Val.Type() == cty.Number && l.Val.IsKnown() && !l.Val.IsNull() && Vast(l.Val.AsBigFloat()) {
			at = l.Range().Ptr()
		}
		return nil
	})
	return at
}

// Vast tells whether a number is beyond 10^600 or below 10^-600. The parser keeps any number exactly: 1e400000000 is
// short as long as nobody makes a text of it.
func Vast(n *big.Float) bool {
	const bits = 2000
	exponent := n.MantExp(nil)
	return n.IsInf() || exponent > bits || exponent < -bits
}

// templateError places the first mistake in the template; the call's own place is said around it.
func templateError(diags hcl.Diagnostics) error {
	i := slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError })
	p := Problems(diags[i:i+1], nil)[0]
	// The values come without their marks, so nobody knows here whether a function quotes a secret.
	if _, call := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](diags[i]); call || diags[i].Summary == "Duplicate object key" {
		p.Detail = "what is wrong is not shown, because a secret may be in it."
	}
	return fmt.Errorf("%s: %s; %s", p.Range, p.Summary, strings.TrimSuffix(p.Detail, "."))
}
