package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// forecast makes a plan of items; a recover stands around what has one in its address.
func forecast(items ...Item) *Plan {
	p := New(&engine.Playbook{}, time.Time{})
	for _, i := range items {
		p.Add(i)
	}
	return p
}

func step(host, entry string, d Disposition, commands ...string) Item {
	return Item{Play: "p", Host: host, On: host, Entry: entry, Kind: engine.EntryStep, Disposition: d, Diff: engine.Diff{Commands: commands}}
}

func ladder(host, entry string, d Disposition) Item {
	return Item{Play: "p", Host: host, On: host, Entry: entry, Kind: engine.EntryRecover, Disposition: d}
}

func probe(host, entry string, d Disposition, values string) Item {
	return Item{Play: "p", Host: host, On: host, Entry: entry, Kind: engine.EntryProbe, Disposition: d, Values: values}
}

func TestCompare(t *testing.T) {
	run, attempt := step("a", "p/r/one/step.x", WillRun, "restart"), step("a", "p/r/two/step.y", Attempt, "kick")
	for name, c := range map[string]struct {
		was, is []Item
		want    string // host entry, and + where it is only gone
	}{
		"a value changes, no decision": {
			[]Item{probe("a", "p/probe.v", Probed, "1"), run}, []Item{probe("a", "p/probe.v", Probed, "2"), run}, "",
		},
		"the reason changes": {
			[]Item{step("a", "p/step.x", Skipped)}, []Item{step("a", "p/step.x", NoOp)}, "",
		},
		"a new host needs nothing": {
			[]Item{run}, []Item{run, step("b", "p/r/one/step.x", NoOp)}, "",
		},
		"another command": {
			[]Item{run}, []Item{step("a", "p/r/one/step.x", WillRun, "restart --force")}, "a p/r/one/step.x",
		},
		"another module": {
			[]Item{run}, []Item{{Play: "p", Host: "a", On: "a", Entry: run.Entry, Kind: engine.EntryStep, Module: "shell", Disposition: WillRun, Diff: run.Diff}}, "a p/r/one/step.x",
		},
		"one command less": {
			[]Item{step("a", "p/step.x", WillRun, "one", "two")}, []Item{step("a", "p/step.x", WillRun, "one")}, "a p/step.x",
		},
		"another doer": {
			[]Item{run}, []Item{{Play: "p", Host: "a", On: "z", Entry: run.Entry, Kind: engine.EntryStep, Disposition: WillRun, Diff: run.Diff}}, "a p/r/one/step.x",
		},
		"a host heals itself": {
			[]Item{ladder("a", "p/r", WillRun), run, attempt}, []Item{ladder("a", "p/r", NoOp)}, "a p/r/one/step.x+ a p/r/two/step.y+",
		},
		"a host is gone": {
			[]Item{run}, nil, "a p/r/one/step.x+",
		},
		"a recover heals, another step stays": {
			[]Item{ladder("a", "p/r", WillRun), run, step("a", "p/step.z", WillRun)}, []Item{ladder("a", "p/r", NoOp), step("a", "p/step.z", WillRun)}, "a p/r/one/step.x+",
		},
		"one step of two is not needed: no whole": {
			[]Item{step("a", "p/step.x", WillRun), step("a", "p/step.y", WillRun)}, []Item{step("a", "p/step.x", NoOp), step("a", "p/step.y", WillRun)}, "a p/step.x",
		},
		"one attempt of a recover is not possible any more": {
			[]Item{ladder("a", "p/r", WillRun), run, attempt}, []Item{ladder("a", "p/r", WillRun), run, step("a", attempt.Entry, Skipped)}, "a p/r/two/step.y",
		},
		"the first attempt becomes the second": {
			[]Item{run, attempt}, []Item{step("a", run.Entry, Skipped), step("a", attempt.Entry, WillRun, "kick")}, "a p/r/one/step.x a p/r/two/step.y",
		},
		"a host falls ill": {
			[]Item{run, step("b", run.Entry, NoOp)}, []Item{run, step("b", run.Entry, WillRun, "restart")}, "b p/r/one/step.x",
		},
		"a host that was silent answers and is ill": {
			[]Item{step("b", run.Entry, Unreachable)}, []Item{step("b", run.Entry, WillRun)}, "b p/r/one/step.x",
		},
		"a host that was silent answers and is well": {
			[]Item{run, step("b", run.Entry, Unreachable)}, []Item{run, step("b", run.Entry, NoOp)}, "",
		},
		"a probe gets no answer": {
			[]Item{probe("a", "p/probe.v", Probed, "1")}, []Item{probe("a", "p/probe.v", Unreachable, "")}, "a p/probe.v",
		},
		"what comes after a probe without an answer is not gone": {
			[]Item{probe("a", "p/probe.v", Probed, "1"), run}, []Item{probe("a", "p/probe.v", Unreachable, "")}, "a p/probe.v a p/r/one/step.x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range Compare(forecast(c.was...), forecast(c.is...)) {
				if d.What == "" {
					t.Errorf("%v says nothing", d)
				}
				s := d.Host + " " + d.Entry
				if d.Gone {
					s += "+"
				}
				got = append(got, s)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), c.want)
			}
		})
	}
}

func TestCheckThatFailsNowIsNoHealing(t *testing.T) {
	was, is := forecast(step("a", "p/step.x", WillRun)), forecast()
	is.Judge(Check{Name: "sane", Play: "p", Host: "a", Status: "failed", Reason: "no"})
	is.End(&Stop{Kind: "check", Item: "all", Reason: "everything is dark"})
	drift := Compare(was, is)
	if len(drift) != 2 || drift[0].Gone || drift[1].Gone || !strings.Contains(fmt.Sprint(drift), "everything is dark") {
		t.Errorf("%+v", drift)
	}
}

func TestNarrowedPlanDoesNotAllowWhatItDropped(t *testing.T) {
	x := step("a", "p/step.x", WillRun, "restart")
	p := forecast(x, step("b", "p/step.x", WillRun, "restart"))
	if err := p.Allow(x); err != nil {
		t.Fatal(err)
	}
	p.Narrow(Compare(p, forecast(step("b", "p/step.x", WillRun, "restart"))))
	if err := p.Allow(x); err == nil {
		t.Error("what was dropped would still be done")
	}
	if acting := p.Acting(); len(acting) != 1 || acting[0].Host != "b" {
		t.Errorf("left is %+v", acting)
	}
}

// Each drift says why, in the words of what stands around it.
func TestDriftSaysWhy(t *testing.T) {
	run := step("a", "p/r/one/step.x", WillRun, "restart")
	well := ladder("a", "p/r", NoOp)
	well.Reason = "the engine is online"
	silent := probe("b", "p/probe.v", Unreachable, "")
	silent.Reason = "connection refused"
	changes := step("c", "p/step.x", WillRun)
	changes.Diff.Changes = []engine.Change{{What: "x", Before: "STOPPED", After: "RUNNING"}}
	stopped := forecast()
	stopped.End(&Stop{Kind: "check", Item: "all", Reason: "everything is dark"})
	for name, c := range map[string]struct {
		was, is *Plan
		want    string
	}{
		"the recover around it":  {forecast(ladder("a", "p/r", WillRun), run), forecast(well), "it is not needed any more: the engine is online"},
		"not for this host":      {forecast(run), forecast(), "the play is not for this host today"},
		"the playbook stops":     {forecast(run), stopped, "the playbook stops before it now"},
		"silent before":          {forecast(silent), forecast(step("b", "p/step.x", WillRun)), "its host could not be judged: connection refused"},
		"a difference":           {forecast(), forecast(changes), `the plan does not have it: x is "STOPPED" instead of "RUNNING"`},
		"a reason that is empty": {forecast(run), forecast(step("a", run.Entry, Attempt, "restart")), "now it would be attempt"},
	} {
		drift := Compare(c.was, c.is)
		last := drift[len(drift)-1]
		if !strings.HasSuffix(last.What, c.want) {
			t.Errorf("%s: %q", name, last.What)
		}
	}
}

// Of a file that is copied the drift says that the source is another one; of everything else that differs it does not.
func TestDriftNamesAChangedSource(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	was := "put /srv/a file 1 byte sha256:" + a + " mode 0644"
	for now, named := range map[string]bool{
		"put /srv/a file 12 bytes sha256:" + b + " mode 0644":  true,
		"put /srv/a file 1 byte sha256:" + b:                   true,
		"put /srv/a file 1 byte sha256:" + a + " mode 0600":    false,
		"put /srv/another 12 bytes sha256:" + b + " mode 0644": false,
		"put /srv/a file «secret: env:X» mode 0644":            false,
		"cat /srv/a file": false,
	} {
		drift := Compare(forecast(step("a", "p/step.x", WillRun, was)), forecast(step("a", "p/step.x", WillRun, now)))
		if len(drift) != 1 || strings.Contains(drift[0].What, ": its source has changed, there it was 1 byte sha256:"+a) != named {
			t.Errorf("%s: %v", now, drift)
		}
	}
}
