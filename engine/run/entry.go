package run

import (
	"context"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
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
	return x.doubted(x.execute(ctx))
}

// execute does what the entry is there for.
func (x *execution) execute(ctx context.Context) error {
	switch x.e.Kind {
	case engine.EntryCheck:
		return x.check()
	case engine.EntryRecover:
		return x.recover(ctx, x)
	case engine.EntryInclude:
		return x.ended(x.include(ctx, x))
	case engine.EntryBlock:
		return x.ended(x.block(ctx, x))
	}
	if x.e.ForEach != nil {
		return x.forEach(ctx)
	}
	return x.single(ctx)
}

// doubted ends an entry of which planning does not know whether it will be executed: what it leaves is unknown, whatever it
// would leave now, and that it cannot be planned (its forecast says why) does not fail the host.
func (x *execution) doubted(err error) error {
	if !x.doubt || err != nil && fatal(err) {
		return err
	}
	x.blame(err)
	x.open++
	x.scope.Set(x.e, engine.Result{Value: x.nothing(x.e)})
	return nil
}

func (h *hostRun) execution(e *engine.Entry, as plan.Disposition) *execution {
	return &execution{hostRun: h, scope: h.scope, e: e, as: as, began: h.now()}
}

// single executes a probe or a step, or one item of it.
func (x *execution) single(ctx context.Context) error {
	if kept, err := x.kept(); kept {
		return err
	}
	err := x.prepare()
	if err == nil {
		err = x.repeat(ctx)
	}
	if waits := engine.WaitsOf(err); x.o.Offline && waits != nil {
		x.unseen(waits)
		return nil
	}
	if err != nil && x.settings.IgnoreErrors && !fatal(err) {
		if x.left == cty.NilVal {
			x.left = x.null(x.e)
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
	doubt    bool // planning: its own condition is unknown
	settings engine.Settings
	since    time.Time // shared answers are not older
	began    time.Time
	asOf     time.Time // of the answer's data, when the result says it
	left     cty.Value // the result of an execution that failed_when refuses
	done     bool      // its end is recorded
	acting   bool      // it has begun to change something
	anew     bool      // it is executed whatever an interrupted run left
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
		x.doubt, x.waits = true, v.Waits
		if x.as != plan.RescueOnly {
			x.as = plan.Depends
		}
		if x.e.Kind == engine.EntryBlock || x.e.Kind == engine.EntryInclude { // it is the reason of what stands inside of it
			x.forecast(plan.Item{Disposition: x.as, Reason: v.Why, Waits: v.Waits})
		}
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
	told := j
	told.Unknown = j.Unknown || x.planning && x.as != plan.WillRun // whether it is judged at all is not known yet
	if err := x.logCheck(x.e.Check, x.play.Name, x.host.Name, told); err != nil {
		x.record = err
	}
	if j.Unknown {
		x.open++
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
