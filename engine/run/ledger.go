package run

import (
	"context"
	"strings"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// ledger notes, while acting, what became of what the plan says will run.
type ledger struct {
	mu    sync.Mutex
	begun map[place]bool
	left  map[place]bool                          // entries of blocks and parts that failed before
	why   map[place]string                        // why an entry was not needed
	ended map[string]map[string]engine.HostStatus // play → host
}

type place struct{ play, host, entry, item string }

func newLedger() *ledger {
	return &ledger{begun: map[place]bool{}, left: map[place]bool{}, why: map[place]string{}, ended: map[string]map[string]engine.HostStatus{}}
}

func (l *ledger) begin(at place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun[at] = true
}

func (l *ledger) leave(at place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left[at] = true
}

func (l *ledger) spare(at place, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why[at] = why
}

func (l *ledger) end(play string, outcomes []engine.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hosts := map[string]engine.HostStatus{}
	for _, o := range outcomes {
		hosts[o.Host] = o.Status
	}
	l.ended[play] = hosts
}

// resolved tells whether what the plan says will run was not needed any more, and why: its play ended, and its host
// ended well without it or was not among the play's hosts any more.
func (l *ledger) resolved(i plan.Item) (bool, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hosts, over := l.ended[i.Play]
	status, was := hosts[i.Host]
	switch {
	case l.begun[place{i.Play, i.Host, i.Entry, i.Item}] || l.left[place{i.Play, i.Host, i.Entry, ""}] || !over || was && status != engine.HostOK:
		return false, ""
	case !was:
		return true, "the play does not need the host any more"
	}
	for entry := i.Entry; ; entry = entry[:strings.LastIndex(entry, "/")] {
		for _, item := range []string{i.Item, ""} {
			if why := l.why[place{i.Play, i.Host, entry, item}]; why != "" {
				return true, why
			}
		}
		if !strings.Contains(entry, "/") {
			return true, "it was not needed"
		}
	}
}

// close ends a pass: who was silent, and what the plan says and was not needed.
func (p *pass) close(ctx context.Context) error {
	if p.planning && !p.o.Offline && p.res.Stop == nil {
		p.res.Stop = p.unknowable()
	}
	if p.planning && !p.o.Offline && p.res.Stop == nil {
		p.identify(ctx)
	}
	if err := p.tellSilent(); err != nil || p.planning {
		return err
	}
	if err := p.unsettled(); err != nil {
		return err
	}
	for _, i := range p.plan.Acting() {
		if i.Disposition != plan.WillRun {
			continue // whether it was needed was not known
		}
		if resolved, why := p.ledger.resolved(i); resolved {
			p.res.Resolved++
			if err := p.write(engine.Event{Kind: engine.EventResolved, Play: i.Play, Host: i.Host, Entry: i.Entry, Item: i.Item,
				Module: i.Module, Title: i.Title, Reason: why, Place: i.Place}); err != nil {
				return err
			}
		}
	}
	return nil
}
