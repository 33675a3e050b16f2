package run

import (
	"errors"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// A play is told as not begun when a stop came before its hosts were known, and not when it only had none.
func TestNotBegun(t *testing.T) {
	play := func(name string) engine.Item { return engine.Item{Play: &engine.Play{Name: name}} }
	spec := Spec{Items: []engine.Item{play("a"), {Check: &engine.Check{Name: "c"}}, play("b"), {Locals: &engine.Locals{}}, play("d")}}
	over := func(s State, c Command) ([]string, bool) { return notBegun(spec, s), c.Finish }
	begin := func(before ...Happened) (State, Command) {
		s, c := Decide(spec, State{}, Happened{Begin: true})
		for _, h := range before {
			s, c = Decide(spec, s, h)
		}
		return s, c
	}
	empty := []Happened{{Target: &engine.Target{}}, {Ended: true}}
	held := Happened{Judged: &engine.Judged{OK: true}}
	whole := slices.Concat(empty, []Happened{held}, empty, []Happened{{}}, empty)
	for name, c := range map[string]struct {
		happened []Happened
		want     []string
	}{
		"to the end":          {whole, nil},
		"a check":             {append(slices.Clone(empty), Happened{Judged: &engine.Judged{}}), []string{"b", "d"}},
		"hosts of b":          {append(slices.Clone(whole[:3]), Happened{Err: errors.New("no")}), []string{"b", "d"}},
		"a signal in b":       {append(slices.Clone(whole[:4]), Happened{Ended: true, Signal: true}), []string{"d"}},
		"a signal in the end": {append(slices.Clone(whole[:len(whole)-1]), Happened{Ended: true, Signal: true}), nil},
	} {
		if got, finish := over(begin(c.happened...)); !slices.Equal(got, c.want) || !finish {
			t.Errorf("%s: got %q (finish %v), want %q", name, got, finish, c.want)
		}
	}
}
