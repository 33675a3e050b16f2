package fidelity

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// grammar writes playbooks. Every step's command lines say for which entry and host they are executed ("--for e7@n02"), or
// act on a service that no other entry acts on ("svc-e7"), so that a line on the wire tells what it belongs to.
type grammar struct {
	*rand.Rand
	calm   bool // steps fail for no reason of the language
	out    strings.Builder
	indent int
	number int

	tags    []string            // of steps
	seen    []string            // names of what probes look at
	heals   map[string][]string // goal → tags of the steps in its attempts
	poisons map[string]string   // tag of a step → the step for whose result one of its executed arguments waits
	plays   []written
	locals  []string // lists of names
	part    bool     // the included file is used

	refs    []ref // what can be read where the grammar writes
	hidden  []ref // what was left behind in attempts: later plays can read it
	before  int   // steps that stand before this play
	attempt bool  // it writes one
}

// written is a play that was written.
type written struct {
	name string
	refs []ref
	acts bool // so a plan does not know which hosts end well
}

// ref is a probe or step that later entries can read.
type ref struct {
	name  string // probe.p1
	kind  string // service or text
	each  bool
	maybe bool // it may have been skipped, so its results may be null
	step  bool
	late  bool // a step stands before it, so a plan may not know what it sees
}

func newGrammar(r *rand.Rand, calm bool) *grammar {
	return &grammar{Rand: r, calm: calm, heals: map[string][]string{}, poisons: map[string]string{}}
}

func (g *grammar) is(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *grammar, of ...T) T { return of[g.IntN(len(of))] }

func (g *grammar) p(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.HasPrefix(text, "}") {
		g.indent--
	}
	g.out.WriteString(strings.Repeat("  ", g.indent) + text + "\n")
	if strings.HasSuffix(text, "{") {
		g.indent++
	}
}

func (g *grammar) next(prefix string) string {
	g.number++
	return fmt.Sprintf("%s%d", prefix, g.number)
}

// book writes a whole playbook.
func (g *grammar) book() string {
	g.p(`playbook {`)
	g.p(`description = "a random one"`)
	g.p(`}`)
	for range 1 + g.IntN(5) {
		g.play()
		if g.is(40) {
			g.local()
		}
		if g.is(25) {
			g.check("")
		}
	}
	return g.out.String()
}

// local writes a list of names of hosts.
func (g *grammar) local() {
	name := g.next("l")
	g.p(`locals {`)
	g.p(`%s = %s`, name, g.hosts())
	g.p(`}`)
	g.locals = append(g.locals, "local."+name)
}

// hosts is a list of names, out of what is known before.
func (g *grammar) hosts() string {
	if len(g.plays) == 0 || g.is(25) {
		return pick(g, "group.nodes", "group.nodes", "group.red", "group.blue", "group.apps", `["n01", "n02"]`, `concat(group.red, group.apps)`)
	}
	p := pick(g, g.plays...)
	for range 3 {
		if p.acts {
			p = pick(g, g.plays...)
		}
	}
	if p.acts && g.is(85) {
		return "group.nodes"
	}
	from := "play." + p.name + ".hosts"
	switch n := g.IntN(10); {
	case n == 0:
		return "[for h in play." + p.name + ".missing : h.name]"
	case n == 1:
		return "distinct([for h in " + from + " : h.app if h.app != null])"
	case n == 2 && len(g.locals) > 0:
		return pick(g, g.locals...)
	case n < 4:
		return "[for h in " + from + " : h.name if h.rank > 1]"
	}
	r := pick(g, append(p.refs, ref{})...)
	if r.name == "" || (r.step || r.late) && g.is(95) {
		return "[for h in " + from + " : h.name]"
	}
	return "[for h in " + from + " : h.name if " + g.about(r, "h.") + "]"
}

// about is a condition on a result.
func (g *grammar) about(r ref, prefix string) string {
	name := prefix + r.name
	one := func(name string) string {
		switch {
		case r.step && g.is(60):
			return name + pick(g, ".changed", `.status != "failed"`, `.status == "skipped"`)
		case r.kind == "service":
			return pick(g, "", "!") + name + pick(g, ".running", ".exists", ".running")
		}
		return pick(g, `trimspace(`+name+`.stdout) == "on"`, `trimspace(`+name+`.stdout) != "on"`, name+".code == 0")
	}
	if r.each {
		return pick(g, "anytrue", "alltrue") + "([for k, r in " + name + " : try(" + one("r") + ", false)])"
	}
	if r.maybe || g.is(50) {
		return pick(g, "try("+one(name)+", false)", "try("+one(name)+", true)")
	}
	return one(name)
}

// condition is one that a host is asked.
func (g *grammar) condition(depth int) string {
	if depth > 0 && g.is(30) {
		return "(" + g.condition(depth-1) + pick(g, " && ", " || ") + g.condition(depth-1) + ")"
	}
	if len(g.refs) > 0 && g.is(75) {
		return g.about(pick(g, g.refs...), "")
	}
	if len(g.locals) > 0 && g.is(20) {
		return "contains(" + pick(g, g.locals...) + ", self.name)"
	}
	if len(g.plays) > 0 && g.is(20) {
		return "length(play." + pick(g, g.plays...).name + pick(g, ".hosts", ".missing") + ") > 1"
	}
	return pick(g, "self.rank > 1", "self.note == null", `contains(self.lot, "x")`, `self.keeper == "k1"`, "true", "self.rank != 2")
}

func (g *grammar) play() {
	name := g.next("play")
	g.refs, g.hidden = nil, nil
	g.p(`play "%s" {`, name)
	g.p(`hosts = %s`, g.hosts())
	g.p(`allow_empty = true`)
	if g.is(25) {
		g.p(`batch = %s`, pick(g, "1", "2", `[1, "50%"]`, `"34%"`))
	}
	if g.is(50) {
		g.p(`max_failures = %s`, pick(g, "0", "1", `"50%"`, "100", "100"))
	} else {
		g.p(`max_failures = 100`)
	}
	if g.is(15) {
		g.p(`parallel = 1`)
	}
	g.before = len(g.tags)
	if g.is(35) || len(g.plays) == 0 && g.is(60) {
		for range 1 + g.IntN(3) {
			g.probe()
		}
	} else {
		for range 1 + g.IntN(6) {
			g.entry(2)
		}
	}
	g.p(`}`)
	g.plays = append(g.plays, written{name, append(g.refs, g.hidden...), len(g.tags) > g.before})
}

func (g *grammar) entry(depth int) {
	n := g.IntN(100)
	switch {
	case n < 30 || depth == 0 && n < 50:
		g.probe()
	case n < 62 || depth == 0:
		g.step()
	case n < 78 && !g.attempt:
		g.recover(depth - 1)
	case n < 90:
		g.block(depth - 1)
	case n < 95:
		g.check(g.condition(1))
	default:
		g.include()
	}
}

// inner writes entries whose results may be null afterwards.
func (g *grammar) inner(depth, most int) {
	before := len(g.refs)
	for range 1 + g.IntN(most) {
		g.entry(depth)
	}
	for i := range g.refs[before:] {
		g.refs[before+i].maybe = true
	}
}

// head writes the arguments that the engine reads, and tells of the items.
func (g *grammar) head(r *ref) (suffix string) {
	if g.is(35) {
		g.p(`when = %s`, g.condition(1))
		r.maybe = true
	}
	if g.is(15) {
		items, waits := g.items()
		g.p(`for_each = %s`, items)
		r.each, suffix = true, "-${each.key}"
		g.waits(*r, waits)
	}
	if g.is(30) {
		on, waits := g.on()
		g.p(`on = %s`, on)
		g.waits(*r, waits)
	}
	if g.is(8) {
		g.p(`ignore_errors = true`)
		r.maybe = true
	}
	return suffix
}

// waits notes that a step's entry must not be planned while another's result is not known.
func (g *grammar) waits(r ref, step string) {
	if tag, ok := strings.CutPrefix(r.name, "step."); ok && step != "" {
		g.poisons[tag] = step
	}
}

// stepRef is a step whose result can be read, or "".
func (g *grammar) stepRef(kind string) *ref {
	var found []ref
	for _, r := range g.refs {
		if r.step && !r.each && (kind == "" || r.kind == kind) {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return &found[g.IntN(len(found))]
}

func (g *grammar) items() (text, waits string) {
	if s := g.stepRef(""); s != nil && g.is(20) {
		return `toset(` + s.name + `.changed ? ["a"] : ["b", "c"])`, strings.TrimPrefix(s.name, "step.")
	}
	return pick(g, `["a", "b"]`, `self.lot`, `{ a = 1, b = 2 }`, `toset([for h in group.nodes : h if h == self.name])`, `[]`), ""
}

func (g *grammar) on() (text, waits string) {
	if s := g.stepRef(""); s != nil && g.is(15) {
		return s.name + ".changed ? self.keeper : self.name", strings.TrimPrefix(s.name, "step.")
	}
	for _, r := range g.refs {
		if !r.step && !r.each && r.kind == "service" && g.is(60) {
			return "try(" + r.name + ".running, false) ? self.keeper : self.name", ""
		}
	}
	return pick(g, "self.keeper", "self.keeper", "self.keeper", `"k1"`, "self.app == null ? self.name : self.app", "self.app == null ? self.name : self.app", "self.app"), ""
}

// look is the name of something to look at: an own one mostly, sometimes what another entry looks at or acts on.
func (g *grammar) look() string {
	if !g.calm && len(g.tags) > 0 && g.is(20) {
		return pick(g, g.tags...)
	}
	if len(g.seen) > 0 && g.is(30) {
		return pick(g, g.seen...)
	}
	name := g.next("s")
	g.seen = append(g.seen, name)
	return name
}

func (g *grammar) probe() {
	r := ref{name: "probe." + g.next("p")}
	module := pick(g, "service", "service", "command", "shell")
	g.p(`probe "%s" "%s" {`, module, strings.TrimPrefix(r.name, "probe."))
	suffix := g.head(&r)
	g.looks(module, g.look()+suffix)
	if g.is(8) {
		g.p(`retry {`)
		g.p(`attempts = 2`)
		g.p(`delay = "1s"`)
		g.p(`}`)
	}
	if g.is(6) && module == "service" {
		g.p(`failed_when = !result.exists`)
	}
	g.p(`}`)
	r.kind, r.late = kindOf(module), len(g.tags) > g.before
	g.refs = append(g.refs, r)
}

func kindOf(module string) string {
	if module == "service" {
		return module
	}
	return "text"
}

// looks writes what a probe asks.
func (g *grammar) looks(module, name string) {
	switch module {
	case "service":
		g.p(`name = "svc-%s"`, name)
	case "command":
		if g.is(30) {
			g.p(`argv = ["keep", "get", self.name, "sw-%s"]`, name)
		} else {
			g.p(`argv = ["switch", "get", "sw-%s"]`, name)
		}
		g.p(`ok_codes = [0, 3]`)
	default:
		g.p(`text = "switch get sw-%s%s"`, name, pick(g, "", " || true", "; true", " && true"))
		g.p(`ok_codes = [0, 3]`)
	}
}

// word is an executed argument, and the step for which it waits, if any.
func (g *grammar) word() (text, waits string) {
	if s := g.stepRef("text"); s != nil && g.is(20) {
		return `"x${trimspace(` + s.name + `.stdout)}"`, strings.TrimPrefix(s.name, "step.")
	}
	for _, r := range g.refs {
		if !r.step && !r.each && r.kind == "text" && g.is(25) {
			return pick(g, `"is-${trimspace(`+r.name+`.stdout)}"`, `try(trimspace(`+r.name+`.stdout), "none")`), ""
		}
	}
	return pick(g, `"on"`, `"on"`, `"on"`, `"off"`, `"r${self.rank}"`, `"on"`, `"off"`, `coalesce(self.note, "quiet")`, `coalesce(self.note, "loud")`, `self.note`, `"of ${self.name}"`), ""
}

func (g *grammar) step() {
	tag := g.next("e")
	r := ref{name: "step." + tag, step: true}
	module := pick(g, "service", "service", "command", "command", "shell")
	g.tags = append(g.tags, tag)
	g.p(`step "%s" "%s" {`, module, tag)
	suffix := g.head(&r)
	if g.calm {
		suffix += "-${self.name}" // else hosts would share what they act on through "on"
	}
	who := tag + "@${self.name}"
	if r.each {
		who += "#${each.key}"
	}
	waits := ""
	switch module {
	case "service":
		g.p(`name = "svc-%s%s"`, tag, suffix)
		if g.is(80) {
			g.p(`state = "%s"`, pick(g, "started", "started", "stopped", "restarted"))
		}
		if g.is(40) || !strings.HasSuffix(g.out.String(), "ed\"\n") {
			g.p(`enabled = %s`, pick(g, "true", "false"))
		}
	case "command":
		waits = g.command(tag, suffix, who)
	default:
		waits = g.text(tag, suffix, who)
	}
	if waits != "" {
		g.poisons[tag] = waits
	}
	if g.is(10) && module != "service" {
		if s := g.stepRef("text"); s != nil {
			g.p(`ok_codes = [0, try(%s.code, 1)]`, s.name)
		}
	}
	g.how(module)
	g.p(`}`)
	r.kind = kindOf(module)
	g.refs = append(g.refs, r)
}

func (g *grammar) command(tag, suffix, who string) (waits string) {
	if g.is(25) {
		file := "/var/" + tag + suffix
		g.p(`argv = ["put", "%s", "--for", "%s"]`, file, who)
		g.p(`creates = "%s"`, file)
		return ""
	}
	word, waits := g.word()
	if g.is(20) {
		g.p(`argv = ["keep", "set", self.name, "sw-%s%s", %s, "--for", "%s"]`, tag, suffix, word, who)
		return waits
	}
	g.p(`argv = ["switch", "set", "sw-%s%s", %s, "--for", "%s"]`, tag, suffix, word, who)
	if word == `"on"` && g.is(60) {
		g.p(`unless = ["sh", "-c", "test \"$(switch get sw-%s%s)\" = on"]`, tag, suffix)
	}
	return waits
}

func (g *grammar) text(tag, suffix, who string) (waits string) {
	word, waits := g.word()
	switch g.IntN(4) {
	case 0:
		g.p(`text = "zap --for %s; true"`, who)
		return ""
	case 1:
		g.p(`text = "echo x > /tmp/%s && zap --for %s"`, tag, who)
		return ""
	case 2:
		g.p(`text = "if test -e /etc/nothing; then false; else switch set sw-%s%s on --for %s; fi"`, tag, suffix, who)
		g.p(`unless = "test \"$(switch get sw-%s%s)\" = on"`, tag, suffix)
		return ""
	}
	g.p(`text = "switch set sw-%s%s ${shq(%s)} --for %s"`, tag, suffix, word, who)
	return waits
}

// how writes how often a step is executed, and what is thought of its result.
func (g *grammar) how(module string) {
	if g.is(40) {
		g.p(`sudo {}`)
	}
	if g.is(12) {
		g.p(`retry {`)
		g.p(`attempts = %d`, 2+g.IntN(2))
		g.p(`delay = "1s"`)
		if module != "service" && g.is(50) {
			g.p(`until = result.code == 0`)
		}
		g.p(`}`)
	}
	if g.is(10) {
		g.p(`idempotent = true`)
	}
	switch {
	case module == "service":
	case g.is(10):
		g.p(`changed_when = %s`, pick(g, "result.code == 0", "false"))
	case g.is(6) && !g.calm:
		g.p(`failed_when = %s`, pick(g, "result.code == 0", "self.rank == 2"))
	}
}

func (g *grammar) recover(depth int) {
	goal := g.next("s")
	g.seen = append(g.seen, goal)
	before, tags := len(g.refs), len(g.tags)
	g.p(`recover "%s" {`, g.next("r"))
	if g.is(20) {
		g.p(`when = %s`, g.condition(0))
	}
	g.p(`goal {`)
	name := g.next("p")
	module := pick(g, "service", "command")
	g.p(`probe "%s" "%s" {`, module, name)
	if g.is(25) {
		g.p(`on = self.keeper`)
	}
	if module == "service" {
		g.p(`name = "svc-%s"`, goal)
	} else {
		g.p(`argv = ["keep", "get", self.name, "sw-%s"]`, goal)
		g.p(`ok_codes = [0, 3]`)
	}
	g.p(`}`)
	g.p(`condition = %s`, map[string]string{"service": "probe." + name + ".running", "command": "trimspace(probe." + name + `.stdout) == "on"`}[module])
	g.p(`within = "1s"`)
	g.p(`every = "400ms"`)
	g.p(`}`)
	g.attempt = true
	for range 1 + g.IntN(3) {
		g.p(`attempt "%s" {`, g.next("try "))
		if g.is(30) {
			g.p(`when = %s`, g.condition(1))
		}
		g.step()
		g.refs[len(g.refs)-1].maybe = true
		if g.is(40) {
			g.inner(depth, 2)
		}
		g.p(`}`)
		for _, r := range g.refs[before:] {
			r.maybe = true
			g.hidden = append(g.hidden, r)
		}
		g.refs = g.refs[:before:before]
	}
	g.attempt = false
	g.p(`}`)
	g.refs = append(g.refs, ref{name: "probe." + name, kind: kindOf(module), maybe: true, late: true})
	g.heals[goal] = append(g.heals[goal], g.tags[tags:]...)
}

func (g *grammar) block(depth int) {
	g.p(`block "%s" {`, g.next("b"))
	if g.is(25) {
		g.p(`when = %s`, g.condition(1))
	}
	g.inner(depth, 3)
	if g.is(60) {
		g.p(`rescue {`)
		g.inner(depth, 2)
		g.p(`}`)
	}
	if g.is(40) {
		g.p(`finally {`)
		g.inner(min(depth, 0), 1)
		g.p(`}`)
	}
	g.p(`}`)
}

// check writes one in a play, or without a condition one of the file.
func (g *grammar) check(condition string) {
	inside := condition != ""
	if !inside {
		condition = pick(g, "true", "length(group.nodes) > 0", "length(group.nodes) > 3")
		if len(g.plays) > 0 {
			p := pick(g, g.plays...)
			condition = pick(g, "length(play."+p.name+".hosts) > 0", "length(play."+p.name+".hosts) >= 0", "length(play."+p.name+".missing) < 3")
		}
	}
	g.p(`check "%s" {`, g.next("c"))
	if g.is(60) || inside && g.is(50) {
		g.p(`severity = "warning"`)
	}
	if inside && g.is(30) {
		g.p(`when = %s`, g.condition(0))
	}
	g.p(`condition = %s`, condition)
	g.p(`error_message = "so it is not"`)
	g.p(`}`)
}

const partName = "part.hcl"

// partText is the file that playbooks include.
const partText = `input "unit" {
  type = string
}
probe "service" "look" {
  name = "svc-${input.unit}"
}
step "service" "act" {
  when  = !probe.look.running
  name  = "svc-${input.unit}"
  state = "started"
  sudo {}
}
output "acted" {
  value = step.act.changed
}
`

func (g *grammar) include() {
	tag := g.next("e")
	g.tags, g.part = append(g.tags, tag), true
	g.p(`include "%s" "%s" {`, partName, tag)
	if g.is(30) {
		g.p(`when = %s`, g.condition(1))
	}
	g.p(`unit = "%s"`, tag)
	g.p(`}`)
}
