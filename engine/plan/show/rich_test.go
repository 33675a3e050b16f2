package show

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// rich is a document in which everything is that a plan can say, and what somebody could put into it to deceive.
func rich() *plan.Document {
	d := head()
	b := &builder{d: d}
	b.host("vc1", "127.0.0.1", "https", "", "tls sha256:8a94c1 CN=vc1", nil).Looked = []plan.Looked{
		{Line: "RetrieveProperties VirtualMachine", Times: 2}, {Line: "FindByUuid 14aeb7bd-1a43-5cdd-917e-2ab93b87f8ef", Times: 1},
	}
	b.host("dsm1", "127.0.0.2", "https", "", "", nil).Looked = []plan.Looked{{Line: "POST /api/computers/search", Times: 1}}
	for e := 1; e <= 2; e++ {
		b.host(fmt.Sprintf("esx%d", e), fmt.Sprintf("198.51.100.%d", e), "ssh", "esxi", "ssh ssh-ed25519 SHA256:QSSU7VIshH9BUj6C", map[string]string{"dsva": fmt.Sprintf("dsva%d", e)})
		b.host(fmt.Sprintf("dsva%d", e), fmt.Sprintf("203.0.113.%d", e), "ssh", "dsva", "ssh ssh-ed25519 SHA256:Z2ztvwaGexnf4MVK", nil).Via = map[int]string{1: "socks5 proxy ops@198.51.100.9:1080"}[e]
		for g := 1; g <= 12; g++ {
			name := fmt.Sprintf("guest%d-%d", e, g)
			b.host(name, fmt.Sprintf("10.1.%d.%d", e, g), "winrm", "guests", "tls sha256:01cb29 CN="+name, map[string]string{"esxi": fmt.Sprintf("esx%d", e), "uuid": uuid(name)}).
				Looked = []plan.Looked{{Line: "sc.exe query vsepflt", Times: 1}}
		}
	}
	b.host("<script>alert(1)</script>", "javascript:alert(1)", "ssh", "evil\"group", "", map[string]string{"esxi": "esx2", "note": "`|` & <b>"})
	d.Limit, d.Tags, d.SkipTags = []string{"guests", "esx1"}, []string{"repair"}, []string{"slow"}
	b.richTriage()
	b.richActs()
	b.richOdd()
	b.richChecks()
	b.worst()
	return d
}

func (b *builder) richTriage() {
	var all []string
	for e := 1; e <= 2; e++ {
		for g := 1; g <= 12; g++ {
			all = append(all, fmt.Sprintf("guest%d-%d", e, g))
		}
	}
	b.play(plan.Play{Name: "triage", Title: "look at every guest", Place: "p.hcl:56:1", Hosts: all})
	for _, g := range all {
		b.triage(g, setOf([]string{"esx1"}), setOf([]string{"guest2-1", "guest2-2", "guest2-3", "guest2-4"}))
	}
	b.add("triage", "guest2-12", "vc1", "probe.vm", plan.Item{Kind: engine.EntryProbe, Module: "vm", Disposition: plan.Probed, Values: `{"awake":false,"esxi":"esx2","found":true,"power":"suspended"}`})
}

func (b *builder) richActs() {
	zero, two := 0, 2
	b.play(plan.Play{Name: "case_b", Title: "every guest is offline", Place: "p.hcl:120:1", Acts: true, Hosts: []string{"esx1"}, Batches: []int{1}, MaxFailures: &zero, Window: "Sat,Sun 01:00-05:00 Asia/Tokyo"})
	b.caseB("esx1")
	b.add("case_b", "esx1", "dsm1", "probe.after", plan.Item{Kind: engine.EntryProbe, Module: "ds_computers", Disposition: plan.Depends, Waits: []string{"case_b/engines/restart the Mux/step.mux"}})
	guests := []string{"guest2-1", "guest2-2", "guest2-3", "guest2-4", "guest2-5", "guest2-6"}
	b.play(plan.Play{Name: "case_a", Place: "p.hcl:165:1", Acts: true, Hosts: guests, Batches: []int{1, 2}, MaxFailures: &two})
	for n, g := range guests[:4] {
		b.caseA(g, n%2)
	}
	refused := &engine.EventError{Kind: engine.KindRefused, Host: "guest2-5", Text: "connect to 10.1.2.5:5986: connection refused", Hint: "nobody listens there: is WinRM on (winrm quickconfig)?", Unreachable: true}
	b.add("case_a", "guest2-5", "guest2-5", "probe.driver", plan.Item{Kind: engine.EntryProbe, Module: "service", Disposition: plan.Unreachable, Reason: refused.Text, Error: refused})
	failed := &engine.EventError{Kind: engine.KindModule, Host: "dsm1", Text: "POST /api/computers/search: 500 Internal Server Error\nWILL RUN: nothing at all"}
	b.add("case_a", "guest2-6", "dsm1", "engine/goal/probe.now", plan.Item{Kind: engine.EntryProbe, Module: "ds_computer", Disposition: plan.Error, Reason: failed.Text, Error: failed})
	b.add("case_a", "guest2-6", "guest2-6", "engine", plan.Item{Kind: engine.EntryRecover, Disposition: plan.Error, Reason: failed.Text, Error: failed})
}

func (b *builder) richOdd() {
	hosts := []string{"guest1-1", "guest1-2", "guest1-3", "guest1-4"}
	b.play(plan.Play{Name: "harden", Place: "p.hcl:200:1", Acts: true, Hosts: hosts})
	for n, g := range hosts {
		b.add("harden", g, "vc1", "step.wake", plan.Item{Module: "vm", Disposition: plan.WillRun, Title: "Wake the guest", Reason: fmt.Sprintf("!probe.vm.awake: probe.vm.power = %q", []string{"suspended", "poweredOff"}[n%2]),
			Args:    []engine.Arg{{Name: "power", Value: `"on"`}, {Name: "uuid", Value: fmt.Sprintf("%q", uuid(g))}},
			Diff:    engine.Diff{Changes: []engine.Change{{What: "power of " + g, Before: "suspended", After: "poweredOn"}}, Commands: []string{fmt.Sprintf("PowerOnVM_Task vm-%d", 40+n)}},
			Effects: []engine.Effect{engine.EffectPower}})
	}
	b.add("harden", "guest1-1", "guest1-1", "lower/step.defender", plan.Item{Module: "shell", Disposition: plan.Depends, Waits: []string{"harden/step.wake"}, Unknown: []string{"stdin"},
		Impact:  "No protection at all until it is switched on again.",
		Diff:    engine.Diff{Opaque: true, Note: "ends with the exit code of the last command", Commands: []string{"Set-MpPreference -DisableRealtimeMonitoring $true\nexit 0 # `|` \u202etxt.exe \x1b[31m"}},
		Effects: []engine.Effect{engine.EffectRestart, engine.EffectWeakens}})
	for _, drive := range []string{"C", "D"} {
		b.add("harden", "guest1-1", "guest1-1", "lower/rescue/step.restore", plan.Item{Module: "command", Item: drive, Disposition: plan.RescueOnly,
			Args: []engine.Arg{{Name: "command", Value: `["restore", "` + drive + `:"]`}}, Diff: engine.Diff{Opaque: true, Commands: []string{"restore " + drive + ":"}}})
	}
	b.add("harden", "<script>alert(1)</script>", "<script>alert(1)</script>", "step.evil", plan.Item{Module: "command", Disposition: plan.WillRun, Title: "</code></pre><img src=x onerror=alert(1)>",
		Reason: "x == \"\n== Summary\nNothing is to be changed.\"", Diff: engine.Diff{Opaque: true, Commands: []string{"echo '</style>' ```\n```# **bold** ‹host›"}}, Effects: []engine.Effect{"melts_down"}})
	b.play(plan.Play{Name: "later", Place: "p.hcl:300:1", Acts: true, Waits: []string{"harden/step.wake"}})
}

func (b *builder) richChecks() {
	b.d.Checks = []plan.Check{
		{Name: "DSM knows", Place: "p.hcl:90:1", Status: "ok", Reason: "0 of 24"},
		{Name: "asleep", Place: "p.hcl:95:1", Status: "warning", Reason: "Asleep, left alone; they heal when they wake: guest2-12"},
		{Name: "every guest is back", Play: "case_b", Host: "esx1", Place: "p.hcl:157:1", Status: "depends", Waits: []string{"case_b/engines/restart the Mux/step.mux"}},
		{Name: "room on the disk", Play: "case_a", Host: "guest2-1", Place: "p.hcl:158:1", Status: "failed", Reason: "probe.disk.free > 1: probe.disk.free = 0"},
		{Name: "room on the disk", Play: "case_a", Host: "guest2-2", Place: "p.hcl:158:1", Status: "failed", Reason: "probe.disk.free > 1: probe.disk.free = 0"},
	}
	b.d.Variables = append(b.d.Variables, plan.Variable{Name: "motd", Value: json.RawMessage(`"a | b\n<i>c</i>"`), Origin: "site.vars.hcl:3:1"})
}

// stopped is a plan that ended early.
func stopped() *plan.Document {
	d := head()
	d.Offline = true
	d.Stop = &plan.Stop{Kind: "threshold", Item: "triage", Reason: "7 of 40 hosts did not answer, 2 are allowed"}
	d.Playbook.Impact, d.Playbook.Backout, d.Playbook.Description = "", "", ""
	d.Until = time.Time{}
	d.Variables = nil
	return d
}
