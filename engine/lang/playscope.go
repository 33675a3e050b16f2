package lang

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// playScope implements engine.PlayScope. All batches of a play share one: what is hoisted is evaluated once for all.
type playScope struct {
	*pass
	play    *play
	root    *hcl.EvalContext
	nothing *hcl.EvalContext // a child of root in which every entry is unknown, because it has not run

	mu    sync.Mutex
	hosts map[string]*hostScope
}

// Begin implements engine.Pass.
func (s *pass) Begin(p *engine.Play) engine.PlayScope { return s.scope(s.plays[p]) }

func (s *pass) scope(p *play) *playScope {
	if s.scopes[p] == nil {
		s.scopes[p] = s.newScope(p, s.root())
	}
	return s.scopes[p]
}

func (s *pass) newScope(p *play, root *hcl.EvalContext) *playScope {
	nothing := root.NewChild()
	nothing.Variables = make(map[string]cty.Value, len(p.named))
	for _, e := range p.named {
		nothing.Variables[hoist.Key(string(e.Kind), e.Name)] = cty.UnknownVal(e.typ)
	}
	return &playScope{pass: s, play: p, root: root, nothing: nothing, hosts: map[string]*hostScope{}}
}

// End implements engine.Pass.
func (s *pass) End(p *engine.Play, outcomes []engine.Outcome) {
	x := s.plays[p]
	scope := s.scope(x)
	if slices.ContainsFunc(outcomes, func(o engine.Outcome) bool { return o.Pending }) {
		s.played[x] = x.unknown(scope.pending())
	} else {
		outcomes = slices.Clone(outcomes)
		slices.SortFunc(outcomes, func(a, b engine.Outcome) int { return cmp.Compare(a.Host, b.Host) })
		s.played[x] = x.end(outcomes, s)
	}
	delete(s.scopes, x) // a host's results are not needed any more
}

// Host implements engine.PlayScope.
func (s *playScope) Host(name string) engine.HostScope { return s.host(name) }

func (s *playScope) host(name string) *hostScope {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[name]
	if h == nil {
		h = newHostScope(s, name)
		s.hosts[name] = h
	}
	return h
}

// pending are the addresses of what was planned and has not run, on any host: of steps, or where there is none (nothing was
// contacted) of probes; nil: none is known.
func (s *playScope) pending() []string {
	found := map[string]bool{}
	for _, kind := range []engine.EntryKind{engine.EntryStep, engine.EntryProbe} {
		if len(found) > 0 {
			break
		}
		for _, h := range s.hosts {
			h.pending(kind, found)
			for _, part := range h.parts {
				part.pending(kind, found)
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (h *hostScope) pending(kind engine.EntryKind, found map[string]bool) {
	for _, e := range h.play.named {
		if e.Kind == kind && h.results[e.slot].planned {
			found[e.Address] = true
		}
	}
}

// left is what a host's probes or steps left when the play ended. What did not run was not needed: it counts as skipped.
func (s *playScope) left(host string, kind engine.EntryKind) cty.Value {
	h := s.host(host)
	attrs := map[string]cty.Value{}
	for _, e := range s.play.named {
		if e.Kind != kind || !s.shape.names[e.Name] && !s.shape.all {
			continue
		}
		attrs[e.Name] = h.results[e.slot].value
		if !h.results[e.slot].set {
			attrs[e.Name] = e.whole(engine.Result{Status: engine.StatusSkipped})
		}
	}
	return cty.ObjectVal(attrs)
}
