package sshpattern

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true}, {"", "*", true}, {"", "?", false}, {"a", "", false}, {"a", "A", false},
		{"db1.example", "db?.*", true}, {"db.example", "db?.*", false}, {"abab", "*ab", true}, {"abac", "*ab", false},
		{"[192.0.2.1]:22", "[192.0.*]:*", true}, {"a/b", "a*b", true}, {"*a", "*?", true}, {"ab", "a**b**", true}, {"[a]", "[ab]", false},
	} {
		if got := Match(c.text, c.pattern); got != c.want {
			t.Errorf("%q, %q: %v", c.text, c.pattern, got)
		}
	}
}

func TestAny(t *testing.T) {
	for _, c := range []struct {
		text, patterns string
		want           bool
	}{
		{"web1", "db*,web*", true}, {"web1", "web*,!web1", false}, {"web1", "!web1,web*", false}, {"web2", "!web1,web*", true},
		{"web2", "!web1", false}, {"web2", "", false},
	} {
		if got := Any(c.text, strings.Split(c.patterns, ",")); got != c.want {
			t.Errorf("%q, %q: %v", c.text, c.patterns, got)
		}
	}
}

func TestPatternsTakeNoTime(t *testing.T) {
	if Match(strings.Repeat("a", 2000), strings.Repeat("*a", 500)+"b") {
		t.Error("it matched")
	}
}
