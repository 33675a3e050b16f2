// Package sshpattern knows the patterns of OpenSSH (PATTERNS in ssh_config(5)), as its files of configuration, of host keys and
// of signers have them. The authority is match_pattern and match_pattern_list in its match.c.
package sshpattern

import "strings"

// Match tells whether a whole text fits one pattern: * is any run of characters, also of dots, brackets and slashes, and ? is
// any one. Letter case counts. Its time grows with the product of the lengths, whatever the pattern.
func Match(text, pattern string) bool {
	star, mark := -1, 0 // where to go on when it does not fit: one byte more goes to the last *, never to an earlier one
	t, p := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*': // before the next case: a text may have stars, too
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

// Any tells whether a text fits one of the patterns, and none that ! precedes, wherever that stands.
func Any(text string, patterns []string) bool {
	found := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !Match(text, pattern) {
			continue
		}
		if negated {
			return false
		}
		found = true
	}
	return found
}
