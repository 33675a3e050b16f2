package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// judged says whether a result is a failure although its module is content with it (failed_when).
func (x *execution) judged(value cty.Value) error {
	if x.e.FailedWhen == nil {
		return nil
	}
	v, err := x.decide("failed_when", x.e.FailedWhen, value)
	if err != nil || !v.True() {
		return err
	}
	x.left = value
	return &engine.Error{Kind: engine.KindCheck, Host: x.settings.On, Op: x.e.Module.Name, Msg: "failed_when holds: " + v.Why}
}

// status is how a step ended that acted: what its module says, unless changed_when says otherwise.
func (x *execution) status(diff engine.Diff, value cty.Value) (engine.Status, error) {
	if x.e.ChangedWhen != nil {
		v, err := x.decide("changed_when", x.e.ChangedWhen, value)
		switch {
		case err != nil:
			return engine.StatusFailed, err
		case v.True():
			return engine.StatusChanged, nil
		}
		return engine.StatusUnchanged, nil
	}
	if diff.Opaque {
		return engine.StatusRan, nil
	}
	return engine.StatusChanged, nil
}

// decide judges a condition over the entry's own result; it must be known.
func (x *execution) decide(what string, e engine.Expr, value cty.Value) (engine.Evaluated, error) {
	v, err := x.scope.Eval(e, value)
	if err == nil && !v.Known() {
		err = &engine.Error{Kind: engine.KindEval, Host: x.host.Name, Op: e.Range().String(), Waits: v.Waits,
			Msg: fmt.Sprintf("%s cannot be known yet: it waits for %s", what, strings.Join(v.Waits, ", "))}
	}
	return v, err
}

// untagged says why --tags or --skip-tags leaves an entry out, or "". A block leaves that to what is in it.
func (h *hostRun) untagged(e *engine.Entry) string {
	has := func(tag string) bool { return slices.Contains(e.Tags, tag) }
	switch {
	case e.Kind == engine.EntryBlock || e.Kind == engine.EntryInclude:
	case slices.ContainsFunc(h.o.SkipTags, has):
		return "it has a tag that is skipped (--skip-tags " + strings.Join(h.o.SkipTags, ",") + ")"
	case len(h.o.Tags) > 0 && !slices.ContainsFunc(h.o.Tags, has):
		return "it has no tag of those asked for (--tags " + strings.Join(h.o.Tags, ",") + ")"
	}
	return ""
}
