package infer

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

// movers hand elements on as they are; every other function may look at all attributes of an object.
var movers = []string{
	"length", "concat", "flatten", "slice", "element", "reverse", "distinct", "contains", "count", "index", "one", "coalesce", "coalescelist",
	"tolist", "toset", "tomap", "values", "keys", "lookup", "merge", "zipmap", "chunklist", "try", "can", "setunion", "setintersection", "setsubtract", "matchkeys",
}

// wholesale are the movers that look at all attributes of an argument that is itself an object.
var wholesale = []string{"length", "values", "keys", "lookup", "tomap"}

func (w *walker) call(e *hclsyntax.FunctionCallExpr) Type {
	f, ok := w.scope.Functions()[e.Name]
	lazy := e.Name == "try" || e.Name == "can"
	if lazy {
		w.guarded++
		w.lazy++
	}
	inner := w.lazy
	args := make([]Type, len(e.Args))
	before := len(w.diags)
	for i, a := range e.Args {
		if e.Name == "try" && i > 0 && i == len(e.Args)-1 {
			w.lazy-- // nothing catches what is wrong in the last one
		}
		args[i] = w.expr(a)
		if !slices.Contains(movers, e.Name) || args[i].IsObjectType() && slices.Contains(wholesale, e.Name) {
			w.scope.Observe(args[i].Type)
		}
	}
	if lazy {
		w.guarded--
		w.lazy = inner - 1
	}
	if !ok {
		if why := decode.NotHere(e.Name); why != "" {
			return w.insist(e.NameRange, "Unknown function", "Terraform's %s() is left out. %s", e.Name, why)
		}
		return w.insist(e.NameRange, "Unknown function", "There is no function %q.%s", e.Name, Suggest(e.Name, slices.Sorted(maps.Keys(w.scope.Functions()))))
	}
	if len(w.diags) == before { // else it would only say again what is wrong
		if t, done := w.evaluated(e); done {
			return t
		}
	}
	switch e.Name {
	case "can":
		return Of(cty.Bool)
	case "try":
		return join(args)
	case "secret":
		w.result(e, f, args)
		w.secretSource(e)
		return Secret(cty.String)
	}
	return Type{w.result(e, f, args), kept(f, args)}
}

// evaluated calls the function already now when all its arguments are known.
func (w *walker) evaluated(e *hclsyntax.FunctionCallExpr) (Type, bool) {
	v, diags, ok := w.scope.Constant(e)
	switch {
	case !ok:
		return Dynamic, false
	case diags.HasErrors() && (w.lazy > 0 || w.guarded > 0 && !literal(e)):
		return Dynamic, false
	case diags.HasErrors():
		for _, d := range diags {
			w.add(d)
		}
		return Dynamic, true
	case infinite(v):
		return w.fail(e.Range(), "Not a finite number", "%s() has no finite result for these arguments.", e.Name), true
	}
	return Of(v.Type()), v.IsWhollyKnown() && !v.ContainsMarked()
}

// literal tells whether a call fails whatever stands around it: it names nothing, and reads no file, which may be there
// only where the call is reached.
func literal(e *hclsyntax.FunctionCallExpr) bool {
	if len(e.Variables()) > 0 {
		return false
	}
	reads := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if c, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			reads = reads || strings.HasPrefix(c.Name, "file") || c.Name == "template"
		}
		return nil
	})
	return !reads
}

func infinite(v cty.Value) bool {
	v, _ = v.Unmark()
	return v.Type() == cty.Number && v.IsKnown() && !v.IsNull() && v.AsBigFloat().IsInf()
}

// secretSource checks where a secret comes from, which is not read before it is needed.
func (w *walker) secretSource(e *hclsyntax.FunctionCallExpr) {
	if len(e.Args) != 1 {
		return
	}
	v, ok := w.constant(e.Args[0])
	if !ok || v.Type() != cty.String || v.IsNull() {
		return
	}
	if err := decode.SecretSource(v.AsString()); err != nil {
		w.fail(e.Args[0].Range(), "Wrong argument", "%s.", upper(err.Error()))
	}
}

// kept is the secrecy of a result: cty marks it with every mark of an argument, unless the function treats marks itself.
func kept(f function.Function, args []Type) *secrecy {
	var out *secrecy
	for i, t := range args {
		p, ok := param(f, i)
		if ok && p.AllowMarked && !t.IsSecret() {
			continue
		}
		out = out.and(flat(t))
	}
	return out
}

func param(f function.Function, i int) (function.Parameter, bool) {
	if params := f.Params(); i < len(params) {
		return params[i], true
	}
	if v := f.VarParam(); v != nil {
		return *v, true
	}
	return function.Parameter{}, false
}

// result checks the arguments and gives the type of the result.
func (w *walker) result(e *hclsyntax.FunctionCallExpr, f function.Function, args []Type) cty.Type {
	if e.ExpandFinal {
		return w.expanded(e, f, args)
	}
	if n := len(f.Params()); len(args) < n {
		return w.fail(e.CloseParenRange, "Argument missing", "%s() needs %d arguments; %q is missing.", e.Name, n, f.Params()[len(args)].Name).Type
	} else if f.VarParam() == nil && len(args) > n {
		return w.fail(e.Args[n].Range(), "Too many arguments", "%s() takes %d arguments.", e.Name, n).Type
	}
	known, unknown := make([]cty.Value, len(args)), make([]cty.Value, len(args))
	for i, t := range args {
		p, _ := param(f, i)
		if customdecode.CustomExpressionDecoderForType(p.Type) != nil {
			return cty.DynamicPseudoType
		}
		v, err := convert.Convert(cty.UnknownVal(t.Type), p.Type)
		if err != nil {
			return w.badArgument(e, p, i, err)
		}
		known[i], unknown[i] = v, v
		if c, ok := w.constant(e.Args[i]); ok {
			if c, err := convert.Convert(c, p.Type); err == nil {
				known[i] = c
			} else if w.guarded == 0 {
				return w.badArgument(e, p, i, err)
			}
		}
	}
	ty, err := f.ReturnTypeForValues(known)
	if err != nil && w.guarded > 0 {
		if ty, err = f.ReturnTypeForValues(unknown); err != nil && !knownKinds(args) {
			return cty.DynamicPseudoType
		}
	}
	if err != nil && mayFit(args, err) {
		return cty.DynamicPseudoType
	}
	if err != nil {
		return w.refused(e, f, err)
	}
	return better(e.Name, args, ty)
}

// mayFit tells whether a refusal blames what is not known yet: an argument with a part of any type.
func mayFit(args []Type, err error) bool {
	var arg function.ArgError
	if errors.As(err, &arg) && arg.Index < len(args) {
		return args[arg.Index].HasDynamicTypes() && !args[arg.Index].isDynamic()
	}
	return !knownKinds(args)
}

// knownKinds tells whether no argument is dynamic, so that a refusal has nothing to do with values.
func knownKinds(args []Type) bool {
	return !slices.ContainsFunc(args, func(t Type) bool { return t.HasDynamicTypes() })
}

func (w *walker) badArgument(e *hclsyntax.FunctionCallExpr, p function.Parameter, i int, err error) cty.Type {
	return w.fail(e.Args[i].Range(), "Wrong argument", "Argument %q of %s() does not fit: %s.", p.Name, e.Name, decode.Complaint(err.Error())).Type
}

func (w *walker) refused(e *hclsyntax.FunctionCallExpr, f function.Function, err error) cty.Type {
	var arg function.ArgError
	if errors.As(err, &arg) && arg.Index < len(e.Args) {
		if p, ok := param(f, arg.Index); ok {
			return w.badArgument(e, p, arg.Index, err)
		}
	}
	return w.fail(e.Range(), "Wrong arguments", "%s() fails: %s.", e.Name, decode.Complaint(err.Error())).Type
}

// expanded is a call whose last argument is a list that stands for any number of arguments.
func (w *walker) expanded(e *hclsyntax.FunctionCallExpr, f function.Function, args []Type) cty.Type {
	last := args[len(args)-1]
	if !last.isDynamic() && !last.isSequence() {
		return w.fail(e.Args[len(args)-1].Range(), "Wrong argument", "What is expanded with ... must be a list, and this is %s.", friendly(last.Type)).Type
	}
	values := make([]cty.Value, 0, len(args))
	for _, t := range args[:len(args)-1] {
		values = append(values, cty.UnknownVal(t.Type))
	}
	kinds, _ := w.elements(last)
	for range max(1, len(f.Params())-len(values)) {
		values = append(values, cty.UnknownVal(kinds[0].value.Type))
	}
	for i := range values {
		if p, ok := param(f, i); ok {
			if v, err := convert.Convert(values[i], p.Type); err == nil {
				values[i] = v
			}
		}
	}
	ty, err := f.ReturnTypeForValues(values)
	if err != nil || len(kinds) > 1 {
		return cty.DynamicPseudoType
	}
	return ty
}
