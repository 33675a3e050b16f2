package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// stepStatuses are how a mocked step may end.
var stepStatuses = []string{string(engine.StatusChanged), string(engine.StatusUnchanged), string(engine.StatusRan)}

// misfit says why a value cannot be what a mock's argument takes; unknown parts fit.
func misfit(name string, v cty.Value, m *Mock) error {
	var err error
	switch name {
	case "result":
		_, err = m.promise.keep(v)
	case "status":
		_, err = statusOf(v)
	case "error":
		_, err = errorOf(v, "")
	case "after":
		_, err = durationOf(v)
	}
	return err
}

// promise is what the results of a module have.
type promise struct {
	module string
	fields []engine.Field
	names  []string
	typ    cty.Type // with what may be null as optional
}

func promiseOf(m *engine.Module) promise {
	p := promise{module: m.Name, fields: engine.Fields(m.Result)}
	var optional []string
	types := map[string]cty.Type{}
	for _, f := range p.fields {
		p.names, types[f.Name] = append(p.names, f.Name), f.Type
		if f.Optional {
			optional = append(optional, f.Name)
		}
	}
	p.typ = cty.ObjectWithOptionalAttrs(types, optional)
	return p
}

// keep makes v a result of the module. Null is no answer; what may be null may be left out.
func (p promise) keep(v cty.Value) (cty.Value, error) {
	if v.IsNull() || !v.IsKnown() {
		return v, nil
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return v, fmt.Errorf("a result of %s is an object, not %s", p.module, v.Type().FriendlyName())
	}
	given := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(p.names, name) {
			return v, fmt.Errorf("result: %s gives no %q.%s", p.module, name, strings.TrimSuffix(decode.Suggest(name, p.names), "."))
		}
	}
	var missing []string
	for _, f := range p.fields {
		x, ok := given[f.Name]
		switch {
		case f.Optional:
		case !ok:
			missing = append(missing, fmt.Sprintf("%s (%s)", f.Name, f.Type.FriendlyNameForConstraint()))
		case x.IsNull():
			return v, fmt.Errorf("result: %s of %s is never null", f.Name, p.module)
		}
	}
	if len(missing) > 0 {
		return v, fmt.Errorf("result: %s always gives %s, which nobody else can invent", p.module, strings.Join(missing, ", "))
	}
	out, err := convert.Convert(v, p.typ)
	if err != nil {
		return v, fmt.Errorf("result: %s: %w", p.module, err)
	}
	return p.secrets(out), nil
}

// secrets marks what the module would give as a secret.
func (p promise) secrets(v cty.Value) cty.Value {
	values := v.AsValueMap()
	for _, f := range p.fields {
		if f.Secret {
			values[f.Name] = values[f.Name].Mark(engine.SecretMark{Name: p.module + "." + f.Name})
		}
	}
	return cty.ObjectVal(values)
}

func statusOf(v cty.Value) (engine.Status, error) {
	if !v.IsKnown() || v.IsNull() {
		return engine.StatusChanged, nil
	}
	if v.Type() != cty.String || !slices.Contains(stepStatuses, v.AsString()) {
		return "", fmt.Errorf("status is %s; it must be one of %s (for a failure give an error)", decode.Show(v), strings.Join(stepStatuses, ", "))
	}
	return engine.Status(v.AsString()), nil
}

// errorOf makes an error of a text or of { kind, text, hint }; nil for null.
func errorOf(v cty.Value, host string) (*engine.Error, error) {
	if !v.IsWhollyKnown() || v.IsNull() {
		return nil, nil
	}
	if v.Type() == cty.String {
		return &engine.Error{Kind: engine.KindModule, Host: host, Msg: v.AsString()}, nil
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return nil, fmt.Errorf(`error is a text, or { kind = "timeout", text = "…", hint = "…" }`)
	}
	out := &engine.Error{Kind: engine.KindModule, Host: host}
	for name, x := range v.AsValueMap() {
		if x.IsNull() || x.Type() != cty.String {
			return nil, fmt.Errorf("error: %s must be a text", name)
		}
		switch text := x.AsString(); {
		case name == "text":
			out.Msg = text
		case name == "hint":
			out.Hint = text
		case name == "kind" && slices.Contains(engine.ErrorKinds(), text):
			out.Kind = engine.ErrorKind(text)
		case name == "kind":
			return nil, fmt.Errorf("error: kind %q is none of %s", text, strings.Join(engine.ErrorKinds(), ", "))
		default:
			return nil, fmt.Errorf("error has kind, text and hint, no %q", name)
		}
	}
	return out, nil
}

func durationOf(v cty.Value) (time.Duration, error) {
	if !v.IsKnown() || v.IsNull() {
		return 0, nil
	}
	if v.Type() == cty.String {
		if d, err := time.ParseDuration(v.AsString()); err == nil && d >= 0 {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%s is no duration like \"10m\"", decode.Show(v))
}
