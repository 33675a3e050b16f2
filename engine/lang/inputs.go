package lang

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Variable is an input of a playbook, as a person wants to see it.
type Variable struct {
	Name        string
	Type        string // as it is written: "list(string)"; "any" where nothing is said
	Value       string // in the language; secrets by name; "" when Missing
	Origin      string // "its default", or the origin of the Var
	Missing     bool   // it has no default, and nobody gave a value
	Description string
	Range       engine.Range
}

// Variables gives the variables that a playbook declares, in the order of the file, with the values that they get.
// Only the variable blocks are looked at, so that it answers for a playbook that lacks values, too: the problems are
// those of the variables and of the syntax.
func Variables(path string, opts Options) ([]Variable, engine.Problems) {
	l := newLoader(path, opts)
	body := l.parse()
	if body == nil {
		return nil, l.problems()
	}
	l.shape = shapeOf([]*hclsyntax.Body{body}, opts.Inventory)
	l.loadVariables(body)
	declared := slices.SortedFunc(maps.Values(l.variables), func(a, b *variable) int {
		return cmp.Compare(a.block.DefRange().Start.Byte, b.block.DefRange().Start.Byte)
	})
	out := make([]Variable, len(declared))
	for i, v := range declared {
		out[i] = l.shown(v)
	}
	return out, l.problems()
}

func (l *loader) shown(v *variable) Variable {
	out := Variable{Name: v.name, Type: "any", Origin: v.origin, Range: decode.Range(v.block.DefRange())}
	if a := v.block.Body.Attributes["type"]; a != nil {
		out.Type = l.source(a.Expr.Range())
	}
	_, given := l.opts.Vars[v.name]
	out.Missing = !given && v.block.Body.Attributes["default"] == nil
	if !out.Missing {
		out.Value = decode.Show(v.value)
	}
	if a := v.block.Body.Attributes["description"]; a != nil {
		if text, diags := a.Expr.Value(nil); !diags.HasErrors() && text.Type() == cty.String && text.IsKnown() && !text.IsNull() {
			out.Description = text.AsString()
		}
	}
	return out
}

// VarFile reads values for variables: in a file that ends in .json an object, in any other one NAME = VALUE, a line
// each. Values in HCL may call functions, such as secret, but name nothing; texts in JSON are taken as they are. Paths
// are relative to the file. Of the options, those of secrets count.
func VarFile(path string, opts Options) (map[string]Var, engine.Problems) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, engine.Problems{{Summary: "Var file not readable", Detail: err.Error() + ".", Range: engine.Range{File: path}}}
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	var ctx *hcl.EvalContext // nil: JSON's texts are no templates
	if filepath.Ext(path) == ".json" {
		file, diags = json.Parse(src, path)
	} else {
		file, diags = hclsyntax.ParseConfig(src, path, hcl.InitialPos)
		ctx = &hcl.EvalContext{Functions: decode.Functions(decode.FunctionOptions{Dir: filepath.Dir(path), Secrets: opts.Secrets, Unread: opts.Unread})}
	}
	files := map[string]*hcl.File{path: file}
	if diags.HasErrors() {
		return nil, decode.Problems(diags, files)
	}
	vars, diags := values(file.Body, ctx)
	return vars, decode.Problems(diags, files)
}

func values(body hcl.Body, ctx *hcl.EvalContext) (map[string]Var, hcl.Diagnostics) {
	attrs, diags := body.JustAttributes()
	vars := map[string]Var{}
	for name, a := range attrs {
		if ctx != nil && len(a.Expr.Variables()) > 0 {
			diags = diags.Append(problem(a.Expr.Range(), "Nothing can be named here", "A var file gives values: %q cannot refer to anything. A text stands in quotes.", name))
			continue
		}
		v, more := a.Expr.Value(ctx)
		diags = append(diags, more...)
		vars[name] = Var{Typed: v, Origin: fmt.Sprintf("var file %s:%d", a.Range.Filename, a.Range.Start.Line)}
	}
	return vars, diags
}
