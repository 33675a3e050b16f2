package fidelity

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// world is an estate that holds state, executes command lines against it, and says itself which of them changed something,
// or tried to: nothing in it asks the engine. What a host's services and switches are at first comes from the seed and
// their names, so it does not depend on who asks first.
type world struct {
	seed uint64
	born time.Time

	mu    sync.Mutex
	phase string // of the journey: written beside every line
	nodes map[string]*node
	log   []line
	pid   int
	opens int

	after  map[string][]effect // tag of a step → what its execution does besides
	fails  map[string]string   // tag → how its execution fails: "before", "after" or "vain"
	events []event             // what happens by itself, while a plan is applied
}

// node is one host.
type node struct {
	name     string
	silent   bool
	back     int // it answers again after so many vain connections; 0: it stays silent
	identity string
	uid      int
	units    map[string]*unit
	switches map[string]string
	files    map[string]bool
	received int // lines, while a plan is applied
}

// unit is a service.
type unit struct {
	exists, running, enabled bool
	pid                      int
	started                  time.Time
}

// line is a command line that a host received.
type line struct {
	phase, host, text string
	mutates           bool
	code              int
	lost              bool // nobody learnt how it ended
}

func (l line) String() string {
	mark := " "
	if l.mutates {
		mark = "*"
	}
	if l.lost {
		return fmt.Sprintf("%-6s %s %-4s %s  (connection lost)", l.phase, mark, l.host, l.text)
	}
	return fmt.Sprintf("%-6s %s %-4s %s  (%d)", l.phase, mark, l.host, l.text, l.code)
}

// effect is something that becomes of a host.
type effect struct {
	host string // "" is the host for which the step was executed
	what string // heal, break, flip, silence, blink, replace
	nth  int    // for flip
	name string // of a service or switch
}

func (e effect) String() string { return strings.TrimSpace(e.what + " " + e.name + " on " + e.host) }

// event is an effect that comes when a host receives its n-th line of an apply.
type event struct {
	at  string
	n   int
	how string // "", or when the connection breaks: before, after (the line was executed)
	effect
}

func newWorld(seed uint64, hosts []string) *world {
	w := &world{seed: seed, born: time.Now(), nodes: map[string]*node{}, pid: 4000, after: map[string][]effect{}, fails: map[string]string{}}
	for _, name := range hosts {
		w.nodes[name] = &node{name: name, identity: "ssh " + name, units: map[string]*unit{}, switches: map[string]string{}, files: map[string]bool{},
			uid: w.first("uid", name).IntN(2) * 1000}
	}
	return w
}

// first is the source of what something is at first.
func (w *world) first(parts ...string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join(parts, "\x00")))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

func (w *world) unit(n *node, name string) *unit {
	name = strings.TrimSuffix(name, ".service")
	u := n.units[name]
	if u == nil {
		r := w.first("unit", n.name, name)
		u = &unit{exists: r.IntN(16) > 0, running: r.IntN(2) == 0, enabled: r.IntN(2) == 0}
		if u.running {
			w.pid++
			u.pid, u.started = w.pid, w.born.Add(-9*24*time.Hour)
		}
		n.units[name] = u
	}
	return u
}

func (w *world) start(u *unit) {
	w.pid++
	u.running, u.pid, u.started = true, w.pid, time.Now()
}

func (w *world) value(n *node, name string) string {
	if _, ok := n.switches[name]; !ok {
		n.switches[name] = []string{"on", "off", "on", "off", "dim"}[w.first("switch", n.name, name).IntN(5)]
	}
	return n.switches[name]
}

// of are the services of a host that an entry is about: its own one, and those for single hosts and items (svc-e7-a-n02).
func (w *world) of(n *node, tag string) []*unit {
	all := []*unit{w.unit(n, "svc-"+tag)}
	for name, u := range n.units {
		if strings.HasPrefix(name, "svc-"+tag+"-") {
			all = append(all, u)
		}
	}
	return all
}

// flip turns the n-th of the services and switches that somebody has asked about into its opposite.
func (n *node) flip(nth int, w *world) {
	names := append(slices.Sorted(maps.Keys(n.units)), slices.Sorted(maps.Keys(n.switches))...)
	if len(names) == 0 {
		return
	}
	name := names[nth%len(names)]
	u, ok := n.units[name]
	switch {
	case ok && u.running:
		*u = unit{exists: true}
	case ok:
		u.exists = true
		w.start(u)
	case n.switches[name] == "on":
		n.switches[name] = "off"
	default:
		n.switches[name] = "on"
	}
}

func (n *node) turn(tag, value string) {
	n.switches["sw-"+tag] = value
	for name := range n.switches {
		if strings.HasPrefix(name, "sw-"+tag+"-") {
			n.switches[name] = value
		}
	}
}

// happen makes an effect true. The caller holds the lock.
func (w *world) happen(e effect, self string) {
	n := w.nodes[e.host]
	if n == nil {
		n = w.nodes[self]
	}
	if n == nil {
		return
	}
	switch e.what {
	case "heal":
		for _, u := range w.of(n, e.name) {
			if u.exists && !u.running {
				w.start(u)
			}
		}
		n.turn(e.name, "on")
	case "break":
		for _, u := range w.of(n, e.name) {
			*u = unit{exists: true}
		}
		n.turn(e.name, "off")
	case "flip":
		n.flip(e.nth, w)
	case "silence":
		n.silent, n.back = true, 0
	case "blink":
		n.silent, n.back = true, 1
	case "replace":
		n.identity = "ssh another " + n.name
	}
}

// Change makes effects true between two phases.
func (w *world) change(effects ...effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range effects {
		w.happen(e, "")
	}
}

// hand executes lines on hosts as somebody who sits before them, and gives a function that takes it back.
func (w *world) hand(ctx context.Context, lines []line) (undo func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := map[*node]node{}
	for _, n := range w.nodes {
		before[n] = n.copied()
	}
	for _, l := range lines {
		s := &shell{world: w, node: w.nodes[l.host]}
		s.line(ctx, l.text)
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for n, state := range before {
			*n = state
		}
	}
}

func (n *node) copied() node {
	out := *n
	out.units, out.switches, out.files = map[string]*unit{}, maps.Clone(n.switches), maps.Clone(n.files)
	for name, u := range n.units {
		same := *u
		out.units[name] = &same
	}
	return out
}

func (w *world) enter(phase string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = phase
}

// lines are those that were received in some phases.
func (w *world) lines(phases ...string) []line {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []line
	for _, l := range w.log {
		if slices.Contains(phases, l.phase) {
			out = append(out, l)
		}
	}
	return out
}

func (w *world) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for tag, effects := range w.after {
		fmt.Fprintf(&b, "executing %s does %v\n", tag, effects)
	}
	fmt.Fprintf(&b, "executions that fail: %v\nby itself: %+v\n", w.fails, w.events)
	for _, l := range w.log {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// wire is the transport into the world.
type wire struct{ *world }

func (wire) Settings() any { return &struct{}{} }

func (t wire) Open(_ context.Context, h *engine.Host) (engine.Conn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opens++
	n := t.nodes[h.Name]
	if n.silent && n.back > 0 {
		n.back--
		n.silent = n.back > 0
	} else if n.silent {
		return nil, &engine.Error{Kind: engine.KindTimeout, Host: h.Name, Op: "connect to " + h.Name, Unreachable: true}
	}
	return &session{world: t.world, node: n, identity: n.identity}, nil
}

type session struct {
	*world
	node     *node
	identity string
}

func (s *session) Identity() string { return s.identity }
func (s *session) Close() error     { return nil }
func (s *session) Family() string   { return "posix" }

// Exec runs a line, unless something befalls the host now.
func (s *session) Exec(ctx context.Context, p engine.Process) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, &engine.Error{Kind: engine.KindTimeout, Host: s.node.name, Err: err}
	}
	breaks := s.befall()
	lost := &engine.Error{Kind: engine.KindLost, Host: s.node.name, Op: "run " + p.Line, Msg: "the connection broke", Unreachable: true}
	if breaks == "before" || s.node.silent && breaks == "" {
		lost.Err = engine.ErrNotRun
		return 0, lost
	}
	c := &shell{world: s.world, node: s.node, uid: s.node.uid, in: p.Stdin}
	code := c.line(ctx, p.Line)
	s.log = append(s.log, line{s.phase, s.node.name, p.Line, c.mutates, code, breaks == "after"})
	if breaks == "after" {
		return 0, lost
	}
	write(p.Stdout, c.out.String())
	write(p.Stderr, c.errs.String())
	return code, nil
}

// befall lets happen what is due, and says whether the connection breaks with it.
func (s *session) befall() (breaks string) {
	if s.phase != "apply" {
		return ""
	}
	s.node.received++
	for _, e := range s.events {
		if e.at == s.node.name && e.n == s.node.received {
			s.happen(e.effect, s.node.name)
			breaks = e.how
		}
	}
	return breaks
}
