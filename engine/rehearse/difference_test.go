package rehearse

import (
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	for _, tt := range []struct{ want, got, shown string }{
		{"a b c", "a b c", "  a,  b,  c"},
		{"", "a", "+ a"},
		{"a", "", "- a"},
		{"a b", "b a", "- a,  b,+ a"},
		{"a b c d", "a x c d", "  a,- b,+ x,  c,  d"},
		{"a a", "a", "  a,- a"},
	} {
		if got := strings.Join(difference(strings.Fields(tt.want), strings.Fields(tt.got)), ","); got != tt.shown {
			t.Errorf("%q and %q: %q, want %q", tt.want, tt.got, got, tt.shown)
		}
	}
}
