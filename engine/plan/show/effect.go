package show

import (
	"cmp"
	"maps"
	"slices"

	"github.com/dsplay/dsplay/engine"
)

// effect is one of the worst case.
type effect struct {
	engine.Effect
	Times int
	Where []where // by host and doer, each once
	Hosts int     // for which it is done
}

func (e effect) weakens() bool { return e.Effect == engine.EffectWeakens }

// gravity orders effects: what an approver must not overlook comes first.
var gravity = []engine.Effect{engine.EffectWeakens, engine.EffectReboot, engine.EffectPower, engine.EffectNetwork, engine.EffectStop, engine.EffectRestart, engine.EffectSoftware}

func graver(a, b engine.Effect) int {
	place := func(e engine.Effect) int {
		if n := slices.Index(gravity, e); n >= 0 {
			return n
		}
		return len(gravity)
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
}

func (p *page) effects() []effect {
	byEffect := map[engine.Effect]*effect{}
	for _, e := range slices.SortedFunc(maps.Keys(p.Worst.Effects), graver) {
		byEffect[e] = &effect{Effect: e, Times: p.Worst.Effects[e]}
	}
	for _, h := range p.Touched {
		slices.SortFunc(h.Effects, graver)
		for _, i := range h.Items {
			for _, e := range i.Effects {
				if x := byEffect[e]; x != nil && i.Acts() {
					x.add(where{Host: i.Host, On: i.On})
				}
			}
		}
	}
	var out []effect
	for _, e := range slices.SortedFunc(maps.Keys(byEffect), graver) {
		out = append(out, *byEffect[e])
	}
	return out
}

// add adds a place; those of one host come one after the other.
func (e *effect) add(w where) {
	same := false
	for n := len(e.Where) - 1; n >= 0 && e.Where[n].Host == w.Host; n-- {
		if e.Where[n].On == w.On {
			return
		}
		same = true
	}
	e.Where = append(e.Where, w)
	if !same {
		e.Hosts++
	}
}
