package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// whole judges whether the plan says all that there is to judge.
func (j *judge) whole() {
	switch {
	case j.d.Offline:
		j.say("plan", false, "it was made with --offline: what it would do was not looked at")
	case j.d.Stop != nil:
		j.say("plan", false, fmt.Sprintf("planning itself ended early (%s): %s", j.d.Stop.Kind, j.d.Stop.Reason))
	}
}

// modules judges who may act.
func (j *judge) modules() {
	counts, strangers := map[string]int{}, []string{}
	for _, i := range j.acting {
		counts[i.Module]++
		if !slices.Contains(j.Modules, i.Module) {
			strangers = append(strangers, fmt.Sprintf("%s (%s)", i.Module, where(i)))
		}
	}
	if len(strangers) > 0 {
		j.say("modules", false, fmt.Sprintf("%s by a module that may not act: %s; permitted are %s",
			plural(len(strangers), "action would be done", "actions would be done"), some(strangers), strings.Join(j.Modules, ", ")))
		return
	}
	var all []string
	for _, m := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s ×%d", m, counts[m]))
	}
	if all == nil {
		all = []string{"none"}
	}
	j.say("modules", true, "what may act is permitted: "+strings.Join(all, ", "))
}

// where is an action by its address and the host that does it.
func where(i plan.Item) string {
	if i.On == "" {
		return i.Entry
	}
	return i.Entry + " on " + i.On
}

// Hosts are those that a plan may act on, also through "on", sorted. Where an API does it (a vCenter for an ESXi host), the host for which
// it does it counts, too: one vCenter could act on all of them.
func Hosts(d *plan.Document) []string {
	api, set := map[string]bool{}, map[string]bool{}
	for _, h := range d.Hosts {
		api[h.Name] = h.Connection == "https"
	}
	for _, i := range d.Items {
		if !i.Acts() {
			continue
		}
		set[i.On] = true
		if api[i.On] {
			set[i.Host] = true
		}
	}
	delete(set, "") // not known yet
	return slices.Sorted(maps.Keys(set))
}

// maxHosts counts the hosts that are acted on by group, by this plan and by runs that go on.
func (j *judge) maxHosts() {
	groups := map[string][]string{}
	for _, h := range j.d.Hosts {
		groups[h.Name] = h.Groups
	}
	members, strangers := map[string][]string{}, []string{}
	for _, name := range Hosts(j.d) {
		counted := []string{engine.EveryHost}
		counted = append(counted, groups[name]...)
		known := false
		for _, group := range counted {
			if _, limited := j.MaxHosts[group]; limited {
				members[group] = append(members[group], name)
				known = true
			}
		}
		if !known {
			strangers = append(strangers, fmt.Sprintf("%s (%s)", name, belongs(groups[name])))
		}
	}
	others := j.others()
	for _, group := range slices.Sorted(maps.Keys(j.MaxHosts)) {
		j.count(group, j.MaxHosts[group], members[group], others[group])
	}
	if len(strangers) > 0 {
		j.say("max_hosts", false, fmt.Sprintf("%s in none of the groups of max_hosts and may not be acted on: %s", plural(len(strangers), "host is", "hosts are"), some(strangers)))
	}
	if n := j.nowhere(); n > 0 {
		j.say("max_hosts", false, plural(n, "action is", "actions are")+" planned of which the host is not known yet")
	}
}

// others are the hosts, by group, that runs which go on may act on and this plan does not, with their runs.
func (j *judge) others() map[string][]string {
	out := map[string][]string{}
	if j.f.Past == nil {
		return out
	}
	mine := Hosts(j.d)
	for _, h := range j.d.Hosts {
		run := j.f.Past.Underway[h.Settings]
		if run == "" || slices.Contains(mine, h.Name) {
			continue
		}
		for _, group := range append([]string{engine.EveryHost}, h.Groups...) {
			out[group] = append(out[group], h.Name+" by run "+run)
		}
	}
	return out
}

// count judges one group. What others do is no reason to refuse a plan that does nothing there.
func (j *judge) count(group string, most int, members, others []string) {
	text := fmt.Sprintf("%s: %s acted on at the worst, permitted are %d", group, plural(len(members), "host is", "hosts are"), most)
	if len(members) > 0 {
		text += ": " + some(members)
	}
	if len(others) > 0 {
		text += "; at the same time " + some(others)
	}
	j.say("max_hosts", len(members) == 0 || len(members)+len(others) <= most, text)
}

func belongs(groups []string) string {
	if len(groups) == 0 {
		return "in no group"
	}
	return strings.Join(groups, ", ")
}

// hosts are those that may do something, sorted.
func (j *judge) hosts() []string {
	set := map[string]bool{}
	for _, i := range j.acting {
		if i.On != "" {
			set[i.On] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (j *judge) nowhere() int {
	n := 0
	for _, i := range j.acting {
		if i.On == "" {
			n++
		}
	}
	return n
}

// deny looks for what is denied.
func (j *judge) deny() {
	passed := true
	for _, word := range j.Deny {
		switch word {
		case engine.DenyIdentityNone:
			passed = j.identities() && passed
		case engine.DenyUnknownArguments:
			passed = j.denied(word, func(i plan.Item) bool { return len(i.Unknown) > 0 }) && passed
		case engine.DenyProbeCommands:
			passed = j.probeCommands(j.probes()) && passed
		default:
			passed = j.denied(word, func(i plan.Item) bool { return slices.Contains(i.Effects, engine.Effect(word)) }) && passed
		}
	}
	if passed {
		j.say("deny", true, "nothing that is denied would be done: "+strings.Join(j.Deny, ", "))
	}
}

// denied says which actions have what is denied.
func (j *judge) denied(word string, has func(plan.Item) bool) bool {
	var found []string
	for _, i := range j.acting {
		if has(i) {
			found = append(found, where(i))
		}
	}
	if len(found) > 0 {
		j.say("deny", false, fmt.Sprintf("%s: %s it: %s", word, plural(len(found), "action has", "actions have"), some(found)))
	}
	return len(found) == 0
}

func (j *judge) identities() bool {
	identity := map[string]string{}
	for _, h := range j.d.Hosts {
		identity[h.Name] = h.Identity
	}
	var found []string
	for _, name := range j.hosts() {
		if id := identity[name]; id == "" || id == "none" {
			found = append(found, name)
		}
	}
	if len(found) > 0 {
		j.say("deny", false, fmt.Sprintf("identity_none: %s not prove who it is and would be acted on: %s", plural(len(found), "host does", "hosts do"), some(found)))
	}
	return len(found) == 0
}

func (j *judge) probes() []string {
	var found []string
	for _, i := range j.d.Items {
		if i.Kind == engine.EntryProbe && slices.Contains(commands, i.Module) && i.Disposition != plan.Skipped {
			found = append(found, where(i))
		}
	}
	return found
}
