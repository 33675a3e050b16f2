package unix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// initScript is /etc/init.d/ds_agent, with the texts of Red Hat's init functions and the exit codes of LSB.
func (d *DSVA) initScript(ctx context.Context, c *call) int {
	verb := ""
	if len(c.args) > 0 {
		verb = c.args[0]
	}
	if verb == "status" {
		running, pid, _ := d.agent.status()
		if running {
			fmt.Fprintf(c.stdout, "ds_agent (pid  %d) is running...\n", pid)
			return 0
		}
		fmt.Fprintln(c.stdout, "ds_agent is stopped")
		return 3
	}
	if !slices.Contains([]string{"start", "stop", "restart", "condrestart", "try-restart"}, verb) {
		fmt.Fprintln(c.stdout, "Usage: /etc/init.d/ds_agent {start|stop|restart|condrestart|status}")
		return 2
	}
	touch.Mark(ctx)
	if c.uid() != 0 {
		fmt.Fprintln(c.stderr, "ds_agent: must be run as root")
		return 4
	}
	stopped := func() { fmt.Fprintln(c.stdout, "Stopping ds_agent: [  OK  ]") }
	if err := d.act(ctx, verb, stopped); err != nil {
		return 143
	}
	if verb == "stop" {
		stopped()
	} else {
		fmt.Fprintln(c.stdout, "Starting ds_agent: [  OK  ]")
	}
	return 0
}

// act starts, stops or restarts the agent. Starting one that runs changes nothing.
func (d *DSVA) act(ctx context.Context, verb string, stopped func()) error {
	release, err := d.agent.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	running, _, _ := d.agent.status()
	switch {
	case verb == "stop":
		return d.agent.stop(ctx)
	case verb == "start" && running || strings.Contains(verb, "r") && verb != "restart" && verb != "start" && !running:
		return nil
	case verb == "start":
		return d.agent.start(ctx)
	}
	return d.agent.restart(ctx, stopped)
}

// service is "service NAME VERB". With systemd it hands over to systemctl.
func (d *DSVA) service(ctx context.Context, c *call) int {
	if len(c.args) < 2 {
		fmt.Fprintln(c.stderr, "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]")
		return 1
	}
	name, verb := c.args[0], c.args[1]
	if d.cfg.Systemd {
		fmt.Fprintf(c.stderr, "Redirecting to /bin/systemctl %s %s.service\n", verb, name)
		c.args = []string{verb, name}
		return d.systemctl(ctx, c)
	}
	if name != "ds_agent" {
		fmt.Fprintf(c.stdout, "%s: unrecognized service\n", name)
		return 1
	}
	c.args = []string{verb}
	return d.initScript(ctx, c)
}

// chkconfig is "chkconfig NAME on|off", and tells with "chkconfig NAME".
func (d *DSVA) chkconfig(ctx context.Context, c *call) int {
	_, args := split(c.args)
	if len(args) == 0 || args[0] != "ds_agent" {
		return c.fail(1, "error reading information on service %s: No such file or directory", strings.Join(args, " "))
	}
	if len(args) == 1 {
		d.m.mu.Lock()
		defer d.m.mu.Unlock()
		if d.agent.enabled {
			return 0
		}
		return 1
	}
	touch.Mark(ctx)
	if c.uid() != 0 {
		fmt.Fprintln(c.stderr, "You do not have enough privileges to perform this operation.")
		return 1
	}
	d.enable(args[1] == "on")
	return 0
}

func (d *DSVA) enable(on bool) {
	d.m.change(func() { d.agent.enabled = on })
	for _, level := range []string{"3", "5"} {
		name := "/etc/rc" + level + ".d/S92ds_agent"
		if d.cfg.Systemd {
			continue
		}
		if on {
			d.m.files.put(name, "", 0o755)
		} else {
			_ = d.m.files.remove(name, 0, false) // it may be gone already
		}
	}
}

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
