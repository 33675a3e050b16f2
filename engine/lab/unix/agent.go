package unix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// query is "dsa_query -c GetAgentStatus|GetComponentInfo [-r "au" "AM.mode" …]".
func (d *DSVA) query(_ context.Context, c *call) int {
	what, filters := "", []string{}
	for i := 0; i < len(c.args); i++ {
		switch {
		case c.args[i] == "-c" && i+1 < len(c.args):
			i++
			what = c.args[i]
		case c.args[i] == "-r":
			filters = c.args[i+1:]
		}
	}
	d.m.mu.Lock()
	running, stuck, activated, beat := d.agent.running, d.agent.stuck, d.activated, d.lastBeat
	d.m.mu.Unlock()
	if !running {
		return c.fail(1, "cannot connect to the agent; is ds_agent running?")
	}
	var lines []string
	switch what {
	case "GetAgentStatus":
		lines = d.agentStatus(activated, stuck, beat)
	case "GetComponentInfo":
		lines = componentInfo(stuck)
	default:
		return c.fail(1, "unknown command: %s", what)
	}
	for _, line := range lines {
		wanted := len(filters) == 0 || slices.ContainsFunc(filters, func(f string) bool { return strings.Contains(line, "."+f) })
		if wanted {
			fmt.Fprintln(c.stdout, line)
		}
	}
	return 0
}

func (d *DSVA) agentStatus(activated, stuck bool, beat time.Time) []string {
	if !activated {
		return []string{"AgentStatus.agentState: not activated", "AgentStatus.dsmUrl: "}
	}
	state := "green"
	if stuck {
		state = "red"
	}
	return []string{"AgentStatus.agentState: " + state, "AgentStatus.1: agentState",
		"AgentStatus.agentCertHash: 6A:3F:11:0C:52:9E:77:B8:40:1D:AA:63:95:0E:F2:8C:37:5B:E1:04",
		"AgentStatus.dsmUrl: https://" + d.cfg.Manager + ":4120/", "AgentStatus.5: dsmUrl",
		"AgentStatus.lastAgentToManagerSession: " + beat.UTC().Format("2006-01-02T15:04:05"),
		"AgentStatus.currentTime: " + time.Now().UTC().Format("2006-01-02T15:04:05")}
}

func componentInfo(stuck bool) []string {
	mode, offline := "on", "false"
	if stuck {
		mode, offline = "driver-offline", "true"
	}
	return []string{"Component.AM.mode: " + mode, "Component.AM.driverOffline: " + offline, "Component.AM.moduleStatus: 0",
		"Component.AM.cap.realtime: true", "Component.AM.configurations: 3", "Component.AM.scan.Realtime: 1", "Component.AM.scanStatus: 4",
		"Component.AM.version.engine.ATSE: 21.600.1005", "Component.AM.version.pattern.0.name: VSAPI",
		"Component.AM.version.pattern.0.version: 18.233.00", "Component.CORE.version: 20.0.1", "Component.WRS.mode: off"}
}

// control is dsa_control with -m (heartbeat), -r (reset), -a (activate) and -d (diagnostics). Its exit code is 0 even
// when the DSM refuses.
func (d *DSVA) control(ctx context.Context, c *call) int {
	verb := ""
	if len(c.args) > 0 {
		verb = c.args[0]
	}
	running, _, _ := d.agent.status()
	switch {
	case !slices.Contains([]string{"-m", "-r", "-a", "-d"}, verb):
		fmt.Fprintln(c.stdout, "Usage: dsa_control [-a][-b][-c][-d][-g][-s][-m][-p][-r][-R][-t][-u][-w][-x][-y]")
		return 1
	case !running:
		return c.fail(1, "cannot connect to the agent; is ds_agent running?")
	}
	touch.Mark(ctx)
	switch verb {
	case "-m":
		d.heartbeat(c)
	case "-r":
		d.m.change(func() { d.activated = false })
		fmt.Fprintln(c.stdout, "HTTP Status: 200 - OK\nResponse:\nAgent reset.")
	case "-a":
		d.m.change(func() { d.activated = true })
		fmt.Fprintln(c.stdout, "HTTP Status: 200 - OK\nResponse:\nAttempting to connect to "+strings.Join(c.args[1:], " "))
	case "-d":
		d.m.files.put("/var/opt/ds_agent/diag/"+fmt.Sprint(time.Now().Unix())+".zip", "PK\x03\x04", 0o600)
		fmt.Fprintln(c.stdout, "HTTP Status: 200 - OK\nResponse:\nDiagnostic package created.")
	}
	return 0
}

func (d *DSVA) heartbeat(c *call) {
	d.m.mu.Lock()
	activated := d.activated
	d.m.mu.Unlock()
	status := 403
	if activated {
		status = 200
		if d.cfg.Heartbeat != nil {
			status = d.cfg.Heartbeat()
		}
	}
	switch status {
	case 200:
		d.m.change(func() { d.lastBeat = time.Now() })
		fmt.Fprintln(c.stdout, "HTTP Status: 200 - OK\nResponse:\nManager contact has been scheduled to occur in the next few seconds.")
	case 403:
		fmt.Fprintln(c.stdout, "HTTP Status: 403 - Forbidden - untrusted peer.")
	default:
		fmt.Fprintf(c.stdout, "HTTP Status: %d\n", status)
	}
}
