package run

import (
	"context"
	"errors"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// other is the doer's name when it is not the host of the play.
func (x *execution) other() string {
	if x.settings.On == x.host.Name {
		return ""
	}
	return x.settings.On
}

// blamed makes err name the host that failed. Others may share err, so it is not changed.
func (x *execution) blamed(err error) error {
	var known *engine.Error
	switch {
	case !errors.As(err, &known):
		return &engine.Error{Kind: engine.KindModule, Host: x.settings.On, Op: x.e.Module.Name, Err: err}
	case known.Host == "":
		return &engine.Error{Kind: known.Kind, Host: x.settings.On, Hint: known.Hint, Unreachable: known.Unreachable, Err: err}
	}
	return err
}

// forecast adds to the plan, while planning.
func (x *execution) forecast(i plan.Item) {
	if !x.planning {
		return
	}
	i.Play, i.Host, i.On, i.Place = x.play.Name, x.host.Name, x.settings.On, x.e.Range.String()
	i.Kind, i.Entry, i.Item, i.Title, i.Impact = x.e.Kind, x.e.Address, x.item, x.e.Title, x.e.Impact
	if i.On == "" {
		i.On = x.host.Name
	}
	if x.e.Module != nil {
		i.Module = x.e.Module.Name
	}
	x.plan.Add(i.Redacted(x.o.Redact))
}

func (x *execution) place() place { return place{x.play.Name, x.host.Name, x.e.Address, x.item} }

// event records something about this entry, or this item of it.
func (x *execution) event(e engine.Event) {
	e.Item = x.item
	x.hostRun.event(e)
}

// end records how the entry ended and makes its result known.
func (x *execution) end(r engine.Result, reason string) { x.endWith(r, reason, text(r.Value)) }

// endWith is end for a result whose text is known already.
func (x *execution) endWith(r engine.Result, reason, values string) {
	if x.e.Module != nil && r.Status != engine.StatusOK {
		x.scope.Set(x.e, r)
	}
	x.done = true
	if !x.planning && reason != "" && (r.Status == engine.StatusUnchanged || r.Status == engine.StatusSkipped) {
		x.ledger.spare(x.place(), reason)
	}
	x.event(engine.Event{Kind: engine.EventEntryEnd, Entry: x.e.Address, Module: module(x.e), Title: x.e.Title, On: x.other(),
		Status: string(r.Status), Reason: reason, Error: engine.NewEventError(r.Err), Values: values,
		Took: x.now().Sub(x.began), Place: x.e.Range.String()})
}

// ended records a failure that nothing has recorded yet, and passes it on.
func (x *execution) ended(err error) error {
	if err == nil || x.done || errors.Is(err, errStopped) || x.e.Module == nil && errors.Is(err, context.Canceled) {
		return err // what holds other entries has no end where it was left: resume goes on with it
	}
	if errors.Is(err, errLate) {
		return x.notAttempted(err)
	}
	x.failed(err)
	x.done = true
	if x.e.Module != nil { // a rescue may ask for it
		x.scope.Set(x.e, engine.Result{Status: engine.StatusFailed, Value: x.null(x.e), Err: err})
	}
	x.event(engine.Event{Kind: engine.EventEntryEnd, Entry: x.e.Address, Module: module(x.e), Title: x.e.Title, On: x.other(),
		Status: string(engine.StatusFailed), Error: x.fate(err), Took: x.now().Sub(x.began), Place: x.e.Range.String()})
	return err
}

// fate is the event's form of an error. A change that was killed in its middle is lost: nobody knows how far it came.
func (x *execution) fate(err error) *engine.EventError {
	e := engine.NewEventError(err)
	if x.acting && errors.Is(err, context.Canceled) {
		e.Kind = engine.KindLost
	}
	return e
}

// notAttempted records a step that was not begun because of a window, and what stands around it.
func (x *execution) notAttempted(err error) error {
	x.done = true
	if x.e.Module != nil {
		x.scope.Set(x.e, engine.Result{Status: engine.StatusSkipped, Value: x.null(x.e)})
	}
	x.event(engine.Event{Kind: engine.EventEntryEnd, Entry: x.e.Address, Module: module(x.e), Title: x.e.Title, On: x.other(),
		Status: string(engine.HostNotAttempted), Reason: err.Error(), Place: x.e.Range.String()})
	return err
}

// failed forecasts that the entry cannot be planned.
func (x *execution) failed(err error) {
	d := plan.Error
	if engine.IsUnreachable(err) {
		d = plan.Unreachable
	}
	x.forecast(plan.Item{Disposition: d, Reason: err.Error(), Error: engine.NewEventError(err), Waits: engine.WaitsOf(err)})
}

// asOf is when the data of a result are from: its attribute as_of, or zero when it does not say.
func asOf(v cty.Value) time.Time {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || !v.Type().IsObjectType() || !v.Type().HasAttribute("as_of") {
		return time.Time{}
	}
	a := v.GetAttr("as_of")
	if a.IsNull() || !a.IsKnown() || a.Type() != cty.String {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, a.AsString())
	if err != nil {
		return time.Time{}
	}
	return t
}

func module(e *engine.Entry) string {
	if e.Module == nil {
		return ""
	}
	return e.Module.Name
}

// resultTypes are the types of what the modules of a playbook give.
func resultTypes(p *engine.Playbook) map[*engine.Module]cty.Type {
	types := map[*engine.Module]cty.Type{}
	for _, item := range p.Items {
		if item.Play == nil {
			continue
		}
		for e := range engine.Walk(item.Play.Entries) {
			if _, known := types[e.Module]; !known && e.Module != nil && e.Module.Result != nil {
				types[e.Module] = engine.TypeOf(e.Module.Result)
			}
		}
	}
	return types
}

func (p *pass) typeOf(e *engine.Entry) cty.Type {
	if t, ok := p.types[e.Module]; ok {
		return t
	}
	return cty.EmptyObject
}

// null is what an entry leaves that was not executed.
func (p *pass) null(e *engine.Entry) cty.Value {
	if e.Module == nil {
		return cty.NilVal
	}
	return cty.NullVal(p.typeOf(e))
}

// nothing is what an entry leaves that has not run yet.
func (p *pass) nothing(e *engine.Entry) cty.Value {
	if e.Module == nil {
		return cty.DynamicVal
	}
	return cty.UnknownVal(p.typeOf(e))
}
