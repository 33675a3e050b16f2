package run_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

// eachOf makes an entry repeat for items; the fake's modules then look at what is called as the item.
func eachOf(e *engine.Entry) *engine.Entry {
	e.ForEach = expr{text: "items"}
	return e
}

func TestItems(t *testing.T) {
	b := newBench([]string{"a"}, eachOf(step("set")))
	b.each = map[string][]string{"set": {"x", "y", "z"}}
	for _, name := range b.each["set"] {
		b.opts.Inventory.Hosts[name] = &engine.Host{Name: name}
	}
	b.world.on["y"] = true
	p, res := b.both(t, func() { b.world.fails["set"] = nil })
	for item, want := range map[string]plan.Disposition{"x": plan.WillRun, "y": plan.NoOp, "z": plan.WillRun} {
		if i, ok := p.FindItem("p", "a", "p/step.set", item); !ok || i.Disposition != want || i.Item != item {
			t.Errorf("%s: %+v", item, i)
		}
	}
	if b.world.log() != "set@x set@z" || statuses(res) != "a=ok" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
	ends := 0
	for _, e := range b.log.events {
		if e.Kind == engine.EventEntryEnd && e.Pass == "apply" && e.Item != "" {
			ends++
		}
	}
	if ends != 3 {
		t.Errorf("%d items ended", ends)
	}
}

func TestOneItemFails(t *testing.T) {
	b := newBench([]string{"a"}, eachOf(step("set")), step("after"))
	b.each = map[string][]string{"set": {"x", "y", "z"}}
	for _, name := range b.each["set"] {
		b.opts.Inventory.Hosts[name] = &engine.Host{Name: name}
	}
	_, res := b.both(t, func() { b.world.dead["y"] = true })
	if b.world.log() != "set@x set@z" || statuses(res) != "a=failed" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
	if text := res.Hosts["a"].Err.Error(); text != "p/step.set: 1 of 3 items failed (y): connect: refused" {
		t.Errorf("error %q", text)
	}
}

func TestItemOutsideThePlan(t *testing.T) {
	b := newBench([]string{"a"}, eachOf(step("set")))
	b.each = map[string][]string{"set": {"x"}}
	for _, name := range []string{"x", "y"} {
		b.opts.Inventory.Hosts[name] = &engine.Host{Name: name}
	}
	_, res := b.both(t, func() { b.each["set"] = []string{"y"} })
	if b.world.log() != "" || statuses(res) != "a=out_of_plan" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
}

func TestUnknownItemsCannotBePlanned(t *testing.T) {
	b := newBench([]string{"a"}, step("before"), eachOf(step("set")))
	r := run.New(b.opts)
	p, res, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i, _ := p.Find("p", "a", "p/step.set")
	if i.Disposition != plan.Error || statuses(res) != "a=failed" || i.Error.Kind != engine.KindEval || !strings.Contains(i.Reason, "for_each cannot be known yet: it waits for p/step.before") {
		t.Errorf("%s %+v", statuses(res), i)
	}
}

func TestNoItems(t *testing.T) {
	b := newBench([]string{"a"}, eachOf(step("set")))
	b.each = map[string][]string{}
	p, res := b.both(t, nil)
	if dispositions(p) != "a:step.set=skipped" || statuses(res) != "a=ok" {
		t.Errorf("%s, %s", dispositions(p), statuses(res))
	}
}
