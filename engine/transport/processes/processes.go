// Package processes knows the table of processes that Linux keeps under /proc: who started whom, and who must die with whom.
package processes

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Process is a line of /proc/PID/stat, as proc(5) has it.
type Process struct {
	PID, Parent, Session int
	Start                int // ticks after the boot
	Zombie               bool
}

// Table is every process of a host, and the one that listed them.
type Table struct {
	Self int
	All  map[int]Process
}

// Parse reads "dsplay PID" (the process that listed them) and any number of /proc/PID/stat files, one after the other.
// What it does not understand it passes over.
func Parse(text string) Table {
	t := Table{All: map[int]Process{}}
	for line := range strings.Lines(text) {
		if id, ok := strings.CutPrefix(line, "dsplay "); ok && t.Self == 0 {
			t.Self, _ = strconv.Atoi(strings.TrimSpace(id))
		} else if p, ok := parseStat(line); ok {
			t.All[p.PID] = p
		}
	}
	return t
}

// parseStat: the name stands in parentheses and may contain anything, so the last one counts.
func parseStat(line string) (p Process, ok bool) {
	id, _, _ := strings.Cut(line, " ")
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 20 {
		return p, false
	}
	var errs [4]error
	p.PID, errs[0] = strconv.Atoi(id)
	p.Parent, errs[1] = strconv.Atoi(fields[1])
	p.Session, errs[2] = strconv.Atoi(fields[3])
	p.Start, errs[3] = strconv.Atoi(fields[19])
	p.Zombie = fields[0] == "Z" || fields[0] == "X"
	return p, errs == [4]error{}
}

// Siblings are the first processes of the sessions of this connection, in the order of their start, up to the one
// that made this list. It is false when the server does not make a process and a session per command.
func (t Table) Siblings() ([]Process, bool) {
	own, ok := t.All[t.All[t.Self].Session]
	if !ok || own.Parent <= 1 || !t.descends(t.Self, own.PID) {
		return nil, false
	}
	var found []Process
	for _, p := range t.All {
		if p.Parent == own.Parent && compareStart(p, own) <= 0 {
			if p.Session != p.PID {
				return nil, false
			}
			found = append(found, p)
		}
	}
	slices.SortFunc(found, compareStart)
	return found, true
}

func compareStart(a, b Process) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
}

// descends tells whether pid is ancestor or came from it.
func (t Table) descends(pid, ancestor int) bool {
	for range len(t.All) {
		if pid == ancestor {
			return true
		}
		p, ok := t.All[pid]
		if !ok || p.Parent == 0 {
			return false
		}
		pid = p.Parent
	}
	return false
}

// Family is who must die with leader: its session, its descendants (sudo may give its command a session of its own),
// and who of known still lives. A daemon that has left both is not in it.
func (t Table) Family(leader Process, known []Process) []Process {
	if leader.PID <= 1 {
		return nil // no command began there, and everything descends from it
	}
	now, exists := t.All[leader.PID]
	reused := exists && now.Start != leader.Start
	var members []Process
	for _, p := range t.All {
		same := func(k Process) bool { return k.PID == p.PID && k.Start == p.Start }
		belongs := !reused && (p.Session == leader.PID || t.descends(p.PID, leader.PID))
		if !p.Zombie && (belongs || slices.ContainsFunc(known, same)) {
			members = append(members, p)
		}
	}
	slices.SortFunc(members, compareStart)
	return members
}

// IDs are the process ids of list.
func IDs(list []Process) []int {
	ids := make([]int, len(list))
	for i, p := range list {
		ids[i] = p.PID
	}
	return ids
}
