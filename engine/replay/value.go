package replay

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/dsplay/dsplay/engine"
)

func null(e *engine.Entry) cty.Value { return cty.NullVal(engine.TypeOf(e.Module.Result)) }

func unknown(e *engine.Entry) cty.Value { return cty.UnknownVal(engine.TypeOf(e.Module.Result)) }

// resultOf is the result that an event tells of.
func resultOf(e *engine.Entry, end engine.Event) engine.Result {
	r := engine.Result{Status: engine.Status(end.Status), Err: asError(end.Error), Value: null(e)}
	if end.Values != "" || r.Status != engine.StatusFailed { // a failure may leave nothing
		r.Value = valueOf(end.Values, engine.TypeOf(e.Module.Result))
	}
	return r
}

// valueOf reads the value of a result. An attribute that is not in it is unknown: a secret was in the result, or another
// version of dsplay has written it.
func valueOf(text string, ty cty.Type) cty.Value {
	given := map[string]cty.Value{}
	if v, err := parse(text); err == nil {
		if v.IsNull() {
			return cty.NullVal(ty)
		}
		if v.Type().IsObjectType() {
			given = v.AsValueMap()
		}
	}
	attrs := map[string]cty.Value{}
	for name, t := range ty.AttributeTypes() {
		attrs[name] = cty.UnknownVal(t)
		if v, ok := given[name]; ok {
			if c, err := convert.Convert(v, t); err == nil {
				attrs[name] = c
			}
		}
	}
	return cty.ObjectVal(attrs)
}

func parse(text string) (cty.Value, error) {
	ty, err := ctyjson.ImpliedType([]byte(text))
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal([]byte(text), ty)
}
