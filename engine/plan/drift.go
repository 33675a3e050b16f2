package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Drift is one decision that would be another one today.
type Drift struct {
	Play, Host, Entry, Item string // Entry is empty when it concerns more than one
	Place                   string
	What                    string // in words, for the person who has to decide
	// Gone says that it is not needed any more, together with everything else of its recover or of its host in this
	// play: narrowing the plan by it is safe.
	Gone bool
}

// String is the drift on one line.
func (d Drift) String() string {
	where := strings.TrimSuffix(d.Play+" · "+d.Host, " · ")
	if d.Entry != "" {
		where += " · " + d.Entry[strings.Index(d.Entry, "/")+1:]
	}
	if d.Item != "" {
		where += fmt.Sprintf("[%q]", d.Item)
	}
	return strings.TrimPrefix(where+": ", ": ") + d.What
}

// Compare tells which decisions of approved would be others in now, which was made by looking again. Values that change no
// decision are no drift, nor is a host more or less for which nothing is done.
func Compare(approved, now *Plan) []Drift {
	c := newComparison(approved, now)
	var out []Drift
	if now.stop != nil && approved.stop == nil {
		out = append(out, Drift{Play: now.stop.Item, What: "the playbook stops there now: " + now.stop.Reason})
	}
	out = append(out, c.acting(approved.Items())...)
	out = append(out, c.appeared(now.Items())...)
	return out
}

// Narrow drops from the plan what is not needed any more. What it drops is outside of the envelope from then on.
func (p *Plan) Narrow(drift []Drift) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range drift {
		k := key{d.Play, d.Host, d.Entry, d.Item}
		if i, ok := p.items[k]; ok && d.Gone {
			i.Disposition, i.Reason = NoOp, "dropped before the plan was applied: "+d.What
			p.items[k] = i
		}
	}
}

func (p *Plan) index() map[key]Item {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.items // nobody adds any more
}

type who struct{ play, host string }

func (p *Plan) failedChecks() map[who]string {
	out := map[who]string{}
	for _, c := range p.checks {
		if c.Status == "failed" && c.Host != "" {
			out[who{c.Play, c.Host}] = fmt.Sprintf("check %q does not hold there now: %s", c.Name, c.Reason)
		}
	}
	return out
}

type comparison struct {
	was, is map[key]Item
	failed  map[who]string // hosts that a check of their play stops now
	broken  map[who]bool   // hosts of which something cannot be judged that could be when the plan was made
	needed  map[unit]bool  // what has something to do now
	silent  map[who]string // why hosts could not be judged when the plan was made
	now     *Plan
}

// unit is what may be dropped from a plan only as a whole: a recover, or (recover empty) everything of a host in a play.
type unit struct {
	who
	recover string
}

func newComparison(approved, now *Plan) comparison {
	c := comparison{was: approved.index(), is: now.index(), failed: now.failedChecks(), broken: map[who]bool{}, needed: map[unit]bool{}, silent: map[who]string{}, now: now}
	for k, is := range c.is {
		host := who{k.play, k.host}
		if is.Acts() {
			c.needed[unit{host, ""}] = true
			c.needed[unit{host, recoverOf(c.is, is)}] = true
		}
		if blind(is) && !blind(c.was[k]) {
			c.broken[host] = true
		}
	}
	for k, was := range c.was {
		if blind(was) {
			c.silent[who{k.play, k.host}] = was.Reason
		}
	}
	return c
}

// recoverOf is the address of the outermost recover around an item, or "".
func recoverOf(items map[key]Item, i Item) string {
	for n, r := range i.Entry {
		if r == '/' && items[key{i.Play, i.Host, i.Entry[:n], ""}].Kind == engine.EntryRecover {
			return i.Entry[:n]
		}
	}
	return ""
}

// acting compares what the approved plan would do, and what it could judge, with today.
func (c comparison) acting(items []Item) []Drift {
	var out []Drift
	for _, was := range items {
		is, there := c.is[key{was.Play, was.Host, was.Entry, was.Item}]
		host := who{was.Play, was.Host}
		what, over := "", false
		switch {
		case !blind(was) && there && blind(is):
			what = "it cannot be judged now: " + is.Reason
		case !was.Acts():
		case there && is.Acts():
			what = changed(was, is)
		case c.failed[host] != "":
			what = c.failed[host]
		case c.broken[host]:
			what = "whether it is needed cannot be judged now, because another entry of this host failed"
		case !there && c.stopped(was):
			what = "the playbook stops before it now"
		default:
			what, over = "it is not needed any more: "+c.spared(was, is, there), c.over(was)
		}
		if what != "" {
			d := drifted(was, what)
			d.Gone = over
			out = append(out, d)
		}
	}
	return out
}

// stopped tells whether planning again ended before it came to the item's host.
func (c comparison) stopped(was Item) bool {
	play, begun := c.now.Play(was.Play)
	return c.now.stop != nil && (!begun || slices.Contains(play.Hosts, was.Host))
}

// spared says why an item is not needed any more: it says so itself, or what stands around it does.
func (c comparison) spared(was, is Item, there bool) string {
	if there {
		return cmp.Or(is.Reason, is.Diff.Note, string(is.Disposition))
	}
	for n := len(was.Entry) - 1; n > 0; n-- {
		if was.Entry[n] != '/' {
			continue
		}
		if around := c.is[key{was.Play, was.Host, was.Entry[:n], ""}]; around.Reason != "" {
			return around.Reason
		}
	}
	return "the play is not for this host today"
}

// over tells whether nothing of the item's recover, or of its host in its play, has to be done any more.
func (c comparison) over(was Item) bool {
	host := who{was.Play, was.Host}
	r := recoverOf(c.was, was)
	return !c.needed[unit{host, ""}] || r != "" && !c.needed[unit{host, r}]
}

// appeared are the things that would be done today and are not in the plan.
func (c comparison) appeared(items []Item) []Drift {
	var out []Drift
	for _, is := range items {
		was, there := c.was[key{is.Play, is.Host, is.Entry, is.Item}]
		switch {
		case !is.Acts() || there && was.Acts():
			continue
		case there && blind(was):
			out = append(out, drifted(is, "it would be done now; when the plan was made it could not be judged: "+was.Reason))
		case !there && c.silent[who{is.Play, is.Host}] != "":
			out = append(out, drifted(is, "it would be done now; when the plan was made its host could not be judged: "+c.silent[who{is.Play, is.Host}]))
		default:
			out = append(out, drifted(is, "it would be done now, and the plan does not have it: "+cmp.Or(is.Reason, is.Diff.Act, firstChange(is.Diff), "the host needs it")))
		}
	}
	return out
}

func drifted(i Item, what string) Drift {
	return Drift{Play: i.Play, Host: i.Host, Entry: i.Entry, Item: i.Item, Place: i.Place, What: what}
}

// blind tells whether nothing could be said of an entry.
func blind(i Item) bool { return i.Disposition == Unreachable || i.Disposition == Error }

// changed says how something is done otherwise, or "".
func changed(was, is Item) string {
	switch {
	case was.Disposition != is.Disposition:
		return strings.TrimSuffix(fmt.Sprintf("the plan says %s, now it would be %s (%s)", was.Disposition, is.Disposition, is.Reason), " ()")
	case was.On != is.On:
		return fmt.Sprintf("the plan has %s do it, now it would be %s", was.On, is.On)
	case was.Module != is.Module:
		return fmt.Sprintf("its module is %s in the plan, now %s", was.Module, is.Module)
	case !slices.Equal(was.Unknown, is.Unknown):
		return fmt.Sprintf("not known in the plan are %q, now %q", was.Unknown, is.Unknown)
	case !slices.Equal(was.Effects, is.Effects):
		return fmt.Sprintf("its effects are %v in the plan, now %v", was.Effects, is.Effects)
	case !slices.Equal(was.Diff.Commands, is.Diff.Commands) && differs(was, is.Args, is.Diff) == "":
		return fmt.Sprintf("it would execute %q now instead of %q", is.Diff.Commands, was.Diff.Commands)
	}
	return differs(was, is.Args, is.Diff)
}

func firstChange(d engine.Diff) string {
	if len(d.Changes) == 0 {
		return ""
	}
	return fmt.Sprintf("%s is %q instead of %q", d.Changes[0].What, d.Changes[0].Before, d.Changes[0].After)
}
