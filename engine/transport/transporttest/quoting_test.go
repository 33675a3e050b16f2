package transporttest

import "testing"

func TestThereAreNastyWords(t *testing.T) {
	for _, windows := range []bool{false, true} {
		if n := len(nasty(windows)); n < 200 {
			t.Errorf("windows %v: %d words", windows, n)
		}
	}
}
