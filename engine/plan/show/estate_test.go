package show

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

var made = time.Date(2026, 11, 23, 8, 47, 22, 0, time.UTC)

// head is what every document of the tests has.
func head() *plan.Document {
	pb := engine.File{Path: "playbooks/engine-offline.hcl", Data: []byte("playbook {}\n")}
	inv := plan.NewFile(engine.File{Path: "inventory.hcl", Data: []byte("# hosts\n")})
	inv.Data = nil
	return &plan.Document{
		Format: plan.Format, Dsplay: "0.4.0", Made: made, Until: made.Add(24 * time.Hour),
		Planner: plan.Planner{User: "ops", Host: "jump1", Keys: []string{"SHA256:AAAA"}},
		Playbook: plan.Playbook{
			Path: pb.Path, Description: "Agentless Deep Security: bring offline anti-malware engines back",
			Impact:  "Case B: the guests of one ESXi host are unprotected while its appliance or Mux restarts. Case A: the guest may lose its network for seconds while VMware Tools is changed.",
			Backout: "Nothing to undo: services are restarted, a driver that VMware Tools should have had is added.",
			Files:   []plan.File{plan.NewFile(pb)},
		},
		Inventory: plan.Inventory{Path: "inventory.hcl", Files: []plan.File{inv}},
		Variables: []plan.Variable{
			{Name: "mux_service", Type: json.RawMessage(`"string"`), Value: json.RawMessage(`"auto"`), Origin: "default"},
			{Name: "reboot", Type: json.RawMessage(`"bool"`), Value: json.RawMessage(`true`), Origin: "--var"},
			{Name: "token", Type: json.RawMessage(`"string"`), Secret: "env:TOKEN", Origin: "DSPLAY_VAR_token"},
		},
	}
}

// estateOf is a document with so many ESXi hosts, each with an appliance and guests: every dark-th ESXi host is dark, and
// every ill-th guest of the others needs something.
func estateOf(esxi, guests, dark, ill int) *plan.Document {
	d := head()
	b := &builder{d: d}
	b.host("vc1", "127.0.0.1", "https", "", "tls sha256:8a94c1 CN=vc1", nil)
	b.host("dsm1", "127.0.0.2", "https", "", "tls sha256:77fe10 CN=dsm1", nil)
	var all, isDark, lone []string
	for e := 1; e <= esxi; e++ {
		esx, dsva := fmt.Sprintf("esx%d", e), fmt.Sprintf("dsva%d", e)
		bad := dark > 0 && e%dark == 0
		b.host(esx, fmt.Sprintf("198.51.100.%d", e), "ssh", "esxi", identity(bad, esx), map[string]string{"dsva": dsva, "vcenter": "vc1", "dsm": "dsm1"})
		b.host(dsva, fmt.Sprintf("203.0.113.%d", e), "ssh", "dsva", identity(bad, dsva), nil)
		if bad {
			isDark = append(isDark, esx)
		}
		for g := 1; g <= guests; g++ {
			name := fmt.Sprintf("guest%d-%d", e, g)
			sick := !bad && ill > 0 && g%ill == 0
			b.host(name, fmt.Sprintf("10.1.%d.%d", e, g), "winrm", "guests", identity(sick, name), map[string]string{"esxi": esx, "uuid": uuid(name), "bios_uuid": uuid("bios" + name)})
			all = append(all, name)
			if sick {
				lone = append(lone, name)
			}
		}
	}
	b.play(plan.Play{Name: "triage", Place: "playbooks/engine-offline.hcl:56:1", Hosts: all})
	dead, sick := setOf(isDark), setOf(lone)
	for _, name := range all {
		b.triage(name, dead, sick)
	}
	one, four := 0, 4
	b.play(plan.Play{Name: "case_b", Place: "playbooks/engine-offline.hcl:120:1", Acts: true, Hosts: isDark, Batches: []int{1, 25}, MaxFailures: &one})
	for _, esx := range isDark {
		b.caseB(esx)
	}
	b.play(plan.Play{Name: "case_a", Place: "playbooks/engine-offline.hcl:165:1", Acts: true, Hosts: lone, MaxFailures: &four})
	for n, guest := range lone {
		b.caseA(guest, n%3)
	}
	b.worst()
	return d
}

func identity(seen bool, name string) string {
	if !seen {
		return ""
	}
	return "ssh ssh-ed25519 SHA256:" + uuid(name)[:13]
}

// uuid is the same for the same name.
func uuid(name string) string {
	n := uint64(14695981039346656037)
	for _, c := range []byte(name) {
		n = (n ^ uint64(c)) * 1099511628211
	}
	return fmt.Sprintf("%08x-%04x-5%03x-8%03x-%012x", n>>32, n>>16&0xffff, n&0xfff, n>>8&0xfff, n&0xffffffffffff)
}

// builder adds to a document what planning would.
type builder struct{ d *plan.Document }

func (b *builder) host(name, address, connection, group, id string, attrs map[string]string) *plan.Host {
	h := plan.Host{Name: name, Address: address, Connection: connection, Identity: id}
	if group != "" {
		h.Groups = []string{group}
	}
	if attrs != nil {
		h.Attributes, _ = json.Marshal(attrs)
	}
	b.d.Hosts = append(b.d.Hosts, h)
	return &b.d.Hosts[len(b.d.Hosts)-1]
}

func (b *builder) play(p plan.Play) { b.d.Plays = append(b.d.Plays, p) }

func (b *builder) add(play, host, on, entry string, i plan.Item) {
	i.Play, i.Host, i.On, i.Entry = play, host, on, play+"/"+entry
	if i.Place == "" {
		i.Place = "playbooks/engine-offline.hcl:135:7"
	}
	if i.Kind == "" {
		i.Kind = engine.EntryStep
	}
	b.d.Items = append(b.d.Items, i)
}

func (b *builder) triage(name string, dark, lone map[string]bool) {
	esx := "esx" + strings.TrimPrefix(strings.Split(name, "-")[0], "guest")
	state := "online"
	if dark[esx] || lone[name] {
		state = "offline"
	}
	b.add("triage", name, "vc1", "probe.vm", plan.Item{Kind: engine.EntryProbe, Module: "vm", Disposition: plan.Probed,
		Args:   []engine.Arg{{Name: "uuid", Value: fmt.Sprintf("%q", uuid(name))}},
		Values: fmt.Sprintf(`{"awake":true,"esxi":%q,"found":true,"guest_state":"running","power":"poweredOn","tools_status":"toolsOk"}`, esx)})
	b.add("triage", name, "dsm1", "probe.engine", plan.Item{Kind: engine.EntryProbe, Module: "ds_computer", Disposition: plan.Probed,
		Args:   []engine.Arg{{Name: "bios_uuid", Value: fmt.Sprintf("%q", uuid("bios"+name))}},
		Values: fmt.Sprintf(`{"agentless":true,"as_of":"2026-11-23T08:47:21Z","found":true,"message":"Managed","state":%q}`, state)})
}

func (b *builder) caseB(esx string) {
	dsva := "dsva" + strings.TrimPrefix(esx, "esx")
	b.add("case_b", esx, esx, "engines", plan.Item{Kind: engine.EntryRecover, Disposition: plan.WillRun, Reason: "the goal does not hold: length(probe.guests.online) > 0: length(probe.guests.online) = 0"})
	b.add("case_b", esx, dsva, "engines/restart the agent of the appliance/step.ds_agent", plan.Item{Module: "service", Disposition: plan.WillRun,
		Args:    []engine.Arg{{Name: "name", Value: `"ds_agent"`}, {Name: "state", Value: `"restarted"`}},
		Diff:    engine.Diff{Act: "restart ds_agent", Commands: []string{"sudo -k -S -p dsplay-sudo-password: -- /usr/sbin/service ds_agent restart"}},
		Effects: []engine.Effect{engine.EffectRestart}})
	b.add("case_b", esx, esx, "engines/restart the Mux/step.mux", plan.Item{Module: "esxi_mux", Disposition: plan.Attempt,
		Args:    []engine.Arg{{Name: "service", Value: `"auto"`}, {Name: "state", Value: `"restarted"`}},
		Impact:  "The guests of this ESXi host are unprotected for about a minute.",
		Diff:    engine.Diff{Act: "restart nsx-context-mux", Commands: []string{`/etc/init.d/nsx-context-mux restart </dev/null >/tmp/dsplay-nsx-context-mux.log 2>&1; echo "restart: exit $? at $(date +%s)" >>/tmp/dsplay-nsx-context-mux.log; cat /tmp/dsplay-nsx-context-mux.log`}},
		Effects: []engine.Effect{engine.EffectRestart}})
}

func (b *builder) caseA(guest string, kind int) {
	repair := plan.Item{Module: "vmware_tools", Disposition: plan.WillRun, Args: []engine.Arg{{Name: "repair", Value: "true"}},
		Diff: engine.Diff{Act: "repair VMware Tools 12.3.5.46049", Commands: []string{
			`md %SystemRoot%\dsplay 2>nul & del %SystemRoot%\dsplay\tools-ee6aa7e9.exit 2>nul & echo @msiexec.exe /fa {01767101-A688-4A95-9C83-6DED9EB6735D} /qn REBOOT=R /l*v %SystemRoot%\dsplay\tools-ee6aa7e9.log>>%SystemRoot%\dsplay\tools-ee6aa7e9.cmd`,
			`schtasks.exe /create /tn dsplay-tools-ee6aa7e9 /tr %SystemRoot%\dsplay\tools-ee6aa7e9.cmd /sc once /st 00:00 /ru SYSTEM /f`,
			`schtasks.exe /run /tn dsplay-tools-ee6aa7e9`,
		}},
		Effects: []engine.Effect{engine.EffectSoftware, engine.EffectNetwork}}
	b.add("case_a", guest, guest, "probe.driver", plan.Item{Kind: engine.EntryProbe, Module: "service", Disposition: plan.Probed, Values: fmt.Sprintf(`{"exists":true,"running":%t,"state":"STOPPED"}`, kind != 0)})
	b.add("case_a", guest, guest, "engine", plan.Item{Kind: engine.EntryRecover, Disposition: plan.WillRun, Reason: `the goal does not hold: probe.now.state == "online": probe.now.state = "offline"`})
	start := plan.Item{Module: "service", Disposition: plan.Skipped, Reason: "probe.driver.exists && !probe.driver.running: probe.driver.exists = true, probe.driver.running = true"}
	if kind == 0 {
		repair.Disposition = plan.Attempt
		start = plan.Item{Module: "service", Disposition: plan.WillRun, Args: []engine.Arg{{Name: "name", Value: `"vsepflt"`}, {Name: "state", Value: `"started"`}},
			Diff: engine.Diff{Changes: []engine.Change{{What: "vsepflt", Before: "STOPPED", After: "RUNNING"}}, Commands: []string{"sc.exe start vsepflt"}}}
	}
	b.add("case_a", guest, guest, "engine/start the driver/step.start", start)
	b.add("case_a", guest, guest, "engine/repair VMware Tools/step.repair", repair)
	b.add("case_a", guest, guest, "engine/reboot the guest/step.reboot", plan.Item{Module: "reboot", Disposition: plan.Attempt,
		Diff:    engine.Diff{Act: "reboot " + guest, Commands: []string{"shutdown.exe /r /t 5 /f /d p:4:1"}},
		Effects: []engine.Effect{engine.EffectReboot, engine.EffectNetwork}})
}

// worst counts as the engine does.
func (b *builder) worst() {
	w := plan.Worst{Effects: map[engine.Effect]int{}}
	for _, i := range b.d.Items {
		if !i.Acts() {
			continue
		}
		w.Entries++
		w.Hosts = added(w.Hosts, i.On)
		for _, e := range i.Effects {
			w.Effects[e]++
		}
		if len(i.Unknown) > 0 {
			w.Unknown++
		}
	}
	b.d.Worst = w
}

// encoded gives a document its id.
func encoded(t testing.TB, d *plan.Document) *plan.Document {
	t.Helper()
	file, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	d, err = plan.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func setOf(names []string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}
