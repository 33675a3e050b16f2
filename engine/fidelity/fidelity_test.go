// Package fidelity tries to break the promise that what was approved is what runs: random estates, random playbooks, and
// things that happen meanwhile. It has tests only.
package fidelity

import (
	"flag"
	"testing"
)

var (
	seed    = flag.Uint64("seed", 1, "the first estate")
	estates = flag.Int("estates", 320, "how many estates")
)

func TestFidelity(t *testing.T) {
	f := newFigures()
	for n := range *estates {
		j := &journey{T: t, estate: newEstate(*seed + uint64(n)), dir: t.TempDir()}
		j.travel()
		j.judge()
		f.add(j)
		if t.Failed() {
			j.tell()
			break
		}
	}
	t.Log(f.String())
}
