package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// Plan looks at the estate and forecasts; it changes nothing. What it sends to hosts is in the plan.
func (r *Runner) Plan(ctx context.Context) (*plan.Plan, Result, error) {
	p := plan.New(r.o.Program.Playbook(), r.now())
	r.making.Store(p)
	defer r.making.Store(nil)
	res, err := r.pass(ctx, p, true)
	for host, id := range r.known() {
		p.Identify(host, id)
	}
	if res.Stop != nil {
		p.End(&plan.Stop{Kind: string(res.Stop.Kind), Item: res.Stop.Item, Reason: r.o.Redact(res.Stop.Reason)})
	}
	return p, res, err
}

// Apply acts, and never leaves the envelope of the plan.
func (r *Runner) Apply(ctx context.Context, p *plan.Plan) (Result, error) {
	return r.pass(ctx, p, false)
}

// Expect says what hosts must prove to be, as a plan has recorded it: one that proves to be another is unreachable.
func (r *Runner) Expect(identities map[string]string) {
	for host, identity := range identities {
		r.pool.Expect(host, identity)
	}
}

// opened notes what a host proved to be, and lets its connection tell what planning asks.
func (r *Runner) opened(host string, c engine.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.identities[host] = c.Identity()
	if o, ok := c.(engine.Observable); ok {
		o.Observe(func(request string) { r.looked(host, request) })
	}
}

func (r *Runner) known() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.identities)
}

// looked notes what planning sends to a host.
func (r *Runner) looked(host, line string) {
	if p := r.making.Load(); p != nil {
		p.Look(host, r.o.Redact(line))
	}
}

// identify connects to every host that will or may be acted on and that was not asked anything: who it is belongs into the
// plan. One that does not answer will not be acted on.
func (p *pass) identify(ctx context.Context) {
	known := p.known()
	hosts := slices.DeleteFunc(p.plan.Worst().Hosts, func(h string) bool {
		return known[h] != "" || p.o.Inventory.Hosts[h].Connection.Type == "" // what acts without a connection asks nobody
	})
	slots := make(chan struct{}, p.o.Parallel)
	var wg sync.WaitGroup
	for _, host := range hosts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			_, err := p.pool.Get(ctx, p.o.Inventory.Hosts[host])
			if err == nil {
				return
			}
			e := engine.NewEventError(err)
			e.Text, e.Hint = p.o.Redact(e.Text), p.o.Redact(e.Hint)
			p.plan.Cannot(host, e)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.silent[host] = err
		})
	}
	wg.Wait()
}

// unknowable is why a plan cannot be applied in which something would have to be known that is not: nothing unknown is
// ever executed, so a part of such a plan would be left out, and what stands before it done.
func (p *pass) unknowable() *Stop {
	for _, i := range p.plan.Items() {
		if i.Disposition == plan.Error && len(i.Waits) > 0 {
			return &Stop{Kind: StopUnknown, Item: i.Entry, Reason: fmt.Sprintf("%s on %s (%s): %s", i.Entry, i.Host, i.Place, i.Reason)}
		}
	}
	return nil
}

// fix records for whom a play is planned, and how; acting, it takes the numbers from there, whatever became of the hosts.
func (p *pass) fix(play *engine.Play, t *engine.Target) {
	if p.planning {
		p.plan.Target(planned(play, *t))
		return
	}
	was, ok := p.plan.Play(play.Name)
	if !ok {
		return
	}
	t.Batch = nil
	for _, n := range was.Batches {
		t.Batch = append(t.Batch, engine.Size{N: n})
	}
	if was.MaxFailures != nil {
		t.MaxFailures = &engine.Size{N: *was.MaxFailures}
	}
}

func planned(play *engine.Play, t engine.Target) plan.Play {
	out := plan.Play{Name: play.Name, Title: play.Title, Place: play.Range.String(), Acts: play.Acts, Hosts: t.Hosts, Waits: t.Waits}
	if play.Window != nil {
		out.Window = play.Window.String()
	}
	for _, size := range t.Batch {
		out.Batches = append(out.Batches, max(1, size.Of(len(t.Hosts))))
	}
	if limit, ok := allowed(t); ok {
		out.MaxFailures = &limit
	}
	return out
}

// forecastAll plans the entries of a play whose hosts nobody knows yet.
func (p *pass) forecastAll(play *engine.Play, waits []string) {
	for e := range engine.Walk(play.Entries) {
		i := plan.Item{Play: play.Name, Entry: e.Address, Kind: e.Kind, Title: e.Title, Impact: e.Impact, Place: e.Range.String(),
			Disposition: plan.Depends, Waits: waits, Reason: "for which hosts is not known"}
		if e.Module != nil {
			i.Module = e.Module.Name
		}
		p.plan.Add(i)
	}
}
