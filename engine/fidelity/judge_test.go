package fidelity

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// judge compares what the world received with what the file of the plan says. It asks neither the engine's envelope nor
// its ledger.
func (j *journey) judge() {
	j.lookedOnly()
	j.knownOnly()
	j.waited()
	if j.read.Stop != nil {
		if len(j.world.lines("look", "apply")) > 0 {
			j.Error("a plan that ended early was applied")
		}
		return
	}
	j.insideEnvelope()
	j.recorded()
	j.told()
	j.compared()
	if j.calm {
		j.kept()
	}
}

// acts is this test's own reading of what a plan allows.
func acts(i plan.Item) bool {
	return i.Kind == engine.EntryStep && slices.Contains([]plan.Disposition{"will_run", "attempt", "rescue_only", "depends"}, i.Disposition)
}

// lookedOnly: planning sends nothing that changes something, also when apply looks again.
func (j *journey) lookedOnly() {
	for _, l := range j.world.lines("plan", "look") {
		if l.mutates {
			j.Errorf("(a) while planning: %s", l)
		}
	}
}

// placeholder is what no command line of these playbooks holds, unless something unknown or null became a text.
var placeholder = regexp.MustCompile(`(?i)null|unknown|cty\.|<nil>|%!|\$\{|«`)

// knownOnly: nothing unknown is executed, nor could it be.
func (j *journey) knownOnly() {
	for _, l := range j.world.lines("plan", "look", "apply") {
		if placeholder.MatchString(l.text) && l.text != asked {
			j.Errorf("(d) executed: %s", l)
		}
	}
	executed := []string{"argv", "text", "name", "state", "enabled", "unless", "creates", "env", "dir"}
	for _, i := range j.read.Items {
		for _, name := range i.Unknown {
			if acts(i) && slices.ContainsFunc(executed, func(x string) bool { return strings.HasPrefix(name, x) }) {
				j.Errorf("(d) %s on %s may run with an unknown %s", i.Entry, i.Host, name)
			}
		}
		for _, c := range i.Diff.Commands {
			if placeholder.MatchString(c) {
				j.Errorf("(d) the plan would execute %q", c)
			}
		}
	}
}

// asked is the engine's question for the platform.
const asked = `echo "dsplay:$(uname -s):$(id -u):$(command -v esxcli):$(vmware -v)"`

// waited: an entry whose for_each, on or executed argument waits for a step that has not run does not act, and says for
// what it waits; a play whose hosts are not known ends planning.
func (j *journey) waited() {
	entries := map[string]bool{}
	for _, i := range j.playbook.Items {
		if i.Play == nil {
			continue
		}
		for e := range engine.Walk(i.Play.Entries) {
			entries[e.Address] = true
		}
	}
	acting := map[[2]string]bool{} // tag, host
	for _, i := range j.read.Items {
		if acts(i) {
			acting[[2]string{tagOf(i.Entry), i.Host}] = true
		}
	}
	for _, i := range j.read.Items {
		step := j.poisons[tagOf(i.Entry)]
		if step != "" && acts(i) && acting[[2]string{step, i.Host}] {
			j.Errorf("(3b) %s on %s is %s, and what is executed waits for %s", i.Entry, i.Host, i.Disposition, step)
		}
		_, names, ok := strings.Cut(i.Reason, "cannot be known yet: it waits for ")
		if !ok {
			continue
		}
		for _, name := range strings.Split(names, ", ") {
			if !entries[name] {
				j.Errorf("(3b) %s on %s waits for %q, which is no entry of the playbook: %s", i.Entry, i.Host, name, i.Reason)
			}
		}
	}
	if s := j.read.Stop; s != nil && s.Kind == "unknown" {
		m := waitsFor.FindStringSubmatch(s.Reason)
		if m == nil || !entries[m[1]] {
			j.Errorf("(3b) planning ended early and does not say for which entry it waits: %s", s.Reason)
		}
	}
}

var waitsFor = regexp.MustCompile(`(?:they wait|it waits) for ([^,]+)`)

// tagOf is the name by which the world knows the steps of an entry.
func tagOf(entry string) string {
	if i := strings.LastIndex(entry, "/include."); i >= 0 {
		entry, _, _ = strings.Cut(entry[i+len("/include."):], "/")
		return entry
	}
	return entry[strings.LastIndex(entry, ".")+1:]
}

var (
	forWhom = regexp.MustCompile(`--for '?(e\d+)@([a-z0-9]+)(?:#([a-z0-9]+))?`)
	service = regexp.MustCompile(`systemctl [a-z]+ svc-(e\d+)`)
)

// insideEnvelope: every line that changes something is in the plan for the host that executed it, and for the entry, host
// and item for which it says that it was executed.
func (j *journey) insideEnvelope() {
	for _, l := range j.world.lines("apply") {
		if l.mutates && !slices.ContainsFunc(j.read.Items, func(i plan.Item) bool { return j.covers(i, l) }) {
			j.Errorf("(b) not in the plan: %s", l)
		}
	}
}

func (j *journey) covers(i plan.Item, l line) bool {
	if !acts(i) || i.On != l.host || !slices.Contains(i.Diff.Commands, l.text) {
		return false
	}
	if slices.ContainsFunc(j.dropped, func(d plan.Drift) bool {
		return d.Play == i.Play && d.Host == i.Host && d.Entry == i.Entry && d.Item == i.Item
	}) {
		return false
	}
	if m := forWhom.FindStringSubmatch(l.text); m != nil {
		return m[1] == tagOf(i.Entry) && m[2] == i.Host && m[3] == i.Item
	}
	m := service.FindStringSubmatch(l.text)
	return m != nil && m[1] == tagOf(i.Entry)
}

// recorded: every line that changed something was announced before, by an intent that holds it.
func (j *journey) recorded() {
	announced := map[string]bool{}
	for _, e := range j.events {
		doer := e.Host
		if e.On != "" {
			doer = e.On
		}
		if e.Kind == engine.EventIntent {
			for _, text := range e.Lines {
				announced[doer+"\x00"+text] = true
			}
		}
	}
	for _, l := range j.world.lines("apply") {
		if l.mutates && !announced[l.host+"\x00"+l.text] {
			j.Errorf("no intent was recorded before: %s", l)
		}
	}
}

type key struct{ play, host, entry, item string }

func keyOf(i plan.Item) key         { return key{i.Play, i.Host, i.Entry, i.Item} }
func keyOfEvent(e engine.Event) key { return key{e.Play, e.Host, e.Entry, e.Item} }

// ran tells whether every command of an item reached the world.
func (j *journey) ran(i plan.Item) bool {
	for _, c := range i.Diff.Commands {
		if !slices.ContainsFunc(j.world.lines("apply"), func(l line) bool { return l.mutates && l.host == i.On && l.text == c }) {
			return false
		}
	}
	return true
}

// told: what the plan says will run and did not run is reported: resolved, failed, or not attempted.
func (j *journey) told() {
	resolved, failed, begun := map[key]bool{}, map[key]bool{}, map[key]bool{}
	ended := map[[2]string]string{}
	for _, e := range j.events {
		switch {
		case e.Kind == engine.EventResolved:
			resolved[keyOfEvent(e)] = true
		case e.Kind == engine.EventIntent:
			begun[keyOfEvent(e)] = true
		case e.Kind == engine.EventEntryEnd && (e.Status == "failed" || strings.HasPrefix(e.Reason, "not attempted")):
			failed[keyOfEvent(e)] = true
		case e.Kind == engine.EventHostEnd:
			ended[[2]string{e.Play, e.Host}] = e.Status
		}
	}
	for _, i := range j.read.Items {
		if i.Disposition != plan.WillRun || i.Kind != engine.EntryStep {
			continue
		}
		k, status := keyOf(i), ended[[2]string{i.Play, i.Host}]
		whole := k
		whole.item = ""
		dropped := slices.ContainsFunc(j.dropped, func(d plan.Drift) bool { return d.Play == k.play && d.Host == k.host && d.Entry == k.entry })
		switch {
		case resolved[k] && begun[k]:
			j.Errorf("(e) %s on %s was begun, and is reported as not needed", i.Entry, i.Host)
		case resolved[k] || begun[k] || failed[k] || failed[whole] || dropped:
		case status != "" && status != "ok":
		case slices.Contains(j.result.NotBegun, i.Play):
		default:
			j.Errorf("(e) the plan says that %s[%s] will run on %s; it did not, and nothing says why (host %q, stop %+v)", i.Entry, i.Item, i.Host, status, j.result.Stop)
		}
	}
}

// decision is what a plan decides of an item, without the values that it saw.
func decision(i plan.Item) string {
	var args []string
	for _, a := range i.Args {
		if !slices.Contains(i.Unknown, a.Name) {
			args = append(args, a.Name+"="+a.Value)
		}
	}
	return fmt.Sprintf("%s on %s %q %q %q %q", i.Disposition, i.On, args, i.Unknown, i.Diff.Commands, i.Effects)
}

func decisions(d *plan.Document) map[key]string {
	out := map[key]string{}
	for _, i := range d.Items {
		if acts(i) {
			out[keyOf(i)] = decision(i)
		}
	}
	return out
}

// compared: what is called drift is a difference of decisions, and every such difference is called so.
func (j *journey) compared() {
	same := maps.Equal(decisions(j.read), decisions(j.again)) && j.again.Stop == nil
	switch {
	case len(j.drifts) == 0 && !j.changed && len(j.drift) > 0:
		j.Errorf("(f) nothing has changed, and it drifted: %v", j.drift)
	case len(j.drift) == 0 && !same:
		j.Errorf("(f) decisions are others, and it is no drift:\n%v\n%v", decisions(j.read), decisions(j.again))
	case len(j.drift) > 0 && same && !slices.ContainsFunc(j.drift, func(d plan.Drift) bool { return strings.Contains(d.What, "cannot be judged") }):
		j.Errorf("(f) decisions are the same, and it drifted: %v", j.drift)
	}
}

// refused tells whether what was out of the plan is what planning had refused, because it waits for something: a host goes on
// after it in a rescue or a finally.
func (j *journey) refused(err error) bool {
	var out *plan.OutOfPlan
	return errors.As(err, &out) && slices.ContainsFunc(j.read.Items, func(i plan.Item) bool {
		return i.Host == out.Host && i.Entry == out.Entry && i.Disposition == plan.Error && strings.Contains(i.Reason, "waits for")
	})
}

// kept: in a world that does not change by itself, everything that the plan says will run ran, unless its host ended
// before for a reason of its own; nothing was resolved, and nothing was out of the plan.
func (j *journey) kept() {
	for name, h := range j.result.Hosts {
		if h.Status == engine.HostOutOfPlan && !j.refused(h.Err) {
			j.Errorf("(f) out of plan in an unchanged world: %s: %v", name, h.Err)
		}
	}
	for _, e := range j.events {
		if e.Kind == engine.EventResolved {
			j.Errorf("(c) resolved in an unchanged world: %s on %s: %s", e.Entry, e.Host, e.Reason)
		}
	}
	bad := map[[2]string]bool{}
	for _, e := range j.events {
		if e.Kind == engine.EventHostEnd && e.Status != "ok" || strings.HasPrefix(e.Reason, "not attempted") {
			bad[[2]string{e.Play, e.Host}] = true
		}
	}
	for _, i := range j.read.Items {
		if i.Kind == engine.EntryStep && i.Disposition == plan.WillRun && !j.ran(i) && !bad[[2]string{i.Play, i.Host}] && !slices.Contains(j.result.NotBegun, i.Play) {
			j.Errorf("(c) it did not run although nothing has changed: %s[%s] on %s", i.Entry, i.Item, i.Host)
		}
	}
}
