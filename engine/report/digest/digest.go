// Package digest knows what of a run a person has to know who was not there: what was wrong, what was done, what is left to
// them. It says so on one page, in one line, as numbers for a monitoring system, or not at all.
package digest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// Digest collects what counts from the events of a run. It is an engine.Journal that wants redacted events. The zero value is
// ready.
type Digest struct {
	run, playbook  string
	started, ended time.Time
	exit           int
	status, reason string
	over           bool
	cut            bool // by whoever killed it: how far it came is not known here

	policy     string           // that permits the plan
	refusals   []string         // what policies refuse
	worst      string           // case of the plan
	left       *engine.Event    // the plan that was left
	drift      []string         // decisions that would be others
	checks     []finding        // that do not hold
	warnings   []finding        // of checks
	said       map[string]bool  // texts of both
	deeds      []*deed          // what was begun
	open       map[spot]*deed   // of them without a result
	hosts      map[string]*host // how each ended
	acting     bool             // the pass that acts has begun
	recoveries journal.Recoveries
	goals      map[spot]string // recover → what its goal said before the first attempt
	again      []string        // what had to be recovered before, too
	untold     []string        // who could not be told of the run
	notBegun   []string        // plays
	more       []string        // command lines for a person
}

type spot struct{ play, host, entry, item string }

// finding is what a check said of a host, or of all: on the page, and in its own words.
type finding struct{ host, text, reason string }

// unknown is the outcome of what has no result.
const unknown = "not known"

// deed is one change that was begun.
type deed struct {
	time            time.Time
	host, on, title string
	outcome         string
}

// host is how a host ended.
type host struct {
	status, play, text, hint string
}

// Append implements engine.Journal.
func (d *Digest) Append(e engine.Event) error {
	d.recoveries.Add(e)
	switch e.Kind { //nolint:exhaustive // the others tell how, not what
	case engine.EventRunStart:
		d.run, d.playbook, d.started = e.Run, e.Title, e.Time
	case engine.EventPolicy:
		d.judged(e)
	case engine.EventPlan:
		d.worst = e.Reason
	case engine.EventLeft:
		d.left = &e
	case engine.EventDrift:
		d.drift = append(d.drift, strings.TrimPrefix(e.Play+" "+e.Host+": "+e.Reason, " "))
	case engine.EventCheck:
		d.check(e)
	case engine.EventIntent:
		d.intent(e)
	case engine.EventEntryEnd, engine.EventRetry:
		d.outcome(e)
	case engine.EventGoal:
		d.goal(e)
	case engine.EventHostEnd:
		d.hostEnd(e)
	case engine.EventRecurrence:
		d.again = append(d.again, e.Reason)
	case engine.EventNotify:
		d.untold = append(d.untold, e.Title+": "+e.Reason)
	case engine.EventRunEnd:
		d.ended, d.status, d.reason, d.over, d.notBegun = e.Time, e.Status, e.Reason, true, e.Waits
		if e.Exit != nil {
			d.exit = *e.Exit
		}
	}
	return nil
}

func (d *Digest) judged(e engine.Event) {
	switch {
	case e.Item != "" && e.Status == "refused":
		d.refusals = append(d.refusals, e.Title+": "+e.Item+": "+e.Reason)
	case e.Item == "" && e.Status == "permitted":
		d.policy = e.Title
	}
}

// check notes a check that does not hold. Both passes judge it; it is said once.
func (d *Digest) check(e engine.Event) {
	text := strings.TrimPrefix(e.Host+": "+e.Entry+": "+e.Reason, ": ")
	list := &d.checks
	switch e.Status {
	case "warning":
		list = &d.warnings
	case "failed":
	default:
		return
	}
	if d.said[text] {
		return
	}
	if d.said == nil {
		d.said = map[string]bool{}
	}
	d.said[text] = true
	*list = append(*list, finding{e.Host, text, e.Reason})
}

func (d *Digest) intent(e engine.Event) {
	if d.open == nil {
		d.open = map[spot]*deed{}
	}
	x := &deed{time: e.Time, host: e.Host, on: e.On, title: e.EntryTitle(), outcome: unknown}
	d.open[spot{e.Play, e.Host, e.Entry, e.Item}] = x
	d.deeds = append(d.deeds, x)
}

func (d *Digest) outcome(e engine.Event) {
	at := spot{e.Play, e.Host, e.Entry, e.Item}
	x := d.open[at]
	if x == nil || e.Pass != "apply" {
		return
	}
	delete(d.open, at)
	x.outcome = e.Status
	switch {
	case e.Error != nil && e.Error.Kind == engine.KindLost:
		x.outcome = unknown + ": " + e.Error.Text
	case e.Error != nil:
		x.outcome = "failed: " + e.Error.Text
	}
}

// goal notes what a recover said before it did anything.
func (d *Digest) goal(e engine.Event) {
	at := spot{e.Play, e.Host, e.Entry, ""}
	why := cmp.Or(e.Title, e.Reason)
	if e.Pass != "apply" || d.goals[at] != "" || why == "" {
		return
	}
	if d.goals == nil {
		d.goals = map[spot]string{}
	}
	d.goals[at] = why
}

// hostEnd notes how a host left a play: what was not ok stays. The pass that acts tells its own story.
func (d *Digest) hostEnd(e engine.Event) {
	if e.Pass == "apply" && !d.acting {
		d.acting = true
		clear(d.hosts)
	}
	if e.Pass != "apply" && d.acting {
		return
	}
	if d.hosts == nil {
		d.hosts = map[string]*host{}
	}
	now := &host{status: e.Status, play: e.Play}
	if e.Error != nil {
		now.text, now.hint = e.Error.Text, e.Error.Hint
		if e.Error.Host != "" && e.Error.Host != e.Host {
			now.text = e.Error.Host + ": " + now.text
		}
	}
	if was := d.hosts[e.Host]; was == nil || was.status == string(engine.HostOK) || was.text == "" && now.text != "" {
		d.hosts[e.Host] = now
	}
}

// End says how it ended for whoever started it: the exit code of the process, and what went wrong outside the events.
func (d *Digest) End(exit int, problem string, now time.Time) {
	d.exit = exit
	if d.over {
		return
	}
	d.ended, d.over, d.status, d.reason = now, true, "failed", problem
}

// Quiet tells whether there is nothing to say: it ended well, nothing was changed, and nothing is left to anybody.
func (d *Digest) Quiet() bool {
	return d.over && d.exit == 0 && len(d.deeds)+len(d.warnings)+len(d.untold)+len(d.refusals) == 0
}

// Occasions are why somebody should be told, the gravest first; none: nobody has to be.
func (d *Digest) Occasions() []engine.Occasion {
	var out []engine.Occasion
	for _, o := range []struct {
		is bool
		o  engine.Occasion
	}{
		{d.failed(), engine.OnFailure}, {d.left != nil, engine.OnApproval}, {len(d.healed()) > 0, engine.OnRecovery}, {len(d.deeds) > 0, engine.OnChange},
	} {
		if o.is {
			out = append(out, o.o)
		}
	}
	return out
}

const exitChanges = 2 // plan, --check: there are changes, which is no failure

func (d *Digest) failed() bool {
	return !d.over || len(d.bad()) > 0 || d.exit != 0 && d.exit != exitChanges && d.left == nil
}

// bad are the hosts that did not end ok, by name.
func (d *Digest) bad() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d.hosts)), func(h string) bool { return d.hosts[h].status == string(engine.HostOK) })
}

func (d *Digest) healed() []string {
	var out []string
	for _, r := range d.recoveries.All() {
		if r.Healed {
			out = append(out, r.Host)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// changed are the hosts that were acted on.
func (d *Digest) changed() []string {
	var out []string
	for _, x := range d.deeds {
		out = append(out, cmp.Or(x.on, x.host))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
