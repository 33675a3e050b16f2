package show

import (
	"maps"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// page is a plan in the order in which it is read. It is the same in every language and format.
type page struct {
	*plan.Document
	Over    bool // its time is over
	Effects []effect
	Plays   []playPart
	Blind   []blind
	Checks  []checks // those that say something
	Fine    int      // checks that hold
	Touched []*host  // acted on, or acted for by others, sorted
	Through int      // those of them that only others are acted on for
	All     []*host
	Spared  []count // hosts that need nothing, by group
	Looked  []looked
	Lines   int // command lines and requests that planning sent
	Estate  estate
	by      map[string]*host
}

// count is a number of hosts of a group.
type count struct {
	Group string // empty: of no group
	Hosts []*host
}

// looked is a command line or a request that planning sent.
type looked struct {
	Line  string
	Times int
	Hosts []string
}

// host is one of the estate with all that the plan says of it.
type host struct {
	plan.Host
	No      int
	State   state
	Items   []plan.Item // for it, in order
	For     []plan.Item // done by it for other hosts
	Acts    int         // times that something may be done on it
	Through []string    // hosts on which something may be done for it
	Certain bool        // one of them will run, whatever happens
	Effects []engine.Effect
	Plays   []string
	Blind   bool
}

func newPage(doc *plan.Document, now time.Time) *page {
	p := &page{Document: doc, Over: !now.IsZero() && !doc.Until.IsZero() && now.After(doc.Until), by: map[string]*host{}}
	for _, h := range doc.Hosts {
		p.host(h.Name).Host = h
	}
	for _, i := range doc.Items {
		p.count(i)
	}
	p.All = slices.SortedFunc(maps.Values(p.by), func(a, b *host) int { return natural(a.Name, b.Name) })
	for n, h := range p.All {
		h.No = n + 1
		h.State = stateOf(h)
		if !h.touched() {
			continue
		}
		p.Touched = append(p.Touched, h)
		if h.Acts == 0 {
			p.Through++
		}
	}
	p.Effects = p.effects()
	p.Plays = p.plays()
	p.Blind = p.blinds()
	p.judge()
	p.spare()
	p.look()
	p.Estate = p.estate()
	return p
}

// host is the host of a name, made if the estate does not have it.
func (p *page) host(name string) *host {
	h, ok := p.by[name]
	if !ok {
		h = &host{Host: plan.Host{Name: name}}
		p.by[name] = h
	}
	return h
}

// count adds an item to the host for which, and to the host by which, it is done.
func (p *page) count(i plan.Item) {
	if i.Host != "" {
		h := p.host(i.Host)
		h.Items = append(h.Items, i)
		h.Blind = h.Blind || isBlind(i)
	}
	if !i.Acts() {
		return
	}
	h := p.host(i.On)
	h.Acts++
	h.concern(i)
	if i.On != i.Host && i.Host != "" {
		h.For = append(h.For, i)
		other := p.host(i.Host)
		other.Through = added(other.Through, i.On)
		other.concern(i)
	}
}

// concern adds what an item means for a host.
func (h *host) concern(i plan.Item) {
	h.Certain = h.Certain || i.Disposition == plan.WillRun
	for _, e := range i.Effects {
		h.Effects = added(h.Effects, e)
	}
	h.Plays = added(h.Plays, i.Play)
}

func (h *host) touched() bool { return h.Acts > 0 || len(h.Through) > 0 }

func added[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

// spare counts the hosts of which nothing has to be said.
func (p *page) spare() {
	for _, h := range p.All {
		if h.touched() || h.Blind {
			continue
		}
		group := ""
		if len(h.Groups) > 0 {
			group = h.Groups[0]
		}
		n := slices.IndexFunc(p.Spared, func(c count) bool { return c.Group == group })
		if n < 0 {
			n = len(p.Spared)
			p.Spared = append(p.Spared, count{Group: group})
		}
		p.Spared[n].Hosts = append(p.Spared[n].Hosts, h)
	}
	slices.SortFunc(p.Spared, func(a, b count) int { return natural(a.Group, b.Group) })
}

// look groups what planning sent by line.
func (p *page) look() {
	index := map[string]int{}
	for _, h := range p.All {
		for _, l := range h.Looked {
			n, ok := index[l.Line]
			if !ok {
				n = len(p.Looked)
				index[l.Line], p.Looked = n, append(p.Looked, looked{Line: l.Line})
			}
			x := &p.Looked[n]
			x.Times, x.Hosts = x.Times+l.Times, append(x.Hosts, h.Name)
			p.Lines += l.Times
		}
	}
}
