package knownhosts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestIndexFindsWhatTryingEachLineFinds: random files, and every name asked twice.
func TestIndexFindsWhatTryingEachLineFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		switch n := random.IntN(8); n {
		case 0:
			return fmt.Sprintf("h%d*", random.IntN(3))
		case 1:
			return fmt.Sprintf("!h%d", random.IntN(12))
		case 2:
			return "h?"
		}
		return fmt.Sprintf("h%d", random.IntN(12))
	}
	for round := range 300 {
		var x index
		for range random.IntN(20) {
			list := []string{word(), word(), word()}[:1+random.IntN(3)]
			l := &Line{names: patterns(list)}
			if random.IntN(4) == 0 {
				l.names = parseNames(hash(fmt.Sprintf("h%d", random.IntN(12))))
			}
			x.add(l)
		}
		for i := range 24 {
			name := fmt.Sprintf("h%d", i%12)
			want := slices.DeleteFunc(slices.Clone(x.lines), func(l *Line) bool { return !l.names.match(name) })
			if got := x.find(name); !slices.Equal(got, want) {
				t.Fatalf("round %d, %s: %d lines instead of %d", round, name, len(got), len(want))
			}
		}
	}
}

// BenchmarkFor is an estate of 10,000 hosts whose lines are all looked up, as Open does: keys, authorities, keys.
func BenchmarkFor(b *testing.B) {
	for _, kind := range []string{"plain", "hashed"} {
		b.Run(kind, func(b *testing.B) {
			n := 10_000
			if kind == "hashed" {
				n = 1000 // each name costs a hash per line
			}
			lines := make([]*Line, n)
			for i := range lines {
				word := fmt.Sprintf("h%d", i)
				if kind == "hashed" {
					word = hash(word)
				}
				lines[i] = &Line{names: parseNames(strings.ToLower(word))}
				if kind == "hashed" {
					lines[i].names = parseNames(word)
				}
			}
			for b.Loop() {
				f := &file{}
				for _, l := range lines {
					f.add(l)
				}
				s := &Set{files: []*file{f}}
				for i := range n {
					if name := fmt.Sprintf("h%d", i); len(s.Keys(name)) != 1 || len(s.Authorities(name)) != 0 || len(s.Keys(name)) != 1 {
						b.Fatal("the line is not found")
					}
				}
			}
		})
	}
}
