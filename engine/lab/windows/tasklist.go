package windows

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// image is one line of tasklist.
type image struct {
	name string
	pid  int
}

// images are the processes of the system, of the running services and of what was started. g.mu is held.
func (g *Guest) images() []image {
	list := []image{{"System Idle Process", 0}, {"System", 4}, {"smss.exe", 312}, {"services.exe", 592}, {"lsass.exe", 600}}
	for _, key := range slices.Sorted(maps.Keys(g.services)) {
		if s := g.services[key]; s.pid != 0 {
			file := strings.Trim(strings.SplitN(s.image, " -", 2)[0], `"`)
			list = append(list, image{file[strings.LastIndexByte(file, '\\')+1:], s.pid})
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(g.procs.all)) {
		if p := g.procs.all[pid]; !p.background {
			list = append(list, image{p.image, pid})
		}
	}
	return list
}

// tasklist is "tasklist [/fi "imagename eq NAME"|"pid eq N"] [/fo table|csv] [/nh]".
func (g *Guest) tasklist(_ context.Context, p *cmdexe.Process) uint32 {
	filters, format, bare := []string{}, "table", false
	for i, arg := range p.Argv {
		switch strings.ToLower(arg) {
		case "/fi":
			filters = append(filters, at(p.Argv, i+1))
		case "/fo":
			format = strings.ToLower(at(p.Argv, i+1))
		case "/nh":
			bare = true
		}
	}
	g.mu.Lock()
	list := slices.DeleteFunc(g.images(), func(i image) bool {
		return slices.ContainsFunc(filters, func(f string) bool { return !i.passes(f) })
	})
	g.mu.Unlock()
	if len(list) == 0 {
		return line(p, "%s", g.say("INFO: No tasks are running which match the specified criteria."))
	}
	if format == "csv" {
		if !bare {
			line(p, `"Image Name","PID","Session Name","Session#","Mem Usage"`)
		}
		for _, i := range list {
			line(p, `"%s","%d","Services","0","12,345 K"`, i.name, i.pid)
		}
		return 0
	}
	if !bare {
		fmt.Fprintf(p.Stdout, "\r\n%-25s %8s %-16s %11s %12s\r\n", "Image Name", "PID", "Session Name", "Session#", "Mem Usage")
		line(p, "========================= ======== ================ =========== ============")
	}
	for _, i := range list {
		line(p, "%-25.25s %8d %-16s %11s %12s", i.name, i.pid, "Services", "0", "12,345 K")
	}
	return 0
}

func (i image) passes(filter string) bool {
	words := strings.Fields(filter)
	if len(words) != 3 {
		return false
	}
	same := false
	switch strings.ToLower(words[0]) {
	case "imagename":
		same = strings.EqualFold(words[2], i.name)
	case "pid":
		same = words[2] == strconv.Itoa(i.pid)
	}
	return same == strings.EqualFold(words[1], "eq")
}

// taskkill is "taskkill /f /pid N" or "/im NAME"; it ends what was started by commands, nothing of the system.
func (g *Guest) taskkill(ctx context.Context, p *cmdexe.Process) uint32 {
	touch.Mark(ctx)
	wanted := ""
	for i, arg := range p.Argv {
		if strings.EqualFold(arg, "/pid") || strings.EqualFold(arg, "/im") {
			wanted = at(p.Argv, i+1)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	found := false
	for pid, proc := range g.procs.all {
		if !proc.background && (strings.EqualFold(proc.image, wanted) || strconv.Itoa(pid) == wanted) {
			proc.kill()
			found = true
			line(p, `SUCCESS: The process "%s" with PID %d has been terminated.`, proc.image, pid)
		}
	}
	if !found {
		return g.fail(p, 128, `ERROR: The process "%s" not found.`, wanted)
	}
	return 0
}
