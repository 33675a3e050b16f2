package approve

import "strings"

// matchesList tells whether a text matches a pattern-list of ssh_config(5): patterns with * and ? between commas; one
// with ! before it excludes what it matches, whatever the others say. As there, letters' case counts.
func matchesList(text, list string) bool {
	matched := false
	for p := range strings.SplitSeq(list, ",") {
		negated, not := strings.CutPrefix(p, "!")
		switch {
		case not && matches(text, negated):
			return false
		case !not && matches(text, p):
			matched = true
		}
	}
	return matched
}

// matches tells whether a whole text matches one pattern. Its time grows with the product of the lengths only: a * that
// was passed is tried again one byte further, and never an earlier one.
func matches(text, pattern string) bool {
	t, p, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			t, p = t+1, p+1
		case star >= 0:
			mark++
			t, p = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// isPattern tells whether a name stands for more than itself.
func isPattern(name string) bool { return strings.ContainsAny(name, "*?") }
