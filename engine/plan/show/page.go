package show

import (
	"cmp"
	"maps"
	"slices"
	"strings"
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

// effect is one of the worst case.
type effect struct {
	engine.Effect
	Times int
	Where []where // by host and doer, each once
	Hosts int     // for which it is done
}

func (e effect) weakens() bool { return e.Effect == engine.EffectWeakens }

// playPart is a play in which something may be done.
type playPart struct {
	Opens string // when its window opens, which was closed when the plan was made; "": it was open
	plan.Play
	No      int // counts all plays
	Batches [][]string
	Steps   []step
	Idle    int // hosts in which nothing needs to be done
	Blind   int // hosts of which something could not be planned
}

// blind is what could not be looked at or planned, and therefore is not done.
type blind struct {
	plan.Item // of the first host
	Error     engine.EventError
	Hosts     []string
}

// checks are checks that say the same about some hosts.
type checks struct {
	plan.Check
	Hosts []string
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

func isBlind(i plan.Item) bool {
	return i.Disposition == plan.Unreachable || i.Disposition == plan.Error
}

// gravity orders effects: what an approver must not overlook comes first.
var gravity = []engine.Effect{engine.EffectWeakens, engine.EffectReboot, engine.EffectPower, engine.EffectNetwork, engine.EffectRestart, engine.EffectSoftware}

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

func (p *page) plays() []playPart {
	items := map[string][]plan.Item{}
	var names []string
	for _, x := range p.Document.Plays {
		names = added(names, x.Name)
	}
	for _, i := range p.Items {
		if items[i.Play] == nil {
			names = added(names, i.Play)
		}
		items[i.Play] = append(items[i.Play], i)
	}
	var out []playPart
	steps := 0
	for n, name := range names {
		part := playPart{Play: plan.Play{Name: name}, No: n + 1}
		if at := slices.IndexFunc(p.Document.Plays, func(x plan.Play) bool { return x.Name == name }); at >= 0 {
			part.Play = p.Document.Plays[at]
			part.Opens = opens(part.Window, p.Document.Made)
		}
		part.fill(items[name])
		for s := range part.Steps {
			steps++
			part.Steps[s].No = steps
		}
		if len(part.Steps) > 0 || len(part.Waits) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// fill adds to a play what was planned in it.
// opens is when a window opens that is closed at a time, by its own clock; "": it is open, or there is none.
func opens(window string, at time.Time) string {
	w, err := engine.ParseWindow(window)
	if err != nil || w.Open(at) || w.Opens(at).IsZero() {
		return ""
	}
	return w.Clock(w.Opens(at))
}

func (x *playPart) fill(items []plan.Item) {
	var acting []plan.Item
	busy, blind := map[string]bool{}, map[string]bool{}
	for _, i := range items {
		if i.Acts() {
			acting = append(acting, i)
			busy[i.Host] = true
		}
		if isBlind(i) {
			blind[i.Host] = true
		}
	}
	x.Steps = steps(acting, reasons(items))
	x.Blind = len(blind)
	for _, h := range x.Hosts {
		if !busy[h] && !blind[h] {
			x.Idle++
		}
	}
	x.Batches = batches(x.Hosts, x.Play.Batches)
}

// batches cuts hosts into parts; the last size repeats. nil: there is only one.
func batches(hosts []string, sizes []int) [][]string {
	var out [][]string
	for n := 0; len(hosts) > 0 && len(sizes) > 0; n++ {
		size := min(max(sizes[min(n, len(sizes)-1)], 1), len(hosts))
		out, hosts = append(out, hosts[:size]), hosts[size:]
	}
	return out
}

// reasons tells why an item may be done: its own condition, and what the recover or block around it says.
func reasons(items []plan.Item) func(plan.Item) []string {
	type key struct{ host, entry string }
	around := map[key]string{}
	for _, i := range items {
		if !leaf(i) && i.Reason != "" {
			around[key{i.Host, i.Entry}] = i.Reason
		}
	}
	return func(i plan.Item) []string {
		var out []string
		for at := i.Entry; strings.Contains(at, "/"); {
			at = at[:strings.LastIndex(at, "/")]
			if text, ok := around[key{i.Host, at}]; ok {
				out = append(out, text)
			}
		}
		slices.Reverse(out)
		if i.Reason != "" {
			out = append(out, i.Reason)
		}
		return out
	}
}

// blinds groups what could not be planned by what went wrong. A recover or a block that only repeats an error of what is in
// it is left out.
func (p *page) blinds() []blind {
	said := map[[3]string]bool{}
	for _, i := range p.Items {
		if isBlind(i) && leaf(i) {
			said[[3]string{i.Play, i.Host, errorOf(i).Text}] = true
		}
	}
	var out []blind
	index := map[string]int{}
	for _, i := range p.Items {
		e := errorOf(i)
		if !isBlind(i) || !leaf(i) && said[[3]string{i.Play, i.Host, e.Text}] {
			continue
		}
		k := strings.Join([]string{i.Play, i.Entry, string(i.Disposition), string(e.Kind), e.Host, e.Text, e.Hint}, "\x00")
		n, ok := index[k]
		if !ok {
			n = len(out)
			index[k], out = n, append(out, blind{Item: i, Error: e})
		}
		out[n].Hosts = append(out[n].Hosts, i.Host)
	}
	for n := range out {
		slices.SortFunc(out[n].Hosts, natural)
	}
	return out
}

// leaf tells an entry that does something from one that only holds others.
func leaf(i plan.Item) bool { return i.Kind == engine.EntryStep || i.Kind == engine.EntryProbe }

func errorOf(i plan.Item) engine.EventError {
	if i.Error == nil {
		return engine.EventError{Text: i.Reason}
	}
	return *i.Error
}

// judge groups the checks that do not simply hold.
func (p *page) judge() {
	index := map[string]int{}
	for _, c := range p.Document.Checks {
		if c.Status == "ok" {
			p.Fine++
			continue
		}
		k := strings.Join(append([]string{c.Play, c.Name, c.Status, c.Reason}, c.Waits...), "\x00")
		n, ok := index[k]
		if !ok {
			n = len(p.Checks)
			index[k], p.Checks = n, append(p.Checks, checks{Check: c})
		}
		if c.Host != "" {
			p.Checks[n].Hosts = append(p.Checks[n].Hosts, c.Host)
		}
	}
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

// natural orders names as people do: guest2 before guest10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, restA := chunk(a)
		y, restB := chunk(b)
		if x != y {
			if digit(x[0]) && digit(y[0]) {
				p, q := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
				return cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q), cmp.Compare(x, y))
			}
			return cmp.Compare(x, y)
		}
		a, b = restA, restB
	}
	return cmp.Compare(a, b)
}

// chunk cuts the digits, or what is none, off the beginning of a name.
func chunk(s string) (first, rest string) {
	n := 1
	for n < len(s) && digit(s[n]) == digit(s[0]) {
		n++
	}
	return s[:n], s[n:]
}

func digit(b byte) bool { return b >= '0' && b <= '9' }
