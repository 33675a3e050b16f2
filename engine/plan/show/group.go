package show

import (
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/plan"
)

// steps groups items of one entry: those that are the same but for the host's name, and those that are the
// same but for some words.
func steps(items []plan.Item, reason func(plan.Item) []string) []step {
	var out []step
	for _, alike := range partition(items, shape) {
		for _, same := range divide(alike) {
			out = append(out, merge(same, reason))
		}
	}
	return out
}

// partition keeps the order of the first of each part.
func partition[T any](items []T, key func(T) string) [][]T {
	var parts [][]T
	index := map[string]int{}
	for _, i := range items {
		k := key(i)
		n, ok := index[k]
		if !ok {
			n = len(parts)
			index[k], parts = n, append(parts, nil)
		}
		parts[n] = append(parts[n], i)
	}
	return parts
}

// shape is equal for items that differ in words only.
func shape(i plan.Item) string {
	var b strings.Builder
	put := func(texts ...string) {
		for _, t := range texts {
			b.WriteString(t)
			b.WriteByte(0)
		}
	}
	put(i.Play, i.Entry, i.Title, i.Impact, i.Module)
	put(i.Unknown...)
	put("")
	for _, e := range i.Effects {
		put(string(e))
	}
	for _, f := range fields(&i) {
		for n, word := range words(*f) {
			if n%2 == 0 {
				put(word)
			}
		}
		put("")
	}
	return b.String()
}

// fields are the texts of an item that may differ from host to host.
func fields(i *plan.Item) []*string {
	out := []*string{&i.Diff.Act, &i.Diff.Note}
	for n := range i.Args {
		out = append(out, &i.Args[n].Name, &i.Args[n].Value)
	}
	for n := range i.Diff.Changes {
		c := &i.Diff.Changes[n]
		out = append(out, &c.What, &c.Before, &c.After)
	}
	for n := range i.Diff.Commands {
		out = append(out, &i.Diff.Commands[n])
	}
	return out
}

// words takes a text apart: at even places what stands between words (perhaps nothing), at odd places the words.
func words(s string) []string {
	var out []string
	begin, inside := 0, false
	for n, r := range s {
		if isWord(r) != inside {
			out, begin, inside = append(out, s[begin:n]), n, !inside
		}
	}
	return append(out, s[begin:])
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:", r) || r > 0x7f && r != '‹' && r != '›'
}

// spread is an item taken apart into words, in which the names of its hosts are signs already.
type spread struct {
	item  plan.Item
	words []string
}

func open(i plan.Item) spread {
	s := spread{item: i}
	signs := !literal(i)
	for _, f := range fields(&i) {
		for n, w := range words(*f) {
			switch {
			case n%2 == 0 || !signs:
			case w == i.Host && w != "":
				w = ownSign
			case w == i.On && w != "":
				w = onSign
			}
			s.words = append(s.words, w)
		}
	}
	return s
}

// divide splits items of one shape until what is left of each part is the same, or differs in few words from host to host.
func divide(items []plan.Item) [][]spread {
	var parts [][]spread
	spreads := make([]spread, len(items))
	for n, i := range items {
		spreads[n] = open(i)
	}
	todo := [][]spread{spreads}
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		column := splitter(part)
		if column < 0 {
			parts = append(parts, part)
			continue
		}
		todo = append(partition(part, func(s spread) string { return s.words[column] }), todo...)
	}
	return parts
}

const (
	fewHosts = 3 // fewer have each its own command lines, without holes
	maxHoles = 4
)

// splitter is a word by which items are told apart, or -1: one that many share is another kind of step and no property of
// a host.
func splitter(part []spread) int {
	columns := differing(part)
	best, least := -1, len(part)+1
	for _, c := range columns {
		if n := distinct(part, c); n < least {
			best, least = c, n
		}
	}
	switch {
	case best < 0:
		return -1
	case len(part) < fewHosts || least*2 <= len(part) || len(alike(part, columns)) > maxHoles || literal(part[0].item):
		return best
	}
	return -1
}

// literal tells whether an item has the signs in it that mark holes.
func literal(i plan.Item) bool {
	return slices.ContainsFunc(fields(&i), func(f *string) bool { return strings.ContainsAny(*f, "‹›") })
}

func differing(part []spread) []int {
	var columns []int
	for c, w := range part[0].words {
		if slices.ContainsFunc(part, func(s spread) bool { return s.words[c] != w }) {
			columns = append(columns, c)
		}
	}
	return columns
}

func distinct(part []spread, column int) int {
	seen := map[string]bool{}
	for _, s := range part {
		seen[s.words[column]] = true
	}
	return len(seen)
}

// alike puts columns together that have the same word on every host: one hole.
func alike(part []spread, columns []int) [][]int {
	return partition(columns, func(c int) string {
		var b strings.Builder
		for _, s := range part {
			b.WriteString(s.words[c])
			b.WriteByte(0)
		}
		return b.String()
	})
}

// merge makes one step of items that are the same but for their holes.
func merge(part []spread, reason func(plan.Item) []string) step {
	s := step{Item: part[0].item}
	s.Waits, s.Effects = nil, slices.SortedFunc(slices.Values(s.Effects), graver)
	for _, p := range part {
		for _, w := range p.item.Waits {
			s.Waits = added(s.Waits, w)
		}
	}
	for _, p := range part {
		s.Where = append(s.Where, where{Host: p.item.Host, On: p.item.On, Item: p.item.Item, Disposition: p.item.Disposition})
	}
	text := slices.Clone(part[0].words)
	s.plain = literal(s.Item)
	if len(part) == 1 {
		s.Whys = whys(part, reason)
		return s
	}
	for n, hole := range alike(part, differing(part)) {
		name := "‹" + string(rune('1'+n)) + "›"
		s.Holes = append(s.Holes, name)
		for _, c := range hole {
			text[c] = name
		}
		for w := range part {
			s.Where[w].Cells = append(s.Where[w].Cells, part[w].words[hole[0]])
		}
	}
	s.Item = closed(s.Item, text)
	s.Whys = whys(part, reason)
	return s
}

// closed is the item with other words.
func closed(i plan.Item, text []string) plan.Item {
	i.Args, i.Diff.Changes, i.Diff.Commands = slices.Clone(i.Args), slices.Clone(i.Diff.Changes), slices.Clone(i.Diff.Commands)
	for _, f := range fields(&i) {
		n := len(words(*f))
		*f, text = strings.Join(text[:n], ""), text[n:]
	}
	return i
}

// whys are the different reasons of a step, and who has which.
func whys(part []spread, reason func(plan.Item) []string) []why {
	var out []why
	index := map[string]int{}
	for _, p := range part {
		for _, text := range reason(p.item) {
			n, ok := index[text]
			if !ok {
				n = len(out)
				index[text], out = n, append(out, why{Text: text})
			}
			if h := out[n].Hosts; len(h) == 0 || h[len(h)-1] != p.item.Host { // items of one host stand together
				out[n].Hosts = append(out[n].Hosts, p.item.Host)
			}
		}
	}
	return out
}
