package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// Deadlines of entries that set no timeout.
const (
	probeTimeout = 5 * time.Minute
	stepTimeout  = 45 * time.Minute
)

// entry executes or plans one entry. as is what its steps are in a plan when nothing else is said:
// WillRun, Attempt or Depends. The error fails the host.
func (h *hostRun) entry(ctx context.Context, e *engine.Entry, as plan.Disposition) error {
	x := h.execution(e, as)
	h.reached[e] = true
	if why := h.untagged(e); why != "" {
		x.skip(why)
		return nil
	}
	if e.When != nil && !e.WhenEach {
		run, err := x.when()
		if err != nil || !run {
			return x.ended(err)
		}
	}
	switch e.Kind {
	case engine.EntryCheck:
		return x.check()
	case engine.EntryRecover:
		return h.recover(ctx, x)
	case engine.EntryInclude:
		return x.ended(h.include(ctx, x))
	case engine.EntryBlock:
		return x.ended(h.block(ctx, x))
	}
	if e.ForEach != nil {
		return x.forEach(ctx)
	}
	return x.single(ctx)
}

func (h *hostRun) execution(e *engine.Entry, as plan.Disposition) *execution {
	return &execution{hostRun: h, scope: h.scope, e: e, as: as, began: h.now()}
}

// single executes a probe or a step, or one item of it.
func (x *execution) single(ctx context.Context) error {
	err := x.prepare()
	if err == nil {
		err = x.repeat(ctx)
	}
	if err != nil && x.settings.IgnoreErrors && !fatal(err) {
		if x.left == cty.NilVal {
			x.left = null(x.e)
		}
		x.failed(err)
		x.end(engine.Result{Status: engine.StatusFailed, Value: x.left, Err: err}, "its error is ignored (ignore_errors)")
		return nil
	}
	return x.ended(err)
}

// execution is one entry on one host.
type execution struct {
	*hostRun
	scope    engine.HostScope // of the host, or of the item
	e        *engine.Entry
	item     string // key of for_each
	as       plan.Disposition
	why      string // the condition and its values
	waits    []string
	settings engine.Settings
	since    time.Time // shared answers are not older
	began    time.Time
	asOf     time.Time // of the answer's data, when the result says it
	left     cty.Value // the result of an execution that failed_when refuses
	done     bool      // its end is recorded
	blind    bool      // it began something of which no check can tell whether it happened
}

// when judges the condition. False: it is skipped, or it depends on what has not run and was planned.
func (x *execution) when() (bool, error) {
	v, err := x.scope.Eval(x.e.When, cty.NilVal)
	if err != nil {
		return false, err
	}
	x.why = v.Why
	switch {
	case !v.Known() && x.planning:
		x.as, x.waits = plan.Depends, v.Waits
		return true, nil
	case !v.Known():
		return false, x.unknown("when = "+x.e.When.Text(), v.Waits)
	case v.True():
		return true, nil
	}
	x.skip(v.Why)
	return false, nil
}

func (x *execution) check() error {
	j, err := x.scope.Judge(x.e.Check)
	if err != nil {
		return x.ended(err)
	}
	if err := x.logCheck(x.e.Check, x.play.Name, x.host.Name, j); err != nil {
		x.record = err
	}
	switch {
	case j.OK, x.e.Check.Warning, j.Unknown && x.planning:
		return nil
	case j.Unknown:
		return x.unknown("check "+x.e.Name, j.Waits)
	}
	return &engine.Error{Kind: engine.KindCheck, Host: x.host.Name, Op: "check " + x.e.Name, Msg: j.Message}
}

// prepare evaluates what the engine itself needs.
func (x *execution) prepare() error {
	s, err := x.scope.Settings(x.e)
	if err != nil {
		return err
	}
	x.settings = s
	if x.o.Inventory.Hosts[s.On] == nil {
		return &engine.Error{Kind: engine.KindEval, Host: x.host.Name, Op: x.e.Range.String(), Msg: fmt.Sprintf("on: there is no host %q", s.On)}
	}
	return nil
}

// repeat executes the entry, again as its retry block says.
func (x *execution) repeat(ctx context.Context) error {
	r := x.settings.Retry
	delay := r.Delay
	for n := 1; ; n++ {
		x.done, x.blind, x.left = false, false, cty.NilVal
		res, err := x.once(ctx, n)
		again, why, err := x.again(res, err, n)
		if !again {
			return err
		}
		x.event(engine.Event{Kind: engine.EventRetry, Entry: x.e.Address, Attempt: n, Reason: why, Error: engine.NewEventError(err)})
		if engine.IsUnreachable(err) {
			x.pool.Retry(engine.HostOf(err))
		}
		if err := x.pause(ctx, delay); err != nil {
			return err
		}
		if r.Backoff > 0 {
			delay = time.Duration(float64(delay) * r.Backoff)
		}
		x.since = x.now()
	}
}

// again tells whether a further execution is due after the n-th, and why; and the error with which the n-th ended.
// Planning does not wait for what a condition waits for: it changes nothing that could make it true.
func (x *execution) again(res engine.Result, err error, n int) (due bool, why string, _ error) {
	r := x.settings.Retry
	left := n < max(1, r.Attempts)
	if err != nil {
		return left && x.repeatable(err), err.Error(), err
	}
	if !left || x.e.Until == nil || x.planning {
		return false, "", nil
	}
	v, err := x.scope.Eval(x.e.Until, res.Value)
	x.done = err == nil // else its failure is still to be recorded
	return err == nil && !v.True(), v.Why, err
}

// repeatable tells whether retry applies to an error. What may have happened, or may still go on, and cannot be checked is
// not done again, whatever retry says.
func (x *execution) repeatable(err error) bool {
	var e *engine.Error
	kind := engine.KindOf(err)
	unsure := kind == engine.KindLost || errors.As(err, &e) && e.Orphan
	switch {
	case kind == engine.KindEval || fatal(err):
		return false
	case x.blind && unsure && !x.settings.Idempotent && !errors.Is(err, engine.ErrNotRun):
		return false
	}
	return x.settings.Retry.On == nil || slices.Contains(x.settings.Retry.On, kind)
}

// once executes the entry one time.
func (x *execution) once(ctx context.Context, n int) (engine.Result, error) {
	timeout := x.settings.Timeout
	if timeout == 0 {
		timeout = stepTimeout
		if x.e.Kind == engine.EntryProbe {
			timeout = probeTimeout
		}
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, &engine.Error{Kind: engine.KindTimeout, Host: x.settings.On,
		Op: x.e.Address, Msg: fmt.Sprintf("it took longer than its timeout of %s", timeout)})
	defer cancel()
	var (
		res engine.Result
		err error
	)
	if x.e.Kind == engine.EntryProbe {
		res, err = x.probe(limited, n)
	} else {
		res, err = x.step(limited, n)
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil && engine.KindOf(err) != engine.KindTimeout {
		err = errors.Join(context.Cause(limited), err)
	}
	return res, err
}

// pause waits, unless a signal asks to stop.
func (h *hostRun) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-h.o.Clock.After(d):
		return nil
	case <-h.stop():
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe looks, unless something before it on this host has not run.
func (x *execution) probe(ctx context.Context, n int) (engine.Result, error) {
	if len(x.pending) > 0 || x.as == plan.Depends || x.as == plan.RescueOnly {
		return x.later(slices.Concat(x.pending, x.waits)), nil
	}
	args, err := x.args()
	if err != nil {
		return engine.Result{}, err
	}
	if len(args.Unknown) > 0 { // it would answer another question
		return x.later(args.Waits), nil
	}
	x.event(engine.Event{Kind: engine.EventEntryStart, Entry: x.e.Address, Module: x.e.Module.Name, Title: x.e.Title, On: x.other(), Attempt: n})
	value, err := x.look(ctx, args.Module.(engine.Prober), x.doer(x.pool, x.settings, x.since))
	if err != nil {
		return engine.Result{}, err
	}
	if err := x.judged(value); err != nil {
		return engine.Result{}, err
	}
	res := engine.Result{Status: engine.StatusOK, Value: value}
	x.asOf = asOf(value)
	x.scope.Set(x.e, res)
	x.forecast(plan.Item{Disposition: plan.Probed, Args: args.Shown, Values: text(value), Reason: x.why})
	x.end(res, "")
	return res, nil
}

// later plans a probe that cannot look yet.
func (x *execution) later(waits []string) engine.Result {
	as := plan.Depends
	if x.as == plan.RescueOnly {
		as = x.as
	}
	x.forecast(plan.Item{Disposition: as, Waits: waits, Reason: x.why})
	res := engine.Result{Value: unknown(x.e)}
	x.scope.Set(x.e, res)
	return res
}

func (x *execution) look(ctx context.Context, p engine.Prober, host *machine.Host) (cty.Value, error) {
	result, err := p.Probe(ctx, host)
	if err != nil {
		return cty.NilVal, x.blamed(err)
	}
	return engine.ValueOf(result)
}

// args decodes the arguments. An error names what they wait for: executed arguments must be known in a plan, and all of
// them when they are used.
func (x *execution) args() (engine.Args, error) {
	args, err := x.scope.Args(x.e)
	switch {
	case err != nil:
		return args, err
	case args.Module == nil:
		return args, x.unknown(strings.Join(args.ExecutedUnknown, ", "), args.Waits)
	case len(args.Unknown) > 0 && !x.planning:
		return args, x.unknown(strings.Join(args.Unknown, ", "), args.Waits)
	}
	return args, nil
}

// unknown is the error of what must be known and is not.
func (h *hostRun) unknown(what string, waits []string) error {
	e := &engine.Error{Kind: engine.KindEval, Host: h.host.Name, Op: what, Msg: fmt.Sprintf("it is not known, and nothing unknown is executed; it waits for %s", strings.Join(waits, ", "))}
	if h.planning {
		e.Msg = fmt.Sprintf("it cannot be known before %s has run", strings.Join(waits, ", "))
		e.Hint = "what is executed must be known in a plan; put this into a later play, or read the value with a probe"
	}
	return e
}

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
	i.Kind, i.Entry, i.Item, i.Title = x.e.Kind, x.e.Address, x.item, x.e.Title
	if i.On == "" {
		i.On = x.host.Name
	}
	if x.e.Module != nil {
		i.Module = x.e.Module.Name
	}
	x.plan.Add(i)
}

// event records something about this entry, or this item of it.
func (x *execution) event(e engine.Event) {
	e.Item = x.item
	x.hostRun.event(e)
}

// end records how the entry ended and makes its result known.
func (x *execution) end(r engine.Result, reason string) {
	if x.e.Module != nil && r.Status != engine.StatusOK {
		x.scope.Set(x.e, r)
	}
	x.done = true
	x.event(engine.Event{Kind: engine.EventEntryEnd, Entry: x.e.Address, Module: module(x.e), Title: x.e.Title, On: x.other(),
		Status: string(r.Status), Reason: reason, Error: engine.NewEventError(r.Err), Values: text(r.Value),
		Took: x.now().Sub(x.began), Place: x.e.Range.String()})
}

// ended records a failure that nothing has recorded yet, and passes it on.
func (x *execution) ended(err error) error {
	if err == nil || x.done || errors.Is(err, errStopped) {
		return err
	}
	x.failed(err)
	x.done = true
	if x.e.Module != nil { // a rescue may ask for it
		x.scope.Set(x.e, engine.Result{Status: engine.StatusFailed, Value: null(x.e), Err: err})
	}
	x.event(engine.Event{Kind: engine.EventEntryEnd, Entry: x.e.Address, Module: module(x.e), Title: x.e.Title, On: x.other(),
		Status: string(engine.StatusFailed), Error: engine.NewEventError(err), Took: x.now().Sub(x.began), Place: x.e.Range.String()})
	return err
}

// failed forecasts that the entry cannot be planned.
func (x *execution) failed(err error) {
	d := plan.Error
	if engine.IsUnreachable(err) {
		d = plan.Unreachable
	}
	x.forecast(plan.Item{Disposition: d, Reason: err.Error(), Error: engine.NewEventError(err)})
}

// asOf is when the data of a result are from: its attribute as_of, or zero when it does not say.
func asOf(v cty.Value) time.Time {
	if !v.Type().IsObjectType() || !v.Type().HasAttribute("as_of") {
		return time.Time{}
	}
	a := v.GetAttr("as_of")
	if a.IsNull() || a.Type() != cty.String {
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

func null(e *engine.Entry) cty.Value {
	if e.Module == nil {
		return cty.NilVal
	}
	return cty.NullVal(engine.TypeOf(e.Module.Result))
}

func unknown(e *engine.Entry) cty.Value {
	return cty.UnknownVal(engine.TypeOf(e.Module.Result))
}
