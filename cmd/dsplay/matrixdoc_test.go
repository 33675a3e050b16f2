package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// docs/matrix.md is the table of rows: every cell asserts it.
func TestMatrixIsDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(matrixHead)
	for _, r := range rows() {
		tried, differs := 0, []string{}
		for _, c := range mixes() {
			if r.tried(c) {
				tried++
			}
		}
		for _, e := range r.but {
			differs = append(differs, e.cells)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d | %s |\n", r.befalls(), strings.Join(r.vars, ", "), r.done(), r.ends(), r.said(), tried, strings.Join(differs, "; "))
	}
	b.WriteString("\n## Not in the table\n\n")
	for _, name := range slices.Sorted(maps.Keys(elsewhere)) {
		fmt.Fprintf(&b, "- `%s`: %s\n", name, elsewhere[name])
	}
	sameFile(t, "../../docs/matrix.md", b.String())
}

// befalls names the faults of a row.
func (r row) befalls() string {
	var parts []string
	for _, f := range r.faults {
		name, target, _ := strings.Cut(f, "@")
		switch target {
		case "{dsva}":
			name += "` of its appliance"
		case "{esxi}", "{guest}", "", "guest1-1":
			name += "`"
		default:
			name += "` of `" + target + "`"
		}
		parts = append(parts, "`"+name)
	}
	if r.besides != "" {
		parts = append(parts, r.besides)
	}
	return strings.Join(parts, ", ")
}

// inWords are words for the patterns of what is changed; a longer word stands for several lines.
var inWords = strings.NewReplacer(
	strings.Join(repairTools, "\n"), "repair VMware Tools", strings.Join(addFeature, "\n"), "add FileIntrospection to VMware Tools",
	strings.Join(sendPolicy, "\n"), "send its policy",
	agentStart, "restart ds_agent", heartbeat, "heartbeat", muxRestart, "restart the Mux", scStart, "start vsepflt", rebootGuest, "reboot",
	powerGuest, "power on", powerAppliance, "power on its appliance", mountTools, "put the image of VMware Tools in", unmountTools, "take it out", addTag, "give it the tag in NSX")

// done says what is changed, and where.
func (r row) done() string {
	var parts []string
	for _, role := range slices.Sorted(maps.Keys(r.acts)) {
		host := strings.NewReplacer("{esxi}", "ESXi host", "{dsva}", "appliance", "{guest}", "guest", "guest1-1", "guest").Replace(role)
		parts = append(parts, host+": "+strings.ReplaceAll(inWords.Replace(strings.Join(r.acts[role], "\n")), "\n", ", "))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// ends says how it ends.
func (r row) ends() string {
	end := "nothing to heal"
	switch {
	case r.heals != "" && strings.HasPrefix(r.heals, "step."):
		end = "healed"
	case r.heals != "":
		end = "healed by “" + r.heals + "”"
	case r.status != "":
		end = r.status
	case r.code == exitStopped:
		end = "stopped"
	case r.code != exitOK:
		end = "not begun"
	case len(r.acts) > 0:
		end = "healed"
	case r.engine != "":
		end = "left alone"
	}
	return fmt.Sprintf("%s, exit %d", end, r.code)
}

// said is what has to be said of it.
func (r row) said() string {
	var parts []string
	for _, s := range r.says {
		if s = strings.NewReplacer("{esxi}", "ESXI", "{dsva}", "APPLIANCE", "{guest}", "GUEST", "|", `\|`).Replace(s); s != "" {
			parts = append(parts, "“"+s+"”")
		}
	}
	return strings.Join(parts, " ")
}

const matrixHead = "# What engine-offline does about every fault\n" + `
Every fault of the lab (lab.md), alone or with others, in every combination of NSX-V or NSX-T, a DSM with REST or with SOAP
only, in English or Japanese, and guests reached over WinRM or by guest operations: sixteen cells. In each of them a plan of
playbooks/engine-offline.hcl is made and applied, and then is compared:

- the world: every engine is online again, or is as the table says, and no other machine has changed; no installer ran more
  often than it was started, no guest booted that nobody asked to;
- what the systems received: every line that changed something is one of the table, and was in the plan, whole, for its host, not
  more often than it was announced; while planning nothing changed anything, and the plan lists every line that was sent; what was
  only asked while it was applied is in looks.md;
- the words: exit code, how the host ended, what healed it, and the text of the table.

Faults that end alike share an estate; what concerns everybody, or ends the run, stands alone and is tried where generations can
make a difference, the others mixed. The exit code is the one of a run that meets this fault only.

Written by a test; do not edit. go test -tags lab ./cmd/dsplay -run Matrix runs it; without the tag each row runs in one cell.

| fault | consent | what is changed | how it ends | what is said | cells | what differs |
|---|---|---|---|---|---|---|
`
