package transporttest

import "strings"

// WineLacks are the tests that Wine's cmd.exe cannot pass, for Target.Lacks. The map is the caller's own.
func WineLacks() map[string]string {
	return map[string]string{
		"directory":   "in Wine 8.0 a cd that worked counts as failed for ||",
		"concurrency": "of 20 at once Wine's cmd.exe loses one in a thousand: no output, or a program that it cannot find",
	}
}

// WineChanges are the words that Wine's cmd.exe changes, for Target.Changes: it expands %NAME% also where a caret stands
// in it, which Windows' does not.
func WineChanges(word string) bool {
	return strings.Contains(word, "%PATH") || strings.Contains(word, "%OS%")
}
