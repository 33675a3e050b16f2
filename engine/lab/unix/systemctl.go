package unix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// systemctl knows is-active, is-enabled, status, show, start, stop, restart, enable, disable and cat-like options
// are ignored. Only ds_agent is a unit.
func (d *DSVA) systemctl(ctx context.Context, c *call) int {
	verb, units, properties := "", []string{}, ""
	value, quiet := false, false
	for i := 0; i < len(c.args); i++ {
		arg := c.args[i]
		switch p, isProperty := strings.CutPrefix(arg, "--property="); {
		case isProperty:
			properties += "," + p
		case arg == "-p" && i+1 < len(c.args):
			i++
			properties += "," + c.args[i]
		case arg == "--value":
			value = true
		case arg == "-q" || arg == "--quiet":
			quiet = true
		case strings.HasPrefix(arg, "-"):
		case verb == "":
			verb = arg
		default:
			units = append(units, strings.TrimSuffix(arg, ".service"))
		}
	}
	unit := ""
	if len(units) > 0 {
		unit = units[0]
	}
	if quiet {
		c.stdout = &gate{}
	}
	switch verb {
	case "is-active", "is-enabled", "status":
		return d.unitState(c, verb, unit)
	case "show":
		return d.show(c, unit, properties, value)
	case "start", "stop", "restart", "try-restart", "enable", "disable":
		touch.Mark(ctx)
		return d.unitAct(ctx, c, verb, unit)
	}
	fmt.Fprintf(c.stderr, "Unknown operation '%s'.\n", verb)
	return 1
}

func (d *DSVA) unitAct(ctx context.Context, c *call, verb, unit string) int {
	switch {
	case unit != "ds_agent":
		fmt.Fprintf(c.stderr, "Failed to %s %s.service: Unit %s.service not found.\n", verb, unit, unit)
		return 5
	case c.uid() != 0:
		fmt.Fprintf(c.stderr, "Failed to %s %s.service: Interactive authentication required.\n", verb, unit)
		return 1
	case verb == "enable" || verb == "disable":
		d.enable(verb == "enable")
		return 0
	}
	return exit(d.act(ctx, verb, func() {}))
}

func (d *DSVA) unitState(c *call, verb, unit string) int {
	running, pid, since := d.agent.status()
	if unit != "ds_agent" {
		running = false
	}
	word := map[bool]string{true: "active", false: "inactive"}[running]
	switch {
	case verb == "is-enabled" && unit != "ds_agent":
		fmt.Fprintf(c.stderr, "Failed to get unit file state for %s.service: No such file or directory\n", unit)
		return 1
	case verb == "is-enabled":
		d.m.mu.Lock()
		enabled := d.agent.enabled
		d.m.mu.Unlock()
		fmt.Fprintln(c.stdout, map[bool]string{true: "enabled", false: "disabled"}[enabled])
		return map[bool]int{false: 1}[enabled]
	case verb == "is-active":
		fmt.Fprintln(c.stdout, word)
	case unit != "ds_agent":
		fmt.Fprintf(c.stderr, "Unit %s.service could not be found.\n", unit)
		return 4
	default:
		fmt.Fprintf(c.stdout, "● ds_agent.service - Trend Micro Deep Security Agent\n"+
			"   Loaded: loaded (/usr/lib/systemd/system/ds_agent.service; enabled; vendor preset: disabled)\n")
		if running {
			fmt.Fprintf(c.stdout, "   Active: active (running) since %s\n Main PID: %d (ds_agent)\n", stamp(since), pid)
		} else {
			fmt.Fprintf(c.stdout, "   Active: inactive (dead)\n")
		}
	}
	return map[bool]int{false: 3}[running]
}

func stamp(t time.Time) string { return t.UTC().Format("Mon 2006-01-02 15:04:05 UTC") }

// show prints properties of a unit, each with its name unless only the value is asked for.
func (d *DSVA) show(c *call, unit, wanted string, value bool) int {
	running, pid, since := d.agent.status()
	d.m.mu.Lock()
	enabled, booted := d.agent.enabled, d.m.booted
	d.m.mu.Unlock()
	all := [][2]string{{"Id", unit + ".service"}, {"LoadState", "not-found"}, {"ActiveState", "inactive"}, {"SubState", "dead"},
		{"UnitFileState", ""}, {"MainPID", "0"}, {"ExecMainPID", "0"}, {"ExecMainStartTimestamp", ""},
		{"ActiveEnterTimestamp", ""}, {"ActiveEnterTimestampMonotonic", "0"}}
	set := func(name, text string) {
		for i := range all {
			if all[i][0] == name {
				all[i][1] = text
			}
		}
	}
	if unit == "ds_agent" {
		set("LoadState", "loaded")
		set("UnitFileState", map[bool]string{true: "enabled", false: "disabled"}[enabled])
	}
	if unit == "ds_agent" && running {
		set("ActiveState", "active")
		set("SubState", "running")
		set("MainPID", fmt.Sprint(pid))
		set("ExecMainPID", fmt.Sprint(pid))
		set("ExecMainStartTimestamp", stamp(since))
		set("ActiveEnterTimestamp", stamp(since))
		set("ActiveEnterTimestampMonotonic", fmt.Sprint(since.Sub(booted).Microseconds()))
	}
	for _, p := range all {
		if wanted != "" && !slices.Contains(strings.Split(wanted, ","), p[0]) {
			continue
		}
		if value {
			fmt.Fprintln(c.stdout, p[1])
		} else {
			fmt.Fprintf(c.stdout, "%s=%s\n", p[0], p[1])
		}
	}
	return 0
}
