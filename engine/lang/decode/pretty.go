package decode

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// prettyWidth is how long a list or an object may be to stand on one line.
const prettyWidth = 80

// Pretty renders a whole value as an expression of the language, on several lines where it is long. Secrets stand as
// «secret: name», what is not known as (unknown); a text of several lines is a heredoc where it is the whole value, which does not tell whether
// the last line has an end.
func Pretty(v cty.Value) string {
	if !v.IsMarked() && v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		if text := v.AsString(); strings.Contains(text, "\n") && !strings.ContainsFunc(text, odd) {
			return heredoc(text)
		}
	}
	var b strings.Builder
	pretty(&b, v, "")
	return b.String()
}

// odd tells what a heredoc would not show.
func odd(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == '\x7f' }

func heredoc(text string) string {
	mark := "EOT"
	for strings.Contains(text, mark) {
		mark += "_"
	}
	return "<<" + mark + "\n" + template(strings.TrimSuffix(text, "\n")) + "\n" + mark
}

// template escapes what would begin an interpolation.
func template(text string) string { return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text) }

func pretty(b *strings.Builder, v cty.Value, indent string) {
	plain := !v.IsMarked() && v.IsKnown() && !v.IsNull()
	switch ty := v.Type(); {
	case plain && ty == cty.String:
		b.WriteString(template(quote(v.AsString())))
	case plain && ty.IsSetType():
		b.WriteString("toset(")
		prettyItems(b, "[", "]", elements(v), indent)
		b.WriteString(")")
	case plain && (ty.IsObjectType() || ty.IsMapType()):
		prettyItems(b, "{", "}", members(v), indent)
	case plain && v.CanIterateElements():
		prettyItems(b, "[", "]", elements(v), indent)
	default:
		write(b, v, nil)
	}
}

// member is an element of a list, or what stands under a key.
type member struct {
	key   string // with its equals sign; "" in a list
	value cty.Value
}

func elements(v cty.Value) []member {
	var out []member
	for _, e := range v.Elements() {
		out = append(out, member{value: e})
	}
	return out
}

func members(v cty.Value) []member {
	values := v.AsValueMap()
	var out []member
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name := key
		if !hclsyntax.ValidIdentifier(key) {
			name = template(quote(key))
		}
		out = append(out, member{name + " = ", values[key]})
	}
	return out
}

func prettyItems(b *strings.Builder, open, end string, items []member, indent string) {
	if line := inLine(open, end, items); len(indent)+len(line) <= prettyWidth {
		b.WriteString(line)
		return
	}
	b.WriteString(open + "\n")
	for _, m := range items {
		b.WriteString(indent + "  " + m.key)
		pretty(b, m.value, indent+"  ")
		if open == "[" {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString(indent + end)
}

// inLine renders items on one line. It need not be right when it is longer than what fits.
func inLine(open, end string, items []member) string {
	var b strings.Builder
	b.WriteString(open)
	for i, m := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > prettyWidth {
			return b.String()
		}
		b.WriteString(m.key)
		pretty(&b, m.value, "")
	}
	return b.String() + end
}
