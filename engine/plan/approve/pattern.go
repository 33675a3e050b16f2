package approve

import (
	"strings"

	"github.com/dsplay/dsplay/engine/sshpattern"
)

// matchesList tells whether a text matches patterns with commas between them, as ssh-keygen(1) reads them.
func matchesList(text, list string) bool { return sshpattern.Any(text, strings.Split(list, ",")) }

// isPattern tells whether a name stands for more than itself.
func isPattern(name string) bool { return strings.ContainsAny(name, "*?") }
