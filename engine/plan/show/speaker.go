package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// speaker says things in one language.
type speaker struct {
	p    *message.Printer
	lang string
	zone *time.Location
}

func newSpeaker(o Options) speaker {
	s := speaker{lang: o.Lang, zone: o.Zone}
	if s.zone == nil {
		s.zone = time.UTC
	}
	if s.lang == "" {
		s.lang = Languages[0]
	}
	b := catalog.NewBuilder(catalog.Fallback(language.English))
	for _, w := range vocabulary {
		set(b, language.English, w.key, w.english())
		set(b, language.Japanese, w.key, catalog.String(w.ja))
	}
	s.p = message.NewPrinter(language.Make(s.lang), message.Catalog(b))
	return s
}

// set adds a message. That it cannot be read is a mistake in the vocabulary, which a test would have found.
func set(b *catalog.Builder, tag language.Tag, key string, m catalog.Message) {
	if err := b.Set(tag, key, m); err != nil {
		panic(fmt.Sprintf("show: %s in %s: %v", key, tag, err))
	}
}

func (w word) english() catalog.Message {
	if w.one == "" {
		return catalog.String(w.en)
	}
	return plural.Selectf(1, "%d", plural.One, w.one, plural.Other, w.en)
}

// say gives the text of a key, with its arguments.
func (s speaker) say(key string, args ...any) string { return s.p.Sprintf(key, args...) }

// way is how a host is reached: the type of its connection, and what that leads through.
func (s speaker) way(h *host) string {
	if h.Via == "" {
		return h.Connection
	}
	return h.Connection + " " + s.say("via", h.Via)
}

// list joins names.
func (s speaker) list(names []string) string { return strings.Join(names, s.say("sep")) }

// date writes a time with its zone.
func (s speaker) date(t time.Time) string {
	if t.IsZero() {
		return s.say("until.none")
	}
	days := []string{s.say("day.sun"), s.say("day.mon"), s.say("day.tue"), s.say("day.wed"), s.say("day.thu"), s.say("day.fri"), s.say("day.sat")}
	t = t.In(s.zone)
	zone := t.Format("MST")
	if offset := t.Format("-07:00"); strings.ContainsAny(zone, "+-") {
		zone = "(" + offset + ")"
	} else if zone != "UTC" {
		zone += " (" + offset + ")"
	}
	return s.say("date", t.Format("2006"), t.Format("01"), t.Format("02"), days[t.Weekday()], t.Format("15:04"), zone)
}

// effect names an effect; one of a newer dsplay by its own name.
func (s speaker) effect(e engine.Effect) string {
	switch e {
	case engine.EffectWeakens:
		return s.say("effect.weakens")
	case engine.EffectReboot:
		return s.say("effect.reboot")
	case engine.EffectPower:
		return s.say("effect.power")
	case engine.EffectNetwork:
		return s.say("effect.network")
	case engine.EffectRestart:
		return s.say("effect.restart")
	case engine.EffectStop:
		return s.say("effect.stop")
	case engine.EffectSoftware:
		return s.say("effect.software")
	}
	return string(e)
}

func (s speaker) effects(list []engine.Effect) string {
	names := make([]string, len(list))
	for n, e := range list {
		names[n] = s.effect(e)
	}
	return s.list(names)
}

func (s speaker) disposition(d plan.Disposition) string {
	switch d {
	case plan.WillRun:
		return s.say("do.run")
	case plan.Attempt:
		return s.say("do.attempt")
	case plan.RescueOnly:
		return s.say("do.rescue")
	case plan.Depends:
		return s.say("do.depends")
	case plan.Probed:
		return s.say("do.probed")
	case plan.NoOp:
		return s.say("do.noop")
	case plan.Skipped:
		return s.say("do.skipped")
	case plan.Unreachable:
		return s.say("do.unreachable")
	case plan.Error:
		return s.say("do.error")
	}
	return string(d)
}

func (s speaker) check(status string) string {
	switch status {
	case "failed":
		return s.say("check.failed")
	case "warning":
		return s.say("check.warning")
	case "depends":
		return s.say("check.depends")
	}
	return status
}

func (s speaker) stop(kind string) string {
	switch kind {
	case "check":
		return s.say("stop.check")
	case "threshold":
		return s.say("stop.threshold")
	case "signal":
		return s.say("stop.signal")
	case "error":
		return s.say("stop.error")
	case "unknown":
		return s.say("stop.unknown")
	}
	return kind
}

func (s speaker) state(x state) string {
	switch x {
	case stateUp:
		return s.say("state.up")
	case stateDown:
		return s.say("state.down")
	case stateAsleep:
		return s.say("state.asleep")
	}
	return s.say("state.unknown")
}

// mark says what a ring on the picture means; empty: there is none.
func (s speaker) mark(h *host) string {
	switch {
	case h.touched() && h.Certain:
		return s.say("mark.certain")
	case h.touched():
		return s.say("mark.maybe")
	case h.Blind:
		return s.say("mark.blind")
	}
	return ""
}

// until says until when a plan may be started.
func (s speaker) until(p *page) string {
	switch {
	case p.Until.IsZero():
		return s.say("until.none")
	case p.Over:
		return s.say("until.over", s.date(p.Until))
	}
	return s.say("until.value", s.date(p.Until))
}

// place says on which host a step is done, and for which.
func (s speaker) place(w where) string {
	text := w.On
	if w.On != w.Host && w.Host != "" {
		text = s.say("on.for", w.On, w.Host)
	}
	if w.Item != "" {
		text = s.say("on.item", text, fmt.Sprintf("%q", w.Item))
	}
	return text
}

func (s speaker) places(list []where) []string {
	out := make([]string, len(list))
	for n, w := range list {
		out[n] = s.place(w)
	}
	return out
}

// sentences are the summary in words.
func (s speaker) sentences(p *page) []string {
	certain, blind := 0, 0
	for _, i := range p.Items {
		if i.Acts() && i.Disposition == plan.WillRun {
			certain++
		}
	}
	for _, h := range p.All {
		if h.Blind {
			blind++
		}
	}
	var out []string
	if p.Worst.Entries == 0 {
		out = append(out, s.say("nothing"))
	} else {
		touched := s.say("touched", s.say("n.hosts", len(p.Worst.Hosts)), s.say("n.hosts", len(p.Hosts)))
		if p.Through > 0 {
			touched += s.say("through", s.say("n.hosts", p.Through))
		}
		out = append(out, touched, s.say("entries", s.say("n.steps", p.Worst.Entries), certain, p.Worst.Entries-certain))
	}
	if p.Worst.Unknown > 0 {
		out = append(out, s.say("unknown.count", s.say("n.steps", p.Worst.Unknown)))
	}
	switch {
	case blind > 0:
		out = append(out, s.say("blind.count", s.say("n.hosts", blind)))
	case !p.Offline && p.Stop == nil:
		out = append(out, s.say("blind.none"))
	}
	if p.Worst.Entries > 0 {
		out = append(out, s.say("envelope"))
	}
	return out
}

// title names an entry: as its author does, else by where it stands in its play.
func title(i plan.Item) string {
	if i.Title != "" {
		return i.Title
	}
	return strings.ReplaceAll(strings.TrimPrefix(i.Entry, i.Play+"/"), "/", " › ")
}

// reach is for how many hosts a play is, and for how many of them something is to be said.
func (s speaker) reach(x playPart) string {
	parts := []string{s.say("play.hosts", s.say("n.hosts", len(x.Hosts)))}
	if x.Idle > 0 {
		parts = append(parts, s.say("play.idle", x.Idle))
	}
	if x.Blind > 0 {
		parts = append(parts, s.say("play.blind", x.Blind))
	}
	return s.list(parts)
}

// sizes are the numbers of hosts of batches.
func (s speaker) sizes(batches [][]string) string {
	names := make([]string, 0, len(batches))
	for n := 0; n < len(batches); {
		same := n
		for same < len(batches) && len(batches[same]) == len(batches[n]) {
			same++
		}
		text := s.p.Sprintf("%d", len(batches[n]))
		if same-n > 1 {
			text += s.p.Sprintf(" × %d", same-n)
		}
		names, n = append(names, text), same
	}
	return s.list(names)
}
