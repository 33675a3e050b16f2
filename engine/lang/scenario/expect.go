package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Expect is what must happen. Everything that may happen and is not in it must not happen; only Plan and Says may be left out.
type Expect struct {
	StoppedBy string            `hcl:"stopped_by,optional" doc:"The check that stops the run, or the play whose threshold does; nothing stops it unless said."`
	Acts      []string          `hcl:"acts,optional" doc:"Every step that is executed, in order: \"STEP on HOST\", with \" for HOST\" where another host does it, \"STEP[KEY]\" for an item of for_each."`
	Plan      map[string]string `hcl:"plan,optional" doc:"What the plan says of steps, named as in acts: every one that may act, and any other."`
	Hosts     map[string]string `hcl:"hosts,optional" doc:"How hosts end that do not end ok."`
	Warnings  []string          `hcl:"warnings,optional" doc:"Checks that warn: \"CHECK\", in a play \"CHECK on HOST\"."`
	Says      []string          `hcl:"says,optional" doc:"Texts that stand in what the run says: why it stopped, warnings, errors of hosts."`

	RefusedBy []string `hcl:"refused_by,optional" doc:"The rules of policies that refuse the plan, as \"POLICY.RULE\"; a policy permits it unless said."`

	// Places are where each of them is written; "" is the block.
	Places map[string]engine.Range
}

var hostStatuses = []string{string(engine.HostOK), string(engine.HostFailed), string(engine.HostUnreachable), string(engine.HostAborted),
	string(engine.HostNotAttempted), string(engine.HostDrifted), string(engine.HostOutOfPlan)}

// dispositions are the words of a plan; what a plan package calls them is not this package's matter.
var dispositions = []string{"will_run", "attempt", "rescue_only", "depends", "no_op", "skipped", "probed", "unreachable", "error"}

// Expect gives what is expected, among the hosts of the world.
func (w *World) Expect() (Expect, engine.Problems) {
	f := w.test.file
	e, diags := readExpect(w.test.expect, f.static(map[string]cty.Value{"host": w.hosts}))
	for _, name := range slices.Sorted(maps.Keys(e.Hosts)) {
		if !w.hosts.Type().HasAttribute(name) {
			diags = append(diags, wrong(w.test.expect, "hosts", "The inventory has no host %q.%s", name,
				decode.Suggest(name, slices.Sorted(maps.Keys(w.hosts.Type().AttributeTypes())))))
		}
	}
	if problems := decode.Problems(diags, f.files); problems.Err() != nil {
		return e, problems
	}
	return e, nil
}

// readExpect decodes an expect block.
func readExpect(b *hclsyntax.Block, ctx *hcl.EvalContext) (Expect, hcl.Diagnostics) {
	e := Expect{Places: map[string]engine.Range{"": decode.Range(b.DefRange())}}
	_, diags := decode.Struct(b.Body, ctx, &e, nil)
	if slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return strings.HasPrefix(d.Summary, "Unsupported") }) {
		diags = nil // form has said that better
	}
	for name, a := range b.Body.Attributes {
		e.Places[name] = decode.Range(a.NameRange)
	}
	diags = append(diags, words(b, "hosts", e.Hosts, hostStatuses)...)
	return e, append(diags, words(b, "plan", e.Plan, dispositions)...)
}

// words refuses values that are none of the words.
func words(b *hclsyntax.Block, attr string, values map[string]string, words []string) (diags hcl.Diagnostics) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if word := values[key]; !slices.Contains(words, word) {
			diags = append(diags, wrong(b, attr, "%s: %q of %q is none of %s.%s", attr, word, key, strings.Join(words, ", "), decode.Suggest(word, words)))
		}
	}
	return diags
}

func wrong(b *hclsyntax.Block, attr, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong value", Detail: fmt.Sprintf(format, args...), Subject: b.Body.Attributes[attr].Expr.Range().Ptr()}
}
