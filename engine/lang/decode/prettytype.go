package decode

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
)

// PrettyType renders a type as it is written in a variable, objects with an attribute a line.
func PrettyType(t cty.Type) string { return prettyType(t, "") }

func prettyType(t cty.Type, indent string) string {
	switch {
	case t.IsObjectType() && len(t.AttributeTypes()) > 0:
		var b strings.Builder
		b.WriteString("object({\n")
		for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes())) {
			b.WriteString(indent + "  " + name + " = " + prettyType(t.AttributeType(name), indent+"  ") + "\n")
		}
		return b.String() + indent + "})"
	case t.IsListType():
		return "list(" + prettyType(t.ElementType(), indent) + ")"
	case t.IsSetType():
		return "set(" + prettyType(t.ElementType(), indent) + ")"
	case t.IsMapType():
		return "map(" + prettyType(t.ElementType(), indent) + ")"
	}
	return typeexpr.TypeString(t)
}
