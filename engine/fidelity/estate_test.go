package fidelity

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// estate is a world, the inventory that describes it, and a playbook for it.
type estate struct {
	seed  uint64
	calm  bool // nothing happens but what steps do, and no step touches what another one judges
	world *world
	inv   *engine.Inventory
	book  string
	*grammar
	drifts []effect // between the plan and its apply
	late   []effect // after apply has looked, before it acts
	byHand bool     // somebody does what the plan says for one host, before it is applied
	undone bool     // and takes it back when apply has looked
}

// newEstate makes an estate out of a number. Every third one is calm.
func newEstate(seed uint64) *estate {
	r := rand.New(rand.NewPCG(seed, 77))
	e := &estate{seed: seed, calm: seed%3 == 0}
	e.inv = newInventory(r)
	e.world = newWorld(seed, e.inv.Names())
	e.grammar = newGrammar(r, e.calm)
	e.book = e.grammar.book()
	for _, n := range e.world.nodes {
		if e.calm {
			n.uid = 0
		}
	}
	e.befall()
	return e
}

func newInventory(r *rand.Rand) *engine.Inventory {
	inv := &engine.Inventory{Hosts: map[string]*engine.Host{engine.Localhost: {Name: engine.Localhost}}, Groups: map[string][]string{"red": {}, "blue": {}},
		Attrs: map[string]cty.Type{"keeper": cty.String, "app": cty.String, "rank": cty.Number, "note": cty.String, "lot": cty.List(cty.String)}}
	apps := 1 + r.IntN(3)
	add := func(group, name string) {
		attrs := map[string]cty.Value{"keeper": cty.StringVal(fmt.Sprintf("k%d", 1+r.IntN(2))), "rank": cty.NumberIntVal(r.Int64N(4)), "lot": cty.ListValEmpty(cty.String)}
		if r.IntN(8) > 0 {
			attrs["app"] = cty.StringVal(fmt.Sprintf("a%d", 1+r.IntN(apps)))
		}
		if r.IntN(2) == 0 {
			attrs["note"] = cty.StringVal([]string{"plain", "two words", "it's"}[r.IntN(3)])
		}
		if r.IntN(2) == 0 {
			attrs["lot"] = cty.ListVal([]cty.Value{cty.StringVal("x"), cty.StringVal("y")})
		}
		groups := []string{group}
		if group == "nodes" {
			groups = append(groups, []string{"red", "blue"}[r.IntN(2)])
		}
		inv.Hosts[name] = &engine.Host{Name: name, Address: name, Groups: groups, Attrs: attrs, Connection: engine.Connection{Type: "wire", Settings: &struct{}{}}}
		for _, g := range groups {
			inv.Groups[g] = append(inv.Groups[g], name)
		}
	}
	add("keepers", "k1")
	add("keepers", "k2")
	for i := range apps {
		add("apps", fmt.Sprintf("a%d", i+1))
	}
	for i := range 2 + r.IntN(5) {
		add("nodes", fmt.Sprintf("n%02d", i+1))
	}
	return inv
}

// befall decides what steps do besides what they are for, what fails, and what happens by itself.
func (e *estate) befall() {
	names := e.inv.Names()
	for goal, tags := range e.heals {
		for _, tag := range tags {
			if e.is(60) {
				e.world.after[tag] = append(e.world.after[tag], effect{what: "heal", name: goal})
			}
		}
	}
	for _, name := range names {
		e.world.nodes[name].silent = e.is(4)
	}
	if e.calm {
		return
	}
	for _, tag := range e.tags {
		if e.is(8) {
			e.world.after[tag] = append(e.world.after[tag], e.effect(pick(e.grammar, append(names, "", "")...)))
		}
		if e.is(10) {
			e.world.fails[tag] = pick(e.grammar, "before", "after", "vain")
		}
	}
	if e.is(70) {
		for range 2 + e.IntN(8) {
			at := pick(e.grammar, names...)
			e.world.events = append(e.world.events, event{at: at, n: 1 + e.IntN(30), how: pick(e.grammar, "", "", "before", "after"), effect: e.effect(at)})
		}
	}
	if e.is(50) {
		for _, name := range names {
			for range e.IntN(12) {
				e.late = append(e.late, effect{host: name, what: "flip", nth: e.IntN(97)})
			}
		}
	}
	if e.byHand = e.is(25); e.byHand {
		e.undone = e.is(60)
		return
	}
	if e.is(45) {
		for range 2 + e.IntN(8) {
			e.drifts = append(e.drifts, e.effect(pick(e.grammar, names...)))
		}
	}
}

func (e *estate) effect(host string) effect {
	name := ""
	if all := slices.Concat(e.seen, e.tags); len(all) > 0 {
		name = pick(e.grammar, all...)
	}
	return effect{host: host, what: pick(e.grammar, "heal", "break", "flip", "flip", "flip", "flip", "silence", "blink", "replace"), name: name, nth: e.IntN(97)}
}
