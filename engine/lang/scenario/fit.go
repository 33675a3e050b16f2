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

var errorKinds = []string{string(engine.KindDNS), string(engine.KindRefused), string(engine.KindTimeout), string(engine.KindHostKey), string(engine.KindAuth),
	string(engine.KindTLS), string(engine.KindProtocol), string(engine.KindLost), string(engine.KindExit), string(engine.KindCheck), string(engine.KindModule), string(engine.KindEval)}

// misfit says why a value cannot be what a mock's argument takes; unknown parts fit.
func misfit(name string, v cty.Value, m *Mock) error {
	var err error
	switch name {
	case "result":
		_, err = resultOf(v, m.Module)
	case "status":
		_, err = statusOf(v)
	case "error":
		_, err = errorOf(v, "")
	case "after":
		_, err = durationOf(v)
	}
	return err
}

// resultOf makes v a result of the module. Null is no answer; what may be null may be left out.
func resultOf(v cty.Value, m *engine.Module) (cty.Value, error) {
	if v.IsNull() || !v.IsKnown() {
		return v, nil
	}
	fields := engine.Fields(m.Result)
	if len(fields) == 0 {
		return v, nil
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return v, fmt.Errorf("a result of %s is an object, not %s", m.Name, v.Type().FriendlyName())
	}
	var missing, known, optional []string
	types := map[string]cty.Type{}
	given := v.AsValueMap()
	for _, f := range fields {
		known, types[f.Name] = append(known, f.Name), f.Type
		x, ok := given[f.Name]
		switch {
		case f.Optional:
			optional = append(optional, f.Name)
		case !ok:
			missing = append(missing, fmt.Sprintf("%s (%s)", f.Name, f.Type.FriendlyNameForConstraint()))
		case x.IsNull():
			return v, fmt.Errorf("result: %s of %s is never null", f.Name, m.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			return v, fmt.Errorf("result: %s gives no %q.%s", m.Name, name, strings.TrimSuffix(decode.Suggest(name, known), "."))
		}
	}
	if len(missing) > 0 {
		return v, fmt.Errorf("result: %s always gives %s, which nobody else can invent", m.Name, strings.Join(missing, ", "))
	}
	out, err := convert.Convert(v, cty.ObjectWithOptionalAttrs(types, optional))
	if err != nil {
		return v, fmt.Errorf("result: %s: %w", m.Name, err)
	}
	return out, nil
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
		case name == "kind" && slices.Contains(errorKinds, text):
			out.Kind = engine.ErrorKind(text)
		case name == "kind":
			return nil, fmt.Errorf("error: kind %q is none of %s", text, strings.Join(errorKinds, ", "))
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
