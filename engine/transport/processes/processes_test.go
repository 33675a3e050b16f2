package processes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/transport/processes"
)

// stat is a line of /proc/PID/stat; what is not looked at is 0.
func stat(pid int, name, state string, parent, session, start int) string {
	return fmt.Sprintf("%d (%s) %s %d %d %d%s %d 0 0\n", pid, name, state, parent, session, session, strings.Repeat(" 0", 15), start)
}

// sshd is a host with two connections. On ours (300) run, in this order: a command of bash (310), one that bash has
// replaced by sudo with a session of its own below (320), one that has ended and is not yet buried (330), and the
// lister (340), whose cat came from a login shell that does not exec. 350 began later.
var sshd = "dsplay 341\n" +
	stat(1, "init", "S", 0, 1, 1) + stat(2, "kthreadd", "S", 0, 0, 1) + stat(200, "sshd", "S", 1, 200, 10) +
	stat(300, "sshd", "S", 200, 300, 50) + stat(301, "sshd", "S", 300, 300, 51) +
	stat(310, "bash", "S", 301, 310, 100) + stat(311, "evil) Z 1 1 1", "S", 310, 310, 101) +
	stat(320, "sudo", "S", 301, 320, 100) + stat(321, "sudo", "S", 320, 320, 102) + stat(322, "service", "S", 321, 322, 103) +
	stat(323, "daemon", "S", 1, 323, 104) + stat(330, "sh", "Z", 301, 330, 110) +
	stat(340, "csh", "S", 301, 340, 120) + stat(341, "cat", "R", 340, 340, 121) + stat(350, "sh", "S", 301, 350, 121) +
	stat(400, "sshd", "S", 200, 400, 60) + stat(410, "bash", "S", 400, 410, 90) + "nonsense\n12 (short) S 1\n"

func TestSiblingsAreTheSessionsOfThisConnection(t *testing.T) {
	got, ok := processes.Parse(sshd).Siblings()
	if want := []int{310, 320, 330, 340}; !ok || !slices.Equal(processes.IDs(got), want) {
		t.Errorf("got %v, %v; want %v", processes.IDs(got), ok, want)
	}
}

// TestNoSiblingsWithoutOneSessionPerCommand: where the server runs commands in its own session, children of it are
// anybody's.
func TestNoSiblingsWithoutOneSessionPerCommand(t *testing.T) {
	for name, text := range map[string]string{
		"one session for all":    "dsplay 341\n" + stat(1, "init", "S", 0, 1, 1) + stat(300, "server", "S", 1, 300, 5) + stat(310, "sh", "S", 300, 300, 8) + stat(341, "cat", "S", 300, 300, 9),
		"a neighbour without":    "dsplay 341\n" + stat(300, "server", "S", 200, 300, 5) + stat(310, "worker", "S", 300, 300, 8) + stat(341, "cat", "S", 300, 341, 9),
		"straight below init":    "dsplay 341\n" + stat(341, "cat", "S", 1, 341, 9) + stat(310, "sh", "S", 1, 310, 8),
		"nobody knows who lists": stat(341, "cat", "S", 300, 341, 9) + stat(310, "sh", "S", 300, 310, 8),
		"no /proc":               "dsplay 341\ncat: can't open '/proc/[0-9]*/stat': No such file or directory\n",
		"nothing":                "",
	} {
		if got, ok := processes.Parse(text).Siblings(); ok {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFamily(t *testing.T) {
	table := processes.Parse(sshd)
	for leader, want := range map[int][]int{310: {310, 311}, 320: {320, 321, 322}, 330: {}, 1: {}, 0: {}} {
		if got := processes.IDs(table.Family(table.All[leader], nil)); !slices.Equal(got, want) {
			t.Errorf("of %d: got %v, want %v", leader, got, want)
		}
	}
	gone := processes.Process{PID: 310, Session: 310, Start: 99}
	if got := table.Family(gone, nil); len(got) > 0 {
		t.Errorf("310 is somebody else now, and %v would have died", got)
	}
	// The leader is gone; whom it left is known by its session, or from before.
	later := processes.Parse(stat(311, "x", "S", 1, 310, 101) + stat(322, "service", "S", 1, 322, 103) + stat(321, "new", "S", 1, 321, 900))
	if got := processes.IDs(later.Family(table.All[310], nil)); !slices.Equal(got, []int{311}) {
		t.Errorf("of 310, later: %v", got)
	}
	known := table.Family(table.All[320], nil)
	if got := processes.IDs(later.Family(table.All[320], known)); !slices.Equal(got, []int{322}) {
		t.Errorf("of 320, later: %v", got)
	}
}
