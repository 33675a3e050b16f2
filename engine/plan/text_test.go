package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

func text(items ...plan.Item) string {
	p := plan.New(&engine.Playbook{}, time.Unix(0, 0))
	for _, i := range items {
		i.Play, i.Host, i.On = "p", "a", "a"
		if i.Kind == "" {
			i.Kind, i.Disposition = engine.EntryStep, plan.WillRun
		}
		p.Add(i)
	}
	var b strings.Builder
	p.Text(&b, func(s string) string { return strings.ReplaceAll(s, "hunter22", "«secret»") })
	return b.String()
}

// Who approves reads this on a terminal: a host must not be able to hide a line from them, or to add one.
func TestTextIsNotWrittenByHosts(t *testing.T) {
	got := text(plan.Item{Entry: "p/step.x", Diff: engine.Diff{
		Changes:  []engine.Change{{What: "state", Before: "off\x1b[2K\u009b1A\u202e\n      $ /bin/true", After: "hunter22"}},
		Commands: []string{"a\nb"},
	}})
	if strings.ContainsAny(got, "\x1b\u009b\u202e") || strings.Contains(got, "\n      $ /bin/true") || strings.Contains(got, "hunter22") {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(got, "      $ a\n        | b\n") {
		t.Errorf("a command of two lines: %q", got)
	}
}

func TestTextNamesWhatIsNotKnown(t *testing.T) {
	if got := text(plan.Item{Entry: "p/step.x", Unknown: []string{"stdin"}}); !strings.Contains(got, "      stdin: not known yet\n") {
		t.Errorf("got %q", got)
	}
}

func TestTextTellsWhyOfEveryRecover(t *testing.T) {
	recover := func(name string) []plan.Item {
		return []plan.Item{
			{Entry: "p/recover." + name, Kind: engine.EntryRecover, Disposition: plan.WillRun, Reason: name + " is ill"},
			{Entry: "p/recover." + name + "/step.one"}, {Entry: "p/recover." + name + "/step.two"},
		}
	}
	got := text(append(recover("r"), recover("s")...)...)
	if strings.Count(got, "why: r is ill") != 1 || strings.Count(got, "why: s is ill") != 1 {
		t.Errorf("got %s", got)
	}
}
