package lang

import (
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// fault is the error of an expression that could not be evaluated: where, what, and which parts of it are null.
func (s *pass) fault(x *expr, diags hcl.Diagnostics, ctx *hcl.EvalContext, host string) error {
	err := s.first(diags, host)
	err.Msg += nullText(x.nulls(ctx))
	return err
}

// first is the first error among diagnostics.
func (p *Program) first(diags hcl.Diagnostics, host string) *engine.Error {
	for _, problem := range decode.Problems(p.honest(diags), p.files) {
		if problem.Warning {
			continue
		}
		return &engine.Error{Kind: engine.KindEval, Host: host, Op: problem.Range.String(),
			Msg: problem.Summary + ": " + strings.TrimSuffix(problem.Detail, ".")}
	}
	return &engine.Error{Kind: engine.KindEval, Host: host, Op: p.playbook.Path, Msg: "an expression could not be evaluated"}
}

// honest says of what is not there that nobody could know before. Everything else is found while loading, so that
// "unsupported attribute" would be a mistake of this program.
func (p *Program) honest(diags hcl.Diagnostics) hcl.Diagnostics {
	out := slices.Clone(diags)
	for i, d := range out {
		if d.Subject == nil || !p.unchecked[*d.Subject] || !slices.Contains(lookups, d.Summary) {
			continue
		}
		detail := strings.TrimSuffix(d.Detail, ".")
		detail = strings.Replace(detail, "This object does not have an attribute named", "There is nothing here with the name", 1)
		detail = strings.Replace(detail, "The given key does not identify an element in this collection value", "There is nothing under this key", 1)
		changed := *d
		changed.Summary = "Not there"
		changed.Detail = detail + "; whether it is was not known when the playbook was loaded. Where it may be missing, write try(…, DEFAULT)."
		out[i] = &changed
	}
	return out
}

// lookups are what HCL says when something is not there.
var lookups = []string{"Unsupported attribute", "Invalid index", "Missing map element"}

// wrong is the error of an expression whose value cannot be used.
func (s *pass) wrong(x *expr, host, text string) error {
	return &engine.Error{Kind: engine.KindEval, Host: host, Op: x.Range().String(), Msg: text}
}

func nullText(nulls []string) string {
	switch len(nulls) {
	case 0:
		return ""
	case 1:
		return "; " + nulls[0] + " is null"
	}
	return "; " + strings.Join(nulls, ", ") + " are null"
}

// asBadArg finds which argument a module refuses.
func asBadArg(err error) (engine.BadArg, bool) {
	var bad engine.BadArg
	ok := errors.As(err, &bad)
	return bad, ok
}
