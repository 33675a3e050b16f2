package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
)

// judge evaluates a check; waits finds what an unknown condition waits for among the entries of a host.
func (s *pass) judge(c *check, ctx *hcl.EvalContext, host string, waits func(refs) []string) (engine.Judged, error) {
	v, err := s.condition(c.condition, ctx, host)
	if err != nil {
		return engine.Judged{}, err
	}
	j := engine.Judged{Unknown: !v.IsKnown(), Why: c.condition.why(ctx)}
	switch {
	case j.Unknown:
		j.Waits = s.waits(c.condition.refs, waits)
	case v.True():
		j.OK = true
	default:
		j.Message = s.message(c.message, ctx)
	}
	return j, nil
}

// message evaluates an error message. A check that failed must be reported, so a message that cannot be evaluated
// is shown as it is written.
func (s *pass) message(x *expr, ctx *hcl.EvalContext) string {
	v, diags := x.node.Value(ctx)
	if diags.HasErrors() || v.ContainsMarked() || !v.IsWhollyKnown() || v.IsNull() {
		return x.text
	}
	return asString(v)
}

// condition evaluates an expression that is true, false or unknown.
func (s *pass) condition(x *expr, ctx *hcl.EvalContext, host string) (cty.Value, error) {
	v, diags := x.node.Value(ctx)
	if diags.HasErrors() {
		return v, s.fault(x, diags, ctx, host)
	}
	switch {
	case v.IsMarked():
		return v, s.wrong(x, host, "a secret decides here; what is decided is shown, so it must not hold a secret")
	case v.IsKnown() && v.IsNull():
		return v, s.wrong(x, host, "the condition is null, neither true nor false"+nullText(x.nulls(ctx)))
	}
	if v.Type() == cty.Bool {
		return v, nil
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil {
		return v, s.wrong(x, host, fmt.Sprintf("a condition must be true or false: %v", err))
	}
	return b, nil
}

// waits are the addresses of the entries that have no result: those of plays, and those of the host.
func (s *pass) waits(r refs, ofHost func(refs) []string) []string {
	found := map[string]bool{}
	if r.run && !s.run.IsWhollyKnown() {
		found["run.id"] = true
	}
	for _, p := range r.plays {
		v := s.played[p]
		for _, address := range v.waits {
			found[address] = true
		}
	}
	if ofHost != nil {
		for _, address := range ofHost(r) {
			found[address] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
