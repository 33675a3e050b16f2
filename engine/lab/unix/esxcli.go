package unix

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func (e *ESXi) vmware(_ context.Context, c *call) int {
	if slices.Contains(c.args, "-l") {
		number, _, _ := strings.Cut(e.version, " ")
		fmt.Fprintf(c.stdout, "VMware ESXi %s GA\n", number)
		return 0
	}
	fmt.Fprintf(c.stdout, "VMware ESXi %s\n", e.version)
	return 0
}

func (e *ESXi) uname(_ context.Context, c *call) int {
	number, build, _ := strings.Cut(e.version, " ")
	values := map[rune]string{'s': "VMkernel", 'n': c.m.name, 'r': number, 'v': "#1 SMP Release " + build, 'm': "x86_64", 'o': "ESXi"}
	return c.unameOf(values, "snrvmo")
}

// unameOf prints the values that the flags name, in the order of order.
func (c *call) unameOf(values map[rune]string, order string) int {
	flags, _ := split(c.args)
	if flags == "" {
		flags = "s"
	}
	var words []string
	for _, r := range order {
		if strings.ContainsRune(flags, r) || strings.Contains(flags, "a") {
			words = append(words, values[r])
		}
	}
	fmt.Fprintln(c.stdout, strings.Join(words, " "))
	return 0
}

// ps lists worlds, as ESXi calls its processes.
func (e *ESXi) ps(_ context.Context, c *call) int {
	fmt.Fprintln(c.stdout, "WID      CID      WorldName            Command")
	flags, _ := split(c.args)
	for _, p := range c.m.processes() {
		text := p.args[0]
		if strings.Contains(flags, "c") {
			text = strings.Join(p.args, " ")
		}
		fmt.Fprintf(c.stdout, "%-8d %-8d %-20s %s\n", p.pid, p.pid, p.comm, text)
	}
	return 0
}

// esxcli is "esxcli software vib list" and "esxcli system version get".
func (e *ESXi) esxcli(_ context.Context, c *call) int {
	number, build, _ := strings.Cut(e.version, " ")
	switch strings.Join(c.args, " ") {
	case "software vib list":
		rows := [][]string{{"esx-base", number + "-0." + strconv.Itoa(len(number)), "VMware", "VMwareCertified", "2023-03-02"}}
		for _, name := range slices.Sorted(maps.Keys(e.muxes)) {
			vib := map[string]string{MuxNSXT: MuxNSXT, MuxNSXV: "epsec-mux"}[name]
			rows = append(rows, []string{vib, number + "-1", "VMware", "VMwareCertified", "2023-03-02"})
		}
		const layout = "%-20s  %-28s  %-6s  %-16s  %s\n"
		fmt.Fprintf(c.stdout, layout, "Name", "Version", "Vendor", "Acceptance Level", "Install Date")
		fmt.Fprintf(c.stdout, layout, strings.Repeat("-", 20), strings.Repeat("-", 28), "------", strings.Repeat("-", 16), "------------")
		for _, r := range rows {
			fmt.Fprintf(c.stdout, layout, r[0], r[1], r[2], r[3], r[4])
		}
	case "system version get":
		fmt.Fprintf(c.stdout, "   Product: VMware ESXi\n   Version: %s\n   Build: Releasebuild-%s\n   Update: 3\n   Patch: 90\n",
			number, strings.TrimPrefix(build, "build-"))
	default:
		fmt.Fprintf(c.stdout, "Error: Unknown command or namespace %s\n\n", strings.Join(c.args, " "))
		return 1
	}
	return 0
}
