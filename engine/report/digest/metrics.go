package digest

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Labels tell the series of one schedule from those of others: two files with the same ones would be refused by node_exporter.
type Labels struct{ Playbook, Inventory string }

func (l Labels) String() string {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	return fmt.Sprintf(`playbook="%s",inventory="%s"`, quote.Replace(l.Playbook), quote.Replace(l.Inventory))
}

// lastSuccess is the metric that outlives a run that failed.
const lastSuccess = "dsplay_run_last_success_timestamp_seconds"

// Metrics are the numbers of a run in Prometheus' text format, for node_exporter's textfile collector. Before is what the file
// held: the time of the last success is taken from there when this was none.
func (d *Digest) Metrics(l Labels, before []byte) []byte {
	m := metrics{labels: l.String()}
	m.add("dsplay_run_start_timestamp_seconds", "When the last run began.", seconds(d.started))
	m.add("dsplay_run_end_timestamp_seconds", "When the last run ended.", seconds(d.ended))
	m.add(lastSuccess, "When the last run ended that had exit code 0; 0: none is known.", m.success(d, before))
	m.add("dsplay_run_duration_seconds", "How long the last run took.", d.ended.Sub(d.started).Seconds())
	m.add("dsplay_run_exit_code", "Exit code of the last run; dsplay run --help lists them.", float64(d.exit))
	m.head("dsplay_run_hosts", "Hosts of the last run by how they ended.")
	for _, status := range statuses {
		n := 0
		for _, h := range d.hosts {
			if h.status == string(status) {
				n++
			}
		}
		m.value("dsplay_run_hosts", fmt.Sprintf(`,status="%s"`, status), float64(n))
	}
	m.add("dsplay_run_changes", "Changes that the last run began.", float64(len(d.deeds)))
	healed, vain := 0, 0
	for _, r := range d.recoveries.All() {
		switch {
		case r.Healed:
			healed++
		case r.Over:
			vain++
		}
	}
	m.head("dsplay_run_recoveries", "Recovers of the last run whose goal did not hold, by what became of them.")
	m.value("dsplay_run_recoveries", `,result="healed"`, float64(healed))
	m.value("dsplay_run_recoveries", `,result="failed"`, float64(vain))
	m.add("dsplay_run_plan_left", "1: the last run left a plan for a person.", one(d.left != nil))
	m.add("dsplay_run_notification_failures", "Who could not be told of the last run.", float64(len(d.untold)))
	return m.Bytes()
}

var statuses = []engine.HostStatus{engine.HostOK, engine.HostFailed, engine.HostUnreachable, engine.HostAborted, engine.HostNotAttempted, engine.HostDrifted, engine.HostOutOfPlan}

type metrics struct {
	bytes.Buffer
	labels string
}

func (m *metrics) head(name, help string) {
	fmt.Fprintf(m, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, help)
}

func (m *metrics) value(name, more string, v float64) {
	fmt.Fprintf(m, "%s{%s%s} %s\n", name, m.labels, more, strconv.FormatFloat(v, 'f', -1, 64))
}

func (m *metrics) add(name, help string, v float64) {
	m.head(name, help)
	m.value(name, "", v)
}

// success is when a run ended well the last time: this one, or the one that the file before knew.
func (m *metrics) success(d *Digest, before []byte) float64 {
	if d.over && d.exit == 0 {
		return seconds(d.ended)
	}
	prefix := fmt.Sprintf("%s{%s} ", lastSuccess, m.labels)
	for lines := bufio.NewScanner(bytes.NewReader(before)); lines.Scan(); {
		var v float64
		if text, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			if _, err := fmt.Sscan(text, &v); err == nil {
				return v
			}
		}
	}
	return 0
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
