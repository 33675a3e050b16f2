package unix

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
