package transcript

import (
	"slices"
	"testing"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got []string
		same      bool
	}{
		{[]string{"a", "= 0"}, []string{"a", "= 0"}, true},
		{[]string{"a", "= 0"}, []string{"a", "= 1"}, false},
		{[]string{"a", "= 0"}, []string{"a", "b", "= 0"}, false},
		{[]string{"= 0"}, []string{"a", "= 0"}, false},
		{[]string{"a", "b", "= 0"}, []string{"a", "= 0"}, false},
		{[]string{"a  ", "= 0"}, []string{"a", "= 0"}, true},
		{[]string{"pid <…>.", "= 0"}, []string{"pid 12.", "= 0"}, true},
		{[]string{"pid <…>.", "= 0"}, []string{"pid 12", "= 0"}, false},
		{[]string{"a.b", "= 0"}, []string{"axb", "= 0"}, false},
		{[]string{"...", "z", "= 0"}, []string{"x", "y", "z", "= 0"}, true},
		{[]string{"...", "z", "= 0"}, []string{"x", "y", "= 0"}, false},
	} {
		if got := matches(c.want, c.got); got != c.same {
			t.Errorf("matches(%q, %q) is %v", c.want, c.got, got)
		}
	}
}

func TestConverse(t *testing.T) {
	var line, input string
	run := func(l, in string) (string, string, int64) {
		line, input = l, in
		return "one\r\ntwo  \r\n", "oops\n", 3
	}
	got := converse(run, `cmd arg <<< first\nsecond`)
	if want := []string{"one", "two", "2| oops", "= 3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if line != "cmd arg" || input != "first\nsecond" {
		t.Errorf("ran %q with %q", line, input)
	}
}
