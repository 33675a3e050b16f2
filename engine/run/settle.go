package run

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Unsettled is a change that an interrupted run began, and of which nothing tells whether it happened.
type Unsettled struct {
	Play, Host, On, Entry, Item, Module, Title string
	Began                                      time.Time
	Commands                                   []string
	Why                                        string // it is not known
}

// Verdict is what is known of a change that was begun.
type Verdict string

// The verdicts.
const (
	done    Verdict = "done"
	notDone Verdict = "not_done"
	unknown Verdict = "unknown"
)

// Verdicts that a person can give.
const (
	Done    = done
	NotDone = notDone
	Unknown = unknown
)

// settling is how old an intent must be before its act counts as not done because the host does not show it: what the
// interrupted run had started may still be under way there.
const settling = 2 * time.Minute

// settle finds out what became of a change of which only the intent is recorded. settled says that it has its result, or cannot
// have one; else it was not done, and is to be done now.
func (x *execution) settle(ctx context.Context, args engine.Args) (res engine.Result, settled bool, err error) {
	k := at{x.e.Address, x.item}
	if x.past == nil || x.planning {
		return res, false, nil
	}
	was, open := x.past.open[k]
	if !open {
		return res, false, nil
	}
	verdict, why, err := x.wait(ctx, args, was)
	if errors.Is(err, errFailedPast) {
		x.closePast(was)
	}
	if err != nil {
		return res, true, err
	}
	if verdict == unknown {
		u := Unsettled{Play: x.play.Name, Host: x.host.Name, On: x.doneBy(was), Entry: x.e.Address, Item: x.item, Module: x.e.Module.Name,
			Title: x.e.Title, Began: was.Time, Commands: was.Lines, Why: why}
		if x.o.Settle != nil {
			verdict = x.o.Settle(ctx, u)
		}
		if verdict == unknown && x.halted(ctx) { // a signal instead of an answer: whoever goes on is asked again
			return res, true, errStopped
		}
		if verdict == unknown {
			x.closePast(was)
			x.settledAs(unknown, why)
			return res, true, lost(u)
		}
		why = "somebody said so; " + why
	}
	x.settledAs(verdict, why)
	delete(x.past.open, k)
	if verdict == notDone {
		return res, false, nil
	}
	res, err = x.finishPast(ctx, args.Module, was, why)
	return res, true, err
}

// closePast notes that an intent is not open any more, and may have changed something.
func (x *execution) closePast(was engine.Event) {
	delete(x.past.open, at{x.e.Address, x.item})
	x.begun++
	x.ledger.begin(x.place())
	x.changed(x.doneBy(was))
}

func (x *execution) settledAs(v Verdict, why string) {
	x.event(engine.Event{Kind: engine.EventSettled, Entry: x.e.Address, Module: x.e.Module.Name, Title: x.e.Title, On: x.other(), Status: string(v), Reason: why, Place: x.e.Range.String()})
}

// lost is the error of a change of which nobody knows whether it happened. It ends the host: nothing that follows can be right.
func lost(u Unsettled) error {
	look := "look on " + u.On + " whether it happened"
	if len(u.Commands) > 0 {
		look += ": " + strings.Join(u.Commands, "; ")
	}
	if u.On == "" {
		u.On = u.Host
	}
	return &engine.Error{Kind: engine.KindLost, Host: u.On, Op: u.Entry, Err: errUnsettled, Hint: look + "; then run the playbook again for this host",
		Msg: fmt.Sprintf("it was begun at %s, the run was interrupted, and whether it happened is not known (%s)", u.Began.Local().Format(time.DateTime), u.Why)}
}

// errUnsettled marks what ends a host because of a change whose outcome nobody knows; the words are in the error around it.
var errUnsettled = errors.New("")

// wait asks until the host shows that it happened, or until what had been started must be over.
func (x *execution) wait(ctx context.Context, args engine.Args, was engine.Event) (Verdict, string, error) {
	grace := x.o.Settling
	if grace == 0 {
		grace = settling
	}
	began := x.now()
	for {
		verdict, why, err := x.happened(ctx, args, was)
		until := was.Time.Add(grace)
		switch {
		case err != nil && (fatal(err) || errors.Is(err, errFailedPast)):
			return unknown, "", err
		case err != nil: // it may be booting
			x.pool.Retry(engine.HostOf(err))
			until, verdict, why = began.Add(grace), unknown, err.Error()
		}
		left := until.Sub(x.now())
		if verdict == done || verdict == unknown && err == nil || left <= 0 || left > 2*grace {
			return verdict, why, nil
		}
		if err := x.pause(ctx, min(left, max(grace/20, 50*time.Millisecond))); err != nil {
			return unknown, "", err
		}
	}
}

// errFailedPast marks the error of a change that happened, and failed.
var errFailedPast = errors.New("")

// happened asks the host what became of a change. An error that is errFailedPast says that it happened and failed; another one
// says nothing.
func (x *execution) happened(ctx context.Context, args engine.Args, was engine.Event) (Verdict, string, error) {
	host := x.doer(patient{x.pool}, x.settings, x.now())
	diff, err := args.Module.(engine.Checker).Check(ctx, host)
	if err != nil {
		return unknown, "", x.blamed(err)
	}
	prover, proves := args.Module.(engine.Prover)
	switch {
	case diff.Empty():
		return done, strings.TrimSuffix("nothing is left to do: "+diff.Note, ": "), nil
	case x.settings.Idempotent:
		return notDone, "it may be repeated (idempotent)", nil
	case diff.Act != "" && proves && x.o.Past.Doubt != "":
		return unknown, x.o.Past.Doubt, nil
	case diff.Act != "" && proves:
		return x.proven(ctx, prover, diff, was)
	case diff.Opaque || diff.Act != "":
		return unknown, "nothing on the host tells", nil
	}
	return notDone, "something is left to do: " + diff.Changes[0].What, nil
}

func (x *execution) proven(ctx context.Context, p engine.Prover, diff engine.Diff, was engine.Event) (Verdict, string, error) {
	err := p.Prove(ctx, x.doer(patient{x.pool}, x.settings, x.now()), was.Time)
	switch {
	case err == nil && len(diff.Changes) > 0:
		return notDone, "it happened, and something is left to do: " + diff.Changes[0].What, nil
	case err == nil:
		return done, "the host shows that it happened after " + was.Time.Local().Format(time.TimeOnly), nil
	case errors.Is(err, engine.ErrUnprovable):
		return unknown, err.Error(), nil
	case engine.KindOf(err) == engine.KindCheck:
		return notDone, err.Error(), nil
	case engine.KindOf(err) == engine.KindModule:
		return unknown, "", fmt.Errorf("%w%w", x.blamed(err), errFailedPast)
	}
	return unknown, "", x.blamed(err)
}

// finishPast ends an entry that was done before the run was interrupted. What it gave is not known, but for what a probe sees.
func (x *execution) finishPast(ctx context.Context, module any, was engine.Event, why string) (engine.Result, error) {
	x.closePast(was)
	x.acted = x.memos.act()
	res := engine.Result{Status: engine.StatusChanged, Value: x.nothing(x.e)}
	if p, ok := module.(engine.Prober); ok {
		value, err := x.look(ctx, p, x.doer(patient{x.pool}, x.settings, x.acted))
		if err != nil {
			return engine.Result{}, err
		}
		res.Value = value
	}
	x.end(res, "it was done before the run was interrupted: "+why)
	return res, nil
}

func quote(s string) string { return strconv.Quote(s) }
