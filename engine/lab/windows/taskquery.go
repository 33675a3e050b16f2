package windows

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

func (t *task) status() string {
	if t.running {
		return "Running"
	}
	return "Ready"
}

func (g *Guest) taskQuery(p *cmdexe.Process, options map[string]string) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []*task
	for _, key := range slices.Sorted(maps.Keys(g.tasks)) {
		if options["/tn"] == "" || key == strings.ToLower(taskName(options["/tn"])) {
			found = append(found, g.tasks[key])
		}
	}
	if len(found) == 0 && options["/tn"] != "" {
		return g.fail(p, 1, "ERROR: The system cannot find the file specified.")
	}
	_, bare := options["/nh"]
	_, verbose := options["/v"]
	switch strings.ToLower(options["/fo"]) {
	case "csv":
		taskCSV(p, found, bare, verbose)
	case "list":
		taskList(p, found, verbose)
	default:
		fmt.Fprintf(p.Stdout, "\r\nFolder: \\\r\n")
		if !bare {
			line(p, "%-40s %-22s %-15s", "TaskName", "Next Run Time", "Status")
			line(p, "%s %s %s", strings.Repeat("=", 40), strings.Repeat("=", 22), strings.Repeat("=", 15))
		}
		for _, t := range found {
			line(p, "%-40s %-22s %-15s", t.name, "N/A", t.status())
		}
	}
	return 0
}

func taskCSV(p *cmdexe.Process, found []*task, bare, verbose bool) {
	head := `"TaskName","Next Run Time","Status"`
	if verbose {
		head = `"HostName","TaskName","Next Run Time","Status","Last Result","Task To Run","Run As User"`
	}
	if !bare {
		line(p, "%s", head)
	}
	for _, t := range found {
		if verbose {
			line(p, `"%s","\%s","N/A","%s","%s","%s","SYSTEM"`, p.Getenv("COMPUTERNAME"), t.name, t.status(), result(t.last), t.command)
		} else {
			line(p, `"\%s","N/A","%s"`, t.name, t.status())
		}
	}
}

// result prints a code as schtasks does: signed.
func result(code uint32) string { return strconv.Itoa(int(int32(code))) }

func taskList(p *cmdexe.Process, found []*task, verbose bool) {
	fmt.Fprintf(p.Stdout, "\r\nFolder: \\\r\n")
	field := func(label, text string) { line(p, "%-38s%s", label+":", text) }
	if !verbose {
		field = func(label, text string) { line(p, "%-15s%s", label+":", text) }
	}
	for _, t := range found {
		field("HostName", p.Getenv("COMPUTERNAME"))
		field("TaskName", `\`+t.name)
		field("Next Run Time", "N/A")
		field("Status", t.status())
		field("Logon Mode", "Interactive/Background")
		if verbose {
			field("Last Result", result(t.last))
			field("Task To Run", t.command)
			field("Run As User", "SYSTEM")
		}
		line(p, "")
	}
}
