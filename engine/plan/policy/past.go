package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

func (j *judge) window() {
	if j.Window == nil {
		return
	}
	now := j.f.Now
	if !j.Window.Open(now) {
		text := "it is closed (" + j.Window.String() + ")"
		if opens := j.Window.Opens(now); !opens.IsZero() {
			text += "; it opens " + j.Window.Clock(opens)
		}
		j.say("window", false, text)
		return
	}
	text := "it is open (" + j.Window.String() + ")"
	if closes := j.Window.Closes(now); !closes.IsZero() {
		text += "; it closes " + j.Window.Clock(closes)
	}
	j.say("window", true, text)
}

// known tells whether there is a record of the past, and refuses without one.
func (j *judge) known(rule string) bool {
	if j.f.Past == nil {
		j.say(rule, false, "what was done before is not known: "+cmp.Or(j.f.NoPast, "there is no journal"))
	}
	return j.f.Past != nil
}

// cooldown looks for the same action on the same host in earlier runs. One that is recorded in the future counts: a clock that
// was set back is no reason to act again.
func (j *judge) cooldown() {
	if j.Cooldown == 0 || !j.known("cooldown") {
		return
	}
	last := map[string]engine.Deed{} // by action, and by host and module alone
	for _, deed := range j.f.Past.Deeds {
		if j.f.Now.Sub(deed.Time) >= j.Cooldown {
			continue
		}
		for _, id := range []string{action(deed.Host, deed.Module, deed.Args), action(deed.Host, deed.Module, nil)} {
			if deed.Time.After(last[id].Time) {
				last[id] = deed
			}
		}
	}
	var found []string
	for _, i := range j.acting {
		args := i.Args
		if len(i.Unknown) > 0 { // it may turn out to be the same
			args = nil
		}
		if deed, ok := last[action(i.On, i.Module, args)]; ok {
			when := ago(j.f.Now, deed.Time).String() + " ago"
			if deed.Ahead {
				when = "at any moment"
			}
			found = append(found, fmt.Sprintf("%s (%s, %s, run %s)", where(i), i.Module, when, deed.Run))
		}
	}
	if slices.Sort(found); len(found) > 0 {
		found = slices.Compact(found)
		j.say("cooldown", false, fmt.Sprintf("within %s %s done already: %s", j.Cooldown, plural(len(found), "action of the plan was", "actions of the plan were"), some(found)))
		return
	}
	j.say("cooldown", true, fmt.Sprintf("nothing of the plan was done within %s", j.Cooldown))
}

func ago(now, then time.Time) time.Duration { return now.Sub(then).Round(time.Second) }

// action names what is done to a host; args nil: whatever the arguments.
func action(host, module string, args []engine.Arg) string {
	text, err := json.Marshal(struct {
		Host, Module string
		Args         []engine.Arg
	}{host, module, args})
	if err != nil {
		panic(err) // texts always can
	}
	return string(text)
}

func (j *judge) perHour() {
	if j.PerHour == 0 || !j.known("per_hour") {
		return
	}
	before, ahead := 0, 0
	for _, deed := range j.f.Past.Deeds {
		switch {
		case deed.Ahead:
			ahead++
		case j.f.Now.Sub(deed.Time) < time.Hour:
			before++
		}
	}
	text := plural(before, "action was", "actions were") + " begun within the last hour, "
	if ahead > 0 {
		text += fmt.Sprintf("%d more may be by runs that go on, ", ahead)
	}
	j.say("per_hour", before+ahead+len(j.acting) <= j.PerHour, text+fmt.Sprintf("and %d more at the worst; permitted are %d", len(j.acting), j.PerHour))
}

// breaker looks for recovers of the plan that did not help before.
func (j *judge) breaker() {
	b := j.Breaker
	if b.Host == 0 && b.Estate == 0 || !j.known("breaker") {
		return
	}
	passed := true
	estates := map[string]bool{}
	for _, i := range j.d.Items {
		if i.Kind != engine.EntryRecover || i.Disposition != plan.WillRun && i.Disposition != plan.Depends && i.Disposition != plan.RescueOnly {
			continue
		}
		if n := j.vain(i, true); b.Host > 0 && n >= b.Host {
			passed = false
			j.say("breaker", false, fmt.Sprintf("%s on %s failed %s within %s without success since: look for the cause, a resource that is short or a defect of the product",
				i.Entry, i.Host, times(n), b.Within))
		}
		if n := j.vain(i, false); b.Estate > 0 && n >= b.Estate && !estates[i.Entry] {
			passed, estates[i.Entry] = false, true
			j.say("breaker", false, fmt.Sprintf("%s failed %s within %s on all hosts together: look for a cause that they share", i.Entry, times(n), b.Within))
		}
	}
	if passed {
		j.say("breaker", true, fmt.Sprintf("no recover of the plan failed too often within %s", b.Within))
	}
}

// vain counts the recoveries that failed: on the host of i since one succeeded there, or on every host.
func (j *judge) vain(i plan.Item, same bool) int {
	var all []engine.Recovery
	for _, r := range j.f.Past.Recoveries {
		if r.Entry == i.Entry && filepath.Base(r.Playbook) == filepath.Base(j.d.Playbook.Path) && (r.Host == i.Host || !same) && j.f.Now.Sub(r.Time) < j.Breaker.Within {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b engine.Recovery) int { return a.Time.Compare(b.Time) })
	n := 0
	for _, r := range all {
		switch {
		case r.Failed:
			n++
		case same:
			n = 0
		}
	}
	return n
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (j *judge) approvals() {
	if need := j.Require.Approvals; need > 0 {
		j.say("require", j.f.Approvals >= need, fmt.Sprintf("approvals: %d of %d", j.f.Approvals, need))
	}
}
