// Package decode knows how HCL bodies become Go structs, which functions expressions may call, and how
// HCL's diagnostics become problems that a person can read. It knows no block of the language.
package decode

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
)

// Body is what a body said beside the values that went into the target.
type Body struct {
	// Unknown are the arguments whose values are not wholly known; they are at their defaults in the target.
	// Arguments of nested blocks are named "block.argument", or "block[1].argument" where a block may be repeated.
	Unknown []string
	// Shown is every written argument, labels of nested blocks included, as it may be shown: secrets by name; sorted by name.
	Shown []engine.Arg
}

// Eval gives the value of an expression.
type Eval = func(hcl.Expression) (cty.Value, hcl.Diagnostics)

// Struct decodes body into target, a pointer to a struct with hcl tags (attributes, "optional", "block", "label",
// "def_range", and "remain" of type hcl.Body). Expressions are evaluated by eval, or in ctx when eval is nil.
//
// What is not written, is null for an optional argument, or is unknown stays as target has it. A secret goes only
// into fields of type engine.Secret, which take plain strings too. All mistakes are found together; target is
// usable as far as it went.
func Struct(body hcl.Body, ctx *hcl.EvalContext, target any, eval Eval) (Body, hcl.Diagnostics) {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("decode: the target must be a pointer to a struct, not %T", target))
	}
	if eval == nil {
		eval = func(e hcl.Expression) (cty.Value, hcl.Diagnostics) { return e.Value(ctx) }
	}
	d := decoder{eval: eval}
	return d.decode(body, v.Elem())
}

// Again is Struct for a body with which it found nothing wrong: what is written in it is not compared any more with what
// target takes, only the values may be others.
func Again(body *hclsyntax.Body, target any, eval Eval) (Body, hcl.Diagnostics) {
	d := decoder{eval: eval, again: true}
	return d.decode(body, reflect.ValueOf(target).Elem())
}

func (d *decoder) decode(body hcl.Body, target reflect.Value) (Body, hcl.Diagnostics) {
	d.body(body, target, "")
	slices.Sort(d.out.Unknown)
	slices.SortFunc(d.out.Shown, func(a, b engine.Arg) int { return strings.Compare(a.Name, b.Name) })
	return d.out, d.diags
}

// gohcl's own decoding is not used: it panics on marked values, refuses unknown ones and nulls, and knows
// no Secret. Its reading of tags is, so that schemas, "required" and "unsupported" mean what they mean everywhere.
type decoder struct {
	eval  Eval
	again bool
	out   Body
	diags hcl.Diagnostics
}

func (d *decoder) body(body hcl.Body, target reflect.Value, prefix string) {
	content, rest := d.content(body, target)
	if content == nil {
		return
	}
	blocks := content.Blocks.ByType()
	for i := range target.NumField() {
		f := target.Type().Field(i)
		name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		switch {
		case f.Tag.Get("hcl") == "" || kind == "label" || kind == "def_range":
		case kind == "remain":
			target.Field(i).Set(reflect.ValueOf(rest))
		case kind == "block":
			d.blocks(blocks[name], body.MissingItemRange(), target.Field(i), prefix+name)
		case kind == "" || kind == "attr" || kind == "optional":
			if attr := content.Attributes[name]; attr != nil {
				optional := kind == "optional" || f.Type.Kind() == reflect.Pointer
				d.attribute(attr, target.Field(i), prefix+name, optional, f.Tag)
			}
		default:
			panic(fmt.Sprintf("decode: %s.%s: tag %q is not supported", target.Type(), f.Name, f.Tag.Get("hcl")))
		}
	}
}

// content is what is written in a body, and what target leaves of it for others.
func (d *decoder) content(body hcl.Body, target reflect.Value) (content *hcl.BodyContent, rest hcl.Body) {
	if written, ok := body.(*hclsyntax.Body); ok && d.again {
		return contentOf(written), body
	}
	schema, partial := gohcl.ImpliedBodySchema(target.Interface())
	var diags hcl.Diagnostics
	if partial {
		content, rest, diags = body.PartialContent(schema)
	} else {
		content, diags = body.Content(schema)
	}
	d.diags = append(d.diags, diags...)
	return content, rest
}

func contentOf(body *hclsyntax.Body) *hcl.BodyContent {
	content := &hcl.BodyContent{Attributes: make(hcl.Attributes, len(body.Attributes)), MissingItemRange: body.MissingItemRange()}
	for name, a := range body.Attributes {
		content.Attributes[name] = a.AsHCLAttribute()
	}
	for _, b := range body.Blocks {
		content.Blocks = append(content.Blocks, b.AsHCLBlock())
	}
	return content
}

func (d *decoder) attribute(attr *hcl.Attribute, field reflect.Value, name string, optional bool, tag reflect.StructTag) {
	value, diags := d.eval(attr.Expr)
	d.diags = append(d.diags, diags...)
	if diags.HasErrors() {
		return
	}
	plain, _ := value.Unmark()
	switch {
	case plain.IsNull() && optional:
		return
	case plain.IsNull():
		d.fail(attr, "Missing required argument", fmt.Sprintf("The argument %q is required, but its value is null.", attr.Name))
		return
	}
	shown := show(value, field.Type())
	if tag.Get("plain") == "shown" { // most often it is no secret, and who approves it has to see it
		shown = Show(value)
	}
	d.out.Shown = append(d.out.Shown, engine.Arg{Name: name, Value: shown})
	if !value.IsWhollyKnown() {
		d.out.Unknown = append(d.out.Unknown, name)
		d.unknown(attr, value, field.Type())
		return
	}
	fresh := reflect.New(field.Type()).Elem() // so that a value that fits only in part leaves no trace
	if err := set(fresh, value, strings.Fields(tag.Get("oneof"))); err != nil {
		d.fail(attr, err.summary, err.detail(attr.Name))
		return
	}
	field.Set(fresh)
}

// unknown refuses what no value could mend: a type that does not fit, a secret where none may stand.
func (d *decoder) unknown(attr *hcl.Attribute, value cty.Value, field reflect.Type) {
	if value.ContainsMarked() && !holdsSecret(field) {
		d.fail(attr, secretHere.summary, secretHere.detail(attr.Name))
		return
	}
	if err := fits(value, field); err != nil {
		d.fail(attr, err.summary, err.detail(attr.Name))
	}
}

func (d *decoder) blocks(blocks hcl.Blocks, missing hcl.Range, field reflect.Value, name string) {
	elem, many := field.Type(), field.Kind() == reflect.Slice
	if many {
		elem = elem.Elem()
	}
	switch {
	case len(blocks) == 0 && !many && elem.Kind() != reflect.Pointer:
		d.diags = append(d.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Missing block",
			Detail: fmt.Sprintf("A %q block is required.", name), Subject: &missing})
		return
	case len(blocks) > 1 && !many:
		d.diags = append(d.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Block given twice",
			Detail:  fmt.Sprintf("Only one %q block is allowed; the first is at line %d.", blocks[0].Type, blocks[0].DefRange.Start.Line),
			Subject: &blocks[1].DefRange})
		return
	case len(blocks) == 0:
		return
	case !many:
		d.block(blocks[0], field, name)
		return
	}
	list := reflect.MakeSlice(field.Type(), len(blocks), len(blocks))
	for i, b := range blocks {
		d.block(b, list.Index(i), fmt.Sprintf("%s[%d]", name, i))
	}
	field.Set(list)
}

func (d *decoder) block(b *hcl.Block, field reflect.Value, name string) {
	if field.Kind() == reflect.Pointer {
		if field.IsNil() {
			field.Set(reflect.New(field.Type().Elem()))
		}
		field = field.Elem()
	}
	labels := b.Labels
	for i := range field.NumField() {
		label, kind, _ := strings.Cut(field.Type().Field(i).Tag.Get("hcl"), ",")
		switch {
		case kind == "label" && len(labels) > 0:
			field.Field(i).SetString(labels[0])
			d.out.Shown = append(d.out.Shown, engine.Arg{Name: name + "." + label, Value: quote(labels[0])})
			labels = labels[1:]
		case kind == "def_range":
			field.Field(i).Set(reflect.ValueOf(b.DefRange))
		}
	}
	d.body(b.Body, field, name+".")
}

func (d *decoder) fail(attr *hcl.Attribute, summary, detail string) {
	d.diags = append(d.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: attr.Expr.Range().Ptr(), Context: &attr.Range})
}
