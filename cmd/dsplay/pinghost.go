package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dsplay/dsplay/engine/ping"
)

// host writes one host: the first line says how it ended, those below it why, and what there is to know besides.
func (p *pingView) host(h ping.Host) {
	if h.Status == ping.NoWay {
		p.put("%-*s  no connection in the inventory: nothing to try", p.width, inLine(h.Name))
		return
	}
	p.put("%-*s  %s", p.width, inLine(h.Name), strings.Join([]string{p.word(h), duration(h.Ms), way(h)}, "  "))
	if h.Error != nil {
		p.line("why", h.Error.Text)
		p.line("try", h.Error.Hint)
	}
	p.line("", strings.Join(facts(h), " · "))
	p.line("", h.Identity)
	if h.Status == ping.Unreachable || p.verbose { // where the login works nobody asks for another one
		p.line("offers", strings.Join(h.Offered, " "))
	}
	for _, w := range h.Weakenings {
		p.line("weak", w)
	}
	for _, w := range h.Warnings {
		p.line("warning", w.Text)
		p.line("try", w.Hint)
	}
	if p.verbose {
		p.waterfall(h.Stages)
	} else if bars := picture(h.Stages); bars != "" {
		p.line("", bars)
	}
}

func (p *pingView) line(key, text string) {
	if text == "" {
		return
	}
	if key != "" {
		key += ": "
	}
	for i, part := range strings.Split(text, "\n") {
		if i > 0 {
			key = strings.Repeat(" ", len(key))
		}
		p.put("%s", strings.TrimRight(fmt.Sprintf("%-*s  %s%s", p.width, "", key, inLine(part)), " "))
	}
}

func (p *pingView) word(h ping.Host) string {
	word, color := string(h.Status), "\x1b[31m"
	switch {
	case h.Status == ping.OK:
		color = "\x1b[32m"
	case h.Status == ping.NotTried:
		word = "not tried"
		if h.Error != nil {
			return "stopped"
		}
	case h.At != "":
		word += " at " + inLine(h.At)
	}
	if h.Error != nil {
		word += " [" + string(h.Error.Kind) + "]"
	}
	if !p.color {
		return word
	}
	return color + word + "\x1b[0m"
}

// way is how the host is reached, and as whom.
func way(h ping.Host) string {
	parts := []string{h.Connection, h.Address}
	if h.User != "" {
		parts = append(parts, "as", h.User)
	}
	if h.Via != "" { // last, for with a configuration it is long
		parts = append(parts, "via", h.Via)
	}
	return inLine(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " "))
}

// facts are what works.
func facts(h ping.Host) []string {
	var list []string
	add := func(text string) {
		if text != "" {
			list = append(list, text)
		}
	}
	add(h.Platform)
	add(h.System)
	if h.Sudo != nil {
		add(map[ping.Status]string{ping.OK: "sudo to " + h.Sudo.User, ping.Failed: "no sudo to " + h.Sudo.User, ping.NotNeeded: "no sudo needed",
			ping.Restricted: "sudo to " + h.Sudo.User + " for some commands only"}[h.Sudo.Status])
	}
	if a := h.API; a != nil {
		add(strings.TrimSpace(a.Kind + " " + a.Version))
		add(map[ping.Status]string{ping.OK: "login works", ping.Failed: "no login", ping.NotTried: "login not tried"}[a.Login])
	}
	if h.ValidUntil != "" {
		add("certificate until " + h.ValidUntil[:len(time.DateOnly)])
	}
	return list
}

// duration is a number of milliseconds for a person.
func duration(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// inLine is what a host said, without what could drive a terminal.
func inLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}
