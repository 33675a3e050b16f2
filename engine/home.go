package engine

import (
	"os"
	"path/filepath"
	"strings"
)

// AtHome is a path whose leading ~/ is the home directory of who runs dsplay, as for shells. Where nobody knows that directory
// the path stays as it is: opening it says what is wrong.
func AtHome(path string) string {
	rest, found := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !found || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}
