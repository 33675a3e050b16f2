// Package policy knows whether a plan may be applied while nobody looks: it judges the plan's whole worst case, attempts
// included, by what people wrote down before. It looks at nothing but what it is given.
package policy

import (
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// Facts are what a verdict depends on beside policy and plan.
type Facts struct {
	Now       time.Time
	Approvals int // people, other than the planner, whose signatures of the plan count
	// Past is what earlier runs did; nil: nobody knows, because of NoPast. A policy that has to know it then refuses.
	Past   *engine.Past
	NoPast string
}

// Rule is what one rule of a policy says of a plan, and on which numbers.
type Rule struct {
	Name   string `json:"rule"` // the argument of the policy
	Passed bool   `json:"passed"`
	Reason string `json:"reason"`
	Place  string `json:"place,omitempty"` // file:line:col
}

// Verdict is what a policy says of a plan.
type Verdict struct {
	Policy    string `json:"policy"`
	Permitted bool   `json:"permitted"`
	Rules     []Rule `json:"rules"` // all of them, in the order of the documentation
}

// Refusals are the rules that did not pass.
func (v Verdict) Refusals() []Rule {
	var out []Rule
	for _, r := range v.Rules {
		if !r.Passed {
			out = append(out, r)
		}
	}
	return out
}

// Judge judges a plan. It is a pure function: the same policy, plan and facts always give the same verdict.
func Judge(p engine.Policy, d *plan.Document, f Facts) Verdict {
	j := &judge{Policy: p, d: d, f: f}
	for _, i := range d.Items {
		if i.Acts() {
			j.acting = append(j.acting, i)
		}
	}
	j.whole()
	j.playbook(d.Playbook.Path, d.Playbook.Files)
	j.modules()
	j.maxHosts()
	j.deny()
	j.window()
	j.cooldown()
	j.perHour()
	j.breaker()
	j.approvals()
	return j.verdict()
}

// Permits is the first policy that permits the plan; nil: none does. The verdicts of all come beside it.
func Permits(policies []engine.Policy, d *plan.Document, f Facts) (*engine.Policy, []Verdict) {
	var by *engine.Policy
	verdicts := make([]Verdict, len(policies))
	for i := range policies {
		verdicts[i] = Judge(policies[i], d, f)
		if verdicts[i].Permitted && by == nil {
			by = &policies[i]
		}
	}
	return by, verdicts
}

// judge collects what the rules say.
type judge struct {
	engine.Policy
	d      *plan.Document
	f      Facts
	acting []plan.Item
	rules  []Rule
}

// say records what a rule says. Place is that of the argument, or of the policy where it is not written.
func (j *judge) say(rule string, passed bool, reason string) {
	place, ok := j.Places[rule]
	if !ok {
		place = j.Range
	}
	j.rules = append(j.rules, Rule{Name: rule, Passed: passed, Reason: reason, Place: place.String()})
}

func (j *judge) verdict() Verdict {
	v := Verdict{Policy: j.Name, Rules: j.rules}
	v.Permitted = len(v.Refusals()) == 0
	return v
}
