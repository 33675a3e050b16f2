package run

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// text is a value as JSON, for events and plans; unknown parts and marks make it empty. Results are objects of plain
// values mostly, which cty's own encoding copies several times.
func text(v cty.Value) string {
	if v == cty.NilVal {
		return ""
	}
	b, err := appendJSON(make([]byte, 0, 256), v)
	if err != nil {
		return ""
	}
	return string(b)
}

// appendJSON appends what cty's encoding gives. Unknown values and marks are left to it: it refuses them.
func appendJSON(b []byte, v cty.Value) ([]byte, error) {
	if !v.IsMarked() && v.IsKnown() && !v.IsNull() {
		switch t := v.Type(); {
		case t == cty.Bool && v.True():
			return append(b, "true"...), nil
		case t == cty.Bool:
			return append(b, "false"...), nil
		case t == cty.String:
			return appendText(b, v.AsString())
		case t.IsObjectType():
			return appendObject(b, v)
		}
	}
	other, err := ctyjson.Marshal(v, v.Type())
	return append(b, other...), err
}

func appendObject(b []byte, v cty.Value) ([]byte, error) {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(v.Type().AttributeTypes())) {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendText(b, name); err != nil {
			return nil, err
		}
		b = append(b, ':')
		if b, err = appendJSON(b, v.GetAttr(name)); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendText(b []byte, s string) ([]byte, error) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }) {
		return append(append(append(b, '"'), s...), '"'), nil
	}
	quoted, err := json.Marshal(s)
	return append(b, quoted...), err
}
