package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/policy"
)

var now = time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC)

func step(entry, host, on, module string, change ...func(*plan.Item)) plan.Item {
	i := plan.Item{Play: "p", Host: host, On: on, Entry: entry, Kind: engine.EntryStep, Module: module, Disposition: plan.WillRun,
		Args: []engine.Arg{{Name: "name", Value: module + "d"}}}
	for _, c := range change {
		c(&i)
	}
	return i
}

func as(d plan.Disposition) func(*plan.Item) { return func(i *plan.Item) { i.Disposition = d } }

// night is a plan of a recover on two ESXi hosts: the agent of the appliance first, then the Mux.
func night() *plan.Document {
	d := &plan.Document{Playbook: plan.Playbook{Path: "playbooks/engine-offline.hcl", Files: []plan.File{plan.NewFile(engine.File{Path: "playbooks/engine-offline.hcl", Data: []byte("x")})}}}
	for n := range 2 {
		esxi, dsva := fmt.Sprintf("esx%d", n+1), fmt.Sprintf("dsva%d", n+1)
		d.Hosts = append(d.Hosts, plan.Host{Name: esxi, Groups: []string{"esxi"}, Identity: "SHA256:e"}, plan.Host{Name: dsva, Groups: []string{"dsva"}, Identity: "SHA256:d"})
		d.Items = append(d.Items, plan.Item{Play: "p", Host: esxi, On: esxi, Entry: "p/engines", Kind: engine.EntryRecover, Disposition: plan.WillRun},
			step("p/engines/a/step.agent", esxi, dsva, "service"), step("p/engines/b/step.mux", esxi, esxi, "esxi_mux", as(plan.Attempt)))
	}
	return d
}

// permissive permits everything that night does.
func permissive() engine.Policy {
	return engine.Policy{Name: "night", Playbooks: []string{"engine-offline.hcl"}, Modules: []string{"service", "esxi_mux"}, MaxHosts: map[string]int{"esxi": 2, "dsva": 2},
		Deny: engine.DeniedUnlessAllowed()}
}

func mustWindow(t *testing.T, text string) *engine.Window {
	t.Helper()
	w, err := engine.ParseWindow(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Each rule by itself: what it refuses, in which words, on which numbers.
func TestRules(t *testing.T) {
	args := []engine.Arg{{Name: "name", Value: "serviced"}}
	deed := func(host, module string, ago time.Duration, args ...engine.Arg) engine.Deed {
		return engine.Deed{Run: "r1", Time: now.Add(-ago), Host: host, Module: module, Args: args}
	}
	failed := func(host string, ago time.Duration, failed bool) engine.Recovery {
		return engine.Recovery{Time: now.Add(-ago), Playbook: "elsewhere/engine-offline.hcl", Host: host, Entry: "p/engines", Failed: failed}
	}
	first := func(change func(*plan.Item)) func(*engine.Policy, *plan.Document, *policy.Facts) {
		return func(_ *engine.Policy, d *plan.Document, _ *policy.Facts) { change(&d.Items[1]) }
	}
	for name, tt := range map[string]struct {
		change func(*engine.Policy, *plan.Document, *policy.Facts)
		says   string // "": permitted
	}{
		"permitted":      {func(*engine.Policy, *plan.Document, *policy.Facts) {}, ""},
		"other playbook": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.Playbooks = []string{"health.hcl"} }, "playbooks: the playbook is playbooks/engine-offline.hcl; permitted is health.hcl"},
		"part of a name": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.Playbooks = []string{"offline.hcl"} }, "playbooks:"},
		"other folder": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) {
			p.Playbooks = []string{"live/engine-offline.hcl"}
		}, "playbooks:"},
		"signed": {func(p *engine.Policy, d *plan.Document, _ *policy.Facts) {
			p.Require.SignedPlaybook, p.Playbooks = true, []string{"sha256:" + d.Playbook.Files[0].SHA256}
		}, ""},
		"changed since": {func(p *engine.Policy, d *plan.Document, _ *policy.Facts) {
			p.Require.SignedPlaybook, p.Playbooks = true, []string{"sha256:" + d.Playbook.Files[0].SHA256}
			d.Playbook.Files = append(d.Playbook.Files, plan.NewFile(engine.File{Path: "parts/evil.hcl", Data: []byte("y")}))
		}, "playbooks: signed_playbook: the hash is not in playbooks of parts/evil.hcl (sha256:"},
		"module": {first(func(i *plan.Item) { i.Module = "reboot" }), "modules: 1 action would be done by a module that may not act: reboot (p/engines/a/step.agent on dsva1); permitted are service, esxi_mux"},
		"module of an attempt that is not needed yet": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.Modules = []string{"service"} },
			"modules: 2 actions would be done by a module that may not act: esxi_mux (p/engines/b/step.mux on esx1), esxi_mux (p/engines/b/step.mux on esx2)"},
		"a module that does nothing": {first(func(i *plan.Item) { i.Module, i.Disposition = "reboot", plan.NoOp }), ""},
		"too many hosts":             {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.MaxHosts["esxi"] = 1 }, "max_hosts: esxi: 2 hosts are acted on at the worst, permitted are 1: esx1, esx2"},
		"too many through on":        {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.MaxHosts["dsva"] = 1 }, "max_hosts: dsva: 2 hosts are acted on at the worst, permitted are 1: dsva1, dsva2"},
		"too many together":          {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.MaxHosts = map[string]int{"all": 3} }, "max_hosts: all: 4 hosts are acted on at the worst, permitted are 3: dsva1, dsva2, esx1, esx2"},
		"not too many together":      {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { p.MaxHosts = map[string]int{"all": 4} }, ""},
		"a host of no group that is named": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) { delete(p.MaxHosts, "dsva") },
			"max_hosts: 2 hosts are in none of the groups of max_hosts and may not be acted on: dsva1 (dsva), dsva2 (dsva)"},
		"a host that is not known yet": {first(func(i *plan.Item) { i.On, i.Host, i.Disposition = "", "", plan.Depends }), "max_hosts: 1 action is planned of which the host is not known yet"},
		"denied effect": {func(p *engine.Policy, d *plan.Document, _ *policy.Facts) {
			p.Deny = append(p.Deny, "reboot")
			d.Items[2].Effects = []engine.Effect{engine.EffectRestart, engine.EffectReboot}
		}, "deny: reboot: 1 action has it: p/engines/b/step.mux on esx1"},
		"effect that is not denied":      {first(func(i *plan.Item) { i.Effects = []engine.Effect{engine.EffectReboot} }), ""},
		"weakens, denied unless allowed": {first(func(i *plan.Item) { i.Effects = []engine.Effect{engine.EffectWeakens} }), "deny: weakens_security: 1 action has it: p/engines/a/step.agent on dsva1"},
		"unknown argument":               {first(func(i *plan.Item) { i.Unknown = []string{"name"} }), "deny: unknown_arguments: 1 action has it: p/engines/a/step.agent on dsva1"},
		"unknown argument, allowed": {func(p *engine.Policy, d *plan.Document, _ *policy.Facts) {
			p.Deny, d.Items[1].Unknown = nil, []string{"name"}
		}, ""},
		"identity":              {func(_ *engine.Policy, d *plan.Document, _ *policy.Facts) { d.Hosts[1].Identity = "none" }, "deny: identity_none: 1 host does not prove who it is and would be acted on: dsva1"},
		"identity was not seen": {func(_ *engine.Policy, d *plan.Document, _ *policy.Facts) { d.Hosts[1].Identity = "" }, "deny: identity_none: 1 host does not"},
		"identity of a mere guest": {func(_ *engine.Policy, d *plan.Document, _ *policy.Facts) {
			d.Hosts = append(d.Hosts, plan.Host{Name: "g"})
		}, ""},
		"probe of a command": {func(p *engine.Policy, d *plan.Document, _ *policy.Facts) {
			p.Deny = append(p.Deny, engine.DenyProbeCommands)
			d.Items = append(d.Items, plan.Item{Kind: engine.EntryProbe, Module: "shell", Entry: "p/probe.x", On: "esx1", Disposition: plan.Probed})
		}, "deny: probe_commands: 1 probe runs a command of the playbook's author: p/probe.x on esx1"},
		"window": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) {
			p.Window = mustWindow(t, "Sat 03:00-04:00 UTC")
		}, "window: it is closed (Sat 03:00-04:00 UTC); it opens Sat 2026-11-21 03:00 +00:00"},
		"window, open": {func(p *engine.Policy, _ *plan.Document, _ *policy.Facts) {
			p.Window = mustWindow(t, "Sat 02:00-04:00 UTC")
		}, ""},
		"cooldown": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown = 6 * time.Hour
			f.Past.Deeds = []engine.Deed{deed("dsva1", "service", 5*time.Hour, args...)}
		}, "cooldown: within 6h0m0s 1 action of the plan was done already: p/engines/a/step.agent on dsva1 (service, 5h0m0s ago, run r1)"},
		"cooldown over": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown = 6 * time.Hour
			f.Past.Deeds = []engine.Deed{deed("dsva1", "service", 6*time.Hour, args...)}
		}, ""},
		"cooldown of another host, module, argument": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown = 6 * time.Hour
			f.Past.Deeds = []engine.Deed{deed("dsva9", "service", 0, args...), deed("dsva1", "esxi_mux", 0, args...), deed("dsva1", "service", 0, engine.Arg{Name: "name", Value: "other"})}
		}, ""},
		"cooldown, the clock was set back": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown = time.Hour
			f.Past.Deeds = []engine.Deed{deed("dsva1", "service", -48*time.Hour, args...)}
		}, "cooldown: within"},
		"cooldown of an attempt": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown = time.Hour
			f.Past.Deeds = []engine.Deed{deed("esx2", "esxi_mux", time.Minute, engine.Arg{Name: "name", Value: "esxi_muxd"})}
		}, "p/engines/b/step.mux on esx2"},
		"cooldown of what is not known yet": {func(p *engine.Policy, d *plan.Document, f *policy.Facts) {
			p.Cooldown, p.Deny, d.Items[1].Unknown = time.Hour, nil, []string{"name"}
			f.Past.Deeds = []engine.Deed{deed("dsva1", "service", time.Minute, engine.Arg{Name: "name", Value: "other"})}
		}, "cooldown: within"},
		"no journal": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown, f.Past, f.NoPast = time.Hour, nil, "the disk is gone"
		}, "cooldown: what was done before is not known: the disk is gone"},
		"no journal, no matter": {func(_ *engine.Policy, _ *plan.Document, f *policy.Facts) { f.Past = nil }, ""},
		"per hour": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.PerHour = 5
			f.Past.Deeds = []engine.Deed{deed("a", "b", time.Minute), deed("a", "b", 59*time.Minute), deed("a", "b", time.Hour)}
		},
			"per_hour: 2 actions were begun within the last hour, and 4 more at the worst; permitted are 5"},
		"per hour, enough left": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.PerHour = 5
			f.Past.Deeds = []engine.Deed{deed("a", "b", time.Minute)}
		}, ""},
		"per hour, with what others have in their plans": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.PerHour = 5
			f.Past.Deeds = []engine.Deed{deed("a", "b", time.Minute), {Run: "r2", Ahead: true, Time: now, Host: "a", Module: "b"}}
		}, "per_hour: 1 action was begun within the last hour, 1 more may be by runs that go on, and 4 more at the worst; permitted are 5"},
		"cooldown of what another run has in its plan": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Cooldown = time.Hour
			f.Past.Deeds = []engine.Deed{{Run: "r2", Ahead: true, Time: now, Host: "dsva1", Module: "service", Args: args}}
		}, "p/engines/a/step.agent on dsva1 (service, at any moment, run r2)"},
		"too many, with those of another run": {func(p *engine.Policy, d *plan.Document, f *policy.Facts) {
			d.Hosts = append(d.Hosts, plan.Host{Name: "esx3", Groups: []string{"esxi"}, Settings: "ssh to esx3"})
			f.Past.Underway = map[string]string{"ssh to esx3": "r2", "ssh to esx2": "r3", "ssh to another": "r4"}
			d.Hosts[2].Settings = "ssh to esx2"
		}, "max_hosts: esxi: 2 hosts are acted on at the worst, permitted are 2: esx1, esx2; at the same time esx3 by run r2"},
		"enough, with those of another run": {func(p *engine.Policy, d *plan.Document, f *policy.Facts) {
			d.Hosts = append(d.Hosts, plan.Host{Name: "esx3", Groups: []string{"esxi"}, Settings: "ssh to esx3"})
			p.MaxHosts["esxi"], f.Past.Underway = 3, map[string]string{"ssh to esx3": "r2"}
		}, ""},
		"another run in a group in which nothing is done": {func(p *engine.Policy, d *plan.Document, f *policy.Facts) {
			d.Hosts = append(d.Hosts, plan.Host{Name: "g1", Groups: []string{"guests"}, Settings: "ssh to g1"})
			p.MaxHosts["guests"], f.Past.Underway = 0, map[string]string{"ssh to g1": "r2"}
		}, ""},
		"breaker": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Breaker = engine.Breaker{Host: 2, Within: 24 * time.Hour}
			f.Past.Recoveries = []engine.Recovery{failed("esx1", time.Hour, true), failed("esx1", 2*time.Hour, true)}
		}, "breaker: p/engines on esx1 failed 2 times within 24h0m0s without success since: look for the cause"},
		"breaker, it helped since": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Breaker = engine.Breaker{Host: 2, Within: 24 * time.Hour}
			f.Past.Recoveries = []engine.Recovery{failed("esx1", time.Hour, false), failed("esx1", 2*time.Hour, true), failed("esx1", 3*time.Hour, true)}
		}, ""},
		"breaker, long ago": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Breaker = engine.Breaker{Host: 2, Within: 24 * time.Hour}
			f.Past.Recoveries = []engine.Recovery{failed("esx1", time.Hour, true), failed("esx1", 24*time.Hour, true)}
		}, ""},
		"breaker of the estate": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) {
			p.Breaker = engine.Breaker{Host: 2, Estate: 3, Within: 24 * time.Hour}
			f.Past.Recoveries = []engine.Recovery{failed("esx7", time.Hour, true), failed("esx8", time.Hour, true), failed("esx9", time.Hour, true)}
		}, "breaker: p/engines failed 3 times within 24h0m0s on all hosts together"},
		"breaker of another recover": {func(p *engine.Policy, d *plan.Document, f *policy.Facts) {
			p.Breaker = engine.Breaker{Host: 1, Within: 24 * time.Hour}
			f.Past.Recoveries = []engine.Recovery{{Time: now, Playbook: "other.hcl", Host: "esx1", Entry: "p/engines", Failed: true}, {Time: now, Playbook: "engine-offline.hcl", Host: "esx1", Entry: "q/engines", Failed: true}}
		}, ""},
		"approvals":        {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) { p.Require.Approvals, f.Approvals = 2, 1 }, "require: approvals: 1 of 2"},
		"enough approvals": {func(p *engine.Policy, _ *plan.Document, f *policy.Facts) { p.Require.Approvals, f.Approvals = 2, 2 }, ""},
		"offline":          {func(_ *engine.Policy, d *plan.Document, _ *policy.Facts) { d.Offline = true }, "plan: it was made with --offline"},
		"stopped": {func(_ *engine.Policy, d *plan.Document, _ *policy.Facts) {
			d.Stop = &plan.Stop{Kind: "check", Reason: "dark"}
		}, "plan: planning itself ended early (check): dark"},
	} {
		t.Run(name, func(t *testing.T) {
			p, d, f := permissive(), night(), policy.Facts{Now: now, Past: &engine.Past{}}
			tt.change(&p, d, &f)
			v := policy.Judge(p, d, f)
			var said []string
			for _, r := range v.Refusals() {
				said = append(said, r.Name+": "+r.Reason)
			}
			text := strings.Join(said, "\n")
			if v.Permitted != (tt.says == "") || !strings.Contains(text, tt.says) || v.Permitted != (text == "") {
				t.Errorf("permitted: %v\n%s\nwant %q", v.Permitted, text, tt.says)
			}
			if tt.says != "" && len(said) > 2 {
				t.Errorf("more was refused than was wrong:\n%s", text)
			}
		})
	}
}

func TestOnePolicyIsEnough(t *testing.T) {
	no, yes := permissive(), permissive()
	no.Modules, yes.Name = nil, "day"
	by, verdicts := policy.Permits([]engine.Policy{no, yes}, night(), policy.Facts{Now: now})
	if by == nil || by.Name != "day" || len(verdicts) != 2 || verdicts[0].Permitted || !verdicts[1].Permitted {
		t.Errorf("%v %+v", by, verdicts)
	}
	// two policies that permit a half each do not permit the whole
	no.Modules, yes.Modules = []string{"service"}, []string{"esxi_mux"}
	if by, _ := policy.Permits([]engine.Policy{no, yes}, night(), policy.Facts{Now: now}); by != nil {
		t.Errorf("%s permits it", by.Name)
	}
}

// What is judged before anything is contacted.
func TestBefore(t *testing.T) {
	pb := &engine.Playbook{Path: "engine-offline.hcl", Items: []engine.Item{{Check: &engine.Check{}}, {Play: &engine.Play{Entries: []*engine.Entry{
		{Kind: engine.EntryRecover, Recover: &engine.Recover{Goal: []*engine.Entry{{Kind: engine.EntryProbe, Address: "p/r/goal/probe.x", Module: &engine.Module{Name: "powershell"}}}}},
		{Kind: engine.EntryStep, Address: "p/step.y", Module: &engine.Module{Name: "shell"}}}}}}}
	p := permissive()
	if v := policy.Before(p, pb); !v.Permitted {
		t.Errorf("%+v", v)
	}
	p.Deny = append(p.Deny, engine.DenyProbeCommands)
	if v := policy.Before(p, pb); v.Permitted || !strings.Contains(v.Refusals()[0].Reason, "1 probe runs a command of the playbook's author: p/r/goal/probe.x (powershell)") {
		t.Errorf("%+v", v)
	}
}
