package rehearse

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/scenario"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

// Failure is an expectation that was not met.
type Failure struct {
	What  string // the argument of expect
	Place engine.Range
	Lines []string // "-" what was expected and is missing, "+" what happened instead
}

func (f Failure) String() string {
	return fmt.Sprintf("%s: %s\n    %s", f.Place, f.What, strings.Join(f.Lines, "\n    "))
}

// judge compares what happened with what was expected. What was not expected must not have happened.
func judge(e scenario.Expect, s *story, p *plan.Plan, res run.Result, refused map[string]string) []Failure {
	j := &judgement{e: e}
	stopped, why := stopOf(res)
	if stopped != e.StoppedBy {
		j.fail("stopped_by", missing(e.StoppedBy), extra(stopped, why))
	}
	happened := s.told()
	j.list("acts", e.Acts, happened.acts)
	j.list("warnings", sorted(e.Warnings), sorted(happened.warnings))
	j.refused(refused)
	j.hosts(res)
	if _, given := e.Places["plan"]; given {
		j.plan(s, p)
	}
	said := append(slices.Clone(happened.says), why)
	for _, text := range e.Says {
		if !slices.ContainsFunc(said, func(x string) bool { return strings.Contains(x, text) }) {
			j.fail("says", missing(text), fmt.Sprintf("nothing like it was said; it said: %q", slices.Compact(sorted(said))))
		}
	}
	return j.failures
}

type judgement struct {
	e        scenario.Expect
	failures []Failure
}

func (j *judgement) fail(what string, lines ...string) {
	place, ok := j.e.Places[what]
	if !ok {
		place = j.e.Places[""]
	}
	j.failures = append(j.failures, Failure{What: what, Place: place, Lines: slices.DeleteFunc(lines, func(l string) bool { return l == "" })})
}

// stopOf is what stopped the run, and why; both are empty when nothing did.
func stopOf(res run.Result) (by, why string) {
	switch {
	case res.Stop != nil:
		return cmp.Or(res.Stop.Item, string(res.Stop.Kind)), res.Stop.Reason
	case !res.AnyHost:
		return "no hosts", "no play had a host"
	}
	return "", ""
}

func missing(what string) string {
	if what == "" {
		return ""
	}
	return "- " + what
}

func extra(what, why string) string {
	if what == "" {
		return ""
	}
	return fmt.Sprintf("+ %s (%s)", what, why)
}

func (j *judgement) list(what string, want, got []string) {
	if !slices.Equal(want, got) {
		j.fail(what, difference(want, got)...)
	}
}

// refused compares the rules of policies that refuse the plan.
func (j *judgement) refused(got map[string]string) {
	var lines []string
	for _, name := range sorted(j.e.RefusedBy) {
		if _, ok := got[name]; !ok {
			lines = append(lines, missing(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !slices.Contains(j.e.RefusedBy, name) {
			lines = append(lines, extra(name, got[name]))
		}
	}
	if len(lines) > 0 {
		j.fail("refused_by", lines...)
	}
}

// hosts compares how hosts ended. One that is not in the expectation must have ended ok.
func (j *judgement) hosts(res run.Result) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(union(j.e.Hosts, res.Hosts))) {
		want := engine.HostStatus(cmp.Or(j.e.Hosts[name], string(engine.HostOK)))
		got, took := res.Hosts[name]
		switch {
		case !took:
			lines = append(lines, fmt.Sprintf("- %s %s", name, want), fmt.Sprintf("+ %s took no part", name))
		case got.Status != want:
			lines = append(lines, fmt.Sprintf("- %s %s", name, want), fmt.Sprintf("+ %s %s%s", name, got.Status, because(got)))
		}
	}
	if len(lines) > 0 {
		j.fail("hosts", lines...)
	}
}

func because(r run.HostResult) string {
	switch {
	case r.Err == nil:
		return ""
	case r.Play == "":
		return fmt.Sprintf(" (%s)", r.Err)
	}
	return fmt.Sprintf(" (in play %s: %s)", r.Play, r.Err)
}

func union(want map[string]string, got map[string]run.HostResult) map[string]bool {
	names := map[string]bool{}
	for name := range want {
		names[name] = true
	}
	for name := range got {
		names[name] = true
	}
	return names
}

// plan compares the steps of the plan: each that may act must be expected, and each that is expected must be so.
func (j *judgement) plan(s *story, p *plan.Plan) {
	var want, got []string
	planned := map[string]bool{}
	for _, i := range p.Items() {
		if i.Kind != engine.EntryStep {
			continue
		}
		label := s.label(i.Entry, i.Item, i.Host, i.On)
		planned[label] = true
		if expected, ok := j.e.Plan[label]; ok || i.Acts() {
			got = append(got, fmt.Sprintf("%s = %s", label, i.Disposition))
			if ok {
				want = append(want, fmt.Sprintf("%s = %s", label, expected))
			}
		}
	}
	for label, d := range j.e.Plan {
		if !planned[label] {
			want = append(want, fmt.Sprintf("%s = %s", label, d))
		}
	}
	j.list("plan", sorted(want), sorted(got))
}

func sorted(texts []string) []string { return slices.Sorted(slices.Values(texts)) }
