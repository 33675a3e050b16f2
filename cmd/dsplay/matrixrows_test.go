package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab"
)

// row is what befalls one ESXi host, one guest, or everybody, and what becomes of it. In faults, says, heals and acts
// {esxi} {dsva} {guest} {uuid} {bios} are the names of the one that was struck.
type row struct {
	faults  []string // "NAME" or "NAME@TARGET"
	on      string   // "esxi", "guest"; "" for everybody
	vars    []string // the consent that is given
	alone   bool     // no other row befalls the same estate
	estate  string   // rows with the same word befall the same estate, and no others
	lab     func(*lab.Options)
	besides string   // what lab makes
	times   []string // how long is waited, where it differs from what ordeal.heal says

	heals  string // the attempt, or the step, that mends it; "" where nothing does
	code   int
	says   []string            // what is said, while planning or applying
	acts   map[string][]string // by host: a pattern for every line that changes something, and no others come
	engine string              // of the guest (of all guests of the host) afterwards; "" means as it was before the fault
	status string              // how the host or the guest ends, where it does not end well

	boots   int    // that the guest does by itself
	differs string // by which generations it may differ (N NSX, D DSM, L language, G guest transport); others are mixed. "": by all, or if it stands alone by none

	but     []exception
	leftOut bool // it cannot be in this mix
}

// exception is what is different in some cells.
type exception struct {
	cells  string // as the table says it
	hold   func(mix) bool
	change func(*row)
}

func (r row) name() string {
	var parts []string
	for _, f := range r.faults {
		parts = append(parts, strings.NewReplacer("@{esxi}", "", "@{guest}", "", "@{dsva}", " (its appliance)", "@", " of ").Replace(f))
	}
	if r.besides != "" {
		parts = append(parts, r.besides)
	}
	return strings.TrimSpace(strings.Join(parts, " + ") + " " + strings.Join(r.vars, " "))
}

// in is the row in one mix.
func (r row) in(c mix) row {
	for _, e := range r.but {
		if e.hold(c) {
			e.change(&r)
		}
	}
	if c.soap && slices.Equal(r.acts["dsm1"], sendPolicy) {
		r.acts = maps.Clone(r.acts)
		r.acts["dsm1"] = []string{`^hostUpdateNow hostIDs=`}
	}
	return r
}

// elsewhere are the faults that engine-offline has nothing to do with.
var elsewhere = map[string]string{
	"update-intercepted":       "update-failed.hcl, which leaves engines alone",
	"update-proxy-auth":        "update-failed.hcl",
	"update-dns":               "update-failed.hcl",
	"update-proxy-hangs":       "update-failed.hcl",
	"update-signature-expired": "update-failed.hcl",
	"relay-old":                "update-failed.hcl",
	"update-setting-ignored":   "update-failed.hcl and rollback-update-source.hcl; engine-offline changes no setting",
}

const (
	muxRestart = `^/etc/init\.d/(nsx-context-mux|vShield-Endpoint-Mux) restart `
	agentStart = `^sudo .*service ds_agent restart$`
	scStart    = `^sc\.exe start vsepflt$`

	rebootGuest    = `^shutdown`
	powerGuest     = `^PowerOnVM_Task vm-\d+ \({guest}\)$`
	powerAppliance = `^PowerOnVM_Task vm-\d+ \(Trend Micro Deep Security`
	mountTools     = `^MountToolsInstaller vm-\d+ \({guest}\)$`
	unmountTools   = `^UnmountToolsInstaller vm-\d+ \({guest}\)$`
	addTag         = `(securitytag|add_tags)`
)

var (
	sendPolicy  = []string{`^POST /api/scheduledtasks .*send-policy`, `^DELETE /api/scheduledtasks/`} // over REST; see row.in for SOAP
	repairTools = []string{`^md .*msiexec\.exe /fa \{`, `^schtasks\.exe /create `, `^schtasks\.exe /run `, `^move /y `}
	addFeature  = []string{`^md .*/S /v"/qn REBOOT=R ADDLOCAL=VMCI,FileIntrospection `, `^schtasks\.exe /create `, `^schtasks\.exe /run `, `^move /y `}
)

func overGuestOps(c mix) bool { return c.guestOps }

// company is a guest that is healed, besides those that are not: thresholds are percentages.
var company = row{faults: []string{"driver-stopped@{guest}"}, on: "guest", heals: "start the driver", acts: map[string][]string{"{guest}": {scStart}}}

// rows is the matrix: one row for every fault, and for those that come together.
func rows() []row {
	esxi := func(heals string, acts map[string][]string, faults ...string) row {
		return row{faults: faults, on: "esxi", heals: heals, acts: acts}
	}
	guest := func(heals string, acts []string, faults ...string) row {
		r := row{faults: faults, on: "guest", heals: heals}
		if acts != nil {
			r.acts = map[string][]string{"{guest}": acts}
		}
		return r
	}
	// central is what concerns everybody; an ESXi host and a guest are ill besides, so that something would be done.
	central := func(code int, says string, faults ...string) row {
		return row{faults: faults, on: "esxi", alone: true, differs: "ND", code: code, engine: lab.EngineOffline, says: []string{says}}
	}
	// healing is what is in nobody's way.
	healing := func(fault string) row {
		return row{faults: []string{"dsva-stuck@{esxi}", fault}, on: "esxi", alone: true, differs: "DL", heals: "restart the agent of the appliance", acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}}
	}
	// needsSOAP is what stops everything where the DSM has nothing but SOAP.
	needsSOAP := func(fault string) row {
		r := healing(fault)
		r.but = []exception{{"SOAP: stopped, exit 5, nothing is changed: “failed or did not answer”", func(c mix) bool { return c.soap }, func(r *row) {
			r.code, r.engine, r.status, r.heals, r.acts, r.says = exitStopped, lab.EngineOffline, "failed", "", nil, []string{"failed or did not answer"}
		}}}
		return r
	}
	yesterday := healing("dsm-yesterday")
	yesterday.but = []exception{{"SOAP: stopped, exit 5, nothing is changed: “DSM cannot say how”", func(c mix) bool { return c.soap }, func(r *row) {
		r.code, r.engine, r.status, r.heals, r.acts, r.says = exitStopped, lab.EngineOffline, "failed", "", nil, []string{"DSM cannot say how"}
	}}}
	// installer marks what neither NSX nor the DSM has to do with.
	installer := func(r row) row {
		r.differs = "GL"
		return r
	}
	// failing is a guest whose VMware Tools cannot be changed.
	failing := func(says string, acts []string, fault string) row {
		r := guest("", acts, fault, "tools-without-introspection@{guest}")
		r.code, r.engine, r.status, r.says = exitFailed, lab.EngineOffline, "failed", []string{"{guest}: failed", says}
		return installer(r)
	}
	const addTools = "add file introspection to VMware Tools"
	const agent, mux, start = "restart the agent of the appliance", "restart the Mux", "start the Mux"
	return []row{
		// The appliance and the Mux.
		esxi(agent, map[string][]string{"{dsva}": {agentStart, heartbeat}}, "dsva-stuck@{esxi}"),
		esxi(agent, map[string][]string{"{dsva}": {agentStart, heartbeat}}, "agent-stopped@{esxi}"),
		{faults: []string{"agent-hangs@{esxi}"}, on: "esxi", estate: "hangs", times: []string{"hang=15s"}, differs: "ND", heals: agent, acts: map[string][]string{"{dsva}": {agentStart, agentStart, heartbeat}}},
		esxi(mux, map[string][]string{"{dsva}": {agentStart, heartbeat}, "{esxi}": {muxRestart}}, "mux-stuck@{esxi}"),
		esxi(start, map[string][]string{"{esxi}": {muxRestart}}, "mux-stopped@{esxi}"),
		{faults: []string{"mux-hangs@{esxi}"}, on: "esxi", estate: "mux hangs", times: []string{"hang=15s"}, differs: "ND", heals: mux, acts: map[string][]string{"{dsva}": {agentStart, heartbeat}, "{esxi}": {muxRestart, muxRestart}}},
		esxi(mux, map[string][]string{"{dsva}": {agentStart, heartbeat}, "{esxi}": {muxRestart}}, "dsva-stuck@{esxi}", "mux-stuck@{esxi}"),
		{faults: []string{"ssh-off@{esxi}", "dsva-stuck@{esxi}"}, on: "esxi", heals: agent, acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}, says: []string{"If the appliance is not the cause, its Mux cannot be restarted"}},
		{faults: []string{"lockdown@{esxi}", "dsva-stuck@{esxi}"}, on: "esxi", heals: agent, acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}, says: []string{"If the appliance is not the cause, its Mux cannot be restarted"}},
		{faults: []string{"ssh-off@{esxi}", "mux-stuck@{esxi}"}, on: "esxi", alone: true, differs: "N", code: exitStopped, engine: lab.EngineOffline, status: "failed", acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}, says: []string{"If the appliance is not the cause, its Mux cannot be restarted"}},
		{faults: []string{"lockdown@{esxi}", "mux-stuck@{esxi}"}, on: "esxi", alone: true, differs: "N", code: exitStopped, engine: lab.EngineOffline, status: "failed", acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}, says: []string{"If the appliance is not the cause, its Mux cannot be restarted"}},
		{faults: []string{"wrong-host-key@{dsva}", "dsva-stuck@{esxi}"}, on: "esxi", alone: true, differs: "N", code: exitStopped, engine: lab.EngineOffline, status: "failed", acts: map[string][]string{"{esxi}": {muxRestart}}, says: []string{"{dsva}: unreachable", "host key"}},
		{faults: []string{"mux-missing@{esxi}"}, on: "esxi", code: exitFailed, engine: lab.EngineOffline, status: "failed", says: []string{"it has no Mux: it is not prepared for Guest Introspection"}},
		{faults: []string{"appliance-off@{esxi}"}, on: "esxi", code: exitFailed, engine: lab.EngineOffline, status: "failed", says: []string{"--var power_on_appliance=true"}},
		{faults: []string{"appliance-moved@{esxi}"}, on: "esxi", code: exitFailed, engine: lab.EngineOffline, status: "failed", says: []string{"Move it back, and keep DRS from moving it"}},
		{faults: []string{"appliance-off@{esxi}"}, on: "esxi", vars: []string{"power_on_appliance=true"}, heals: "power the appliance on", acts: map[string][]string{"vc1": {powerAppliance}}},

		// The guest.
		guest("start the driver", []string{scStart}, "driver-stopped@{guest}"),
		guest("add file introspection to VMware Tools", addFeature, "tools-without-introspection@{guest}"),
		{faults: []string{"policy-missing@{guest}"}, on: "guest", heals: "send its policy", acts: map[string][]string{"dsm1": sendPolicy}},
		{faults: []string{"tools-broken@{guest}"}, on: "guest", heals: "repair VMware Tools", acts: map[string][]string{"dsm1": sendPolicy, "{guest}": repairTools}},
		guest("repair VMware Tools", append([]string{scStart}, repairTools...), "tools-damaged@{guest}"),
		guest("repair VMware Tools", repairTools, "driver-disabled@{guest}"),
		guest("", nil, "moved@{guest}"),
		{faults: []string{"lone-guest@{guest}"}, on: "esxi", heals: "start the driver", acts: map[string][]string{"{guest}": {scStart}}},
		{faults: []string{"tag-missing@{guest}"}, on: "guest", heals: "step.tag", acts: map[string][]string{"nsx1": {addTag}}},
		{faults: []string{"asleep@{guest}"}, on: "guest", engine: lab.EngineOffline, says: []string{"Asleep, left alone; they heal when they wake", "{guest}"}},
		{faults: []string{"standby@{guest}"}, on: "guest", engine: lab.EngineOffline, says: []string{"Asleep, left alone; they heal when they wake", "{guest}"}},
		{faults: []string{"off@{guest}"}, on: "guest", engine: lab.EngineOff},
		{faults: []string{"asleep@{guest}"}, on: "guest", vars: []string{"wake=true"}, heals: "resume the guest", acts: map[string][]string{"vc1": {powerGuest}}},
		{differs: "GL", faults: []string{"disconnected@{guest}"}, on: "guest", code: exitFailed, engine: lab.EngineOffline, status: "failed", acts: map[string][]string{"dsm1": sendPolicy, "{guest}": repairTools}, says: []string{"a reboot does (KB 320927"}},
		{differs: "GL", faults: []string{"disconnected@{guest}"}, on: "guest", vars: []string{"reboot=true"}, heals: "reboot the guest", acts: map[string][]string{"dsm1": sendPolicy, "{guest}": append(slices.Clone(repairTools), rebootGuest)}},
		{differs: "GL", faults: []string{"tools-media-absent@{guest}", "tools-without-introspection@{guest}"}, on: "guest", heals: addTools, acts: map[string][]string{"{guest}": addFeature,
			"vc1": {mountTools, unmountTools}}},
		failing("another image is in its CD drive", nil, "drive-busy@{guest}"),
		failing("it has no CD drive", nil, "no-drive@{guest}"),
		{faults: []string{"driver-stopped@{guest}", "unreachable@{guest}"}, on: "guest", code: exitUnreachable, engine: lab.EngineOffline, status: "unreachable", says: []string{"{guest}: unreachable", "refused"}, but: notConcerned},
		{faults: []string{"driver-stopped@{guest}", "silent@{guest}"}, on: "guest", code: exitUnreachable, engine: lab.EngineOffline, status: "unreachable", says: []string{"{guest}: unreachable"}, but: notConcerned},
		{faults: []string{"driver-stopped@{guest}", "wrong-password@{guest}"}, on: "guest", code: exitUnreachable, engine: lab.EngineOffline, status: "unreachable", says: []string{"{guest}: unreachable", "refuse"}},

		// An installer that does not do as it is told.
		failing("1603", addFeature, "installer-fails@{guest}"),
		failing("1602", addFeature, "installer-cancelled@{guest}"),
		failing("1638", addFeature, "installer-other-version@{guest}"),
		failing("eboot", addFeature, "installer-wants-reboot@{guest}"),
		installer(guest(addTools, slices.Concat(addFeature, addFeature), "installer-busy@{guest}", "tools-without-introspection@{guest}")),
		failing("another installation is in progress in the guest; nothing was started", nil, "installation-running@{guest}"),
		failing("Windows services itself (TrustedInstaller runs); nothing was started", nil, "windows-update@{guest}"),
		failing("eboot", addFeature, "pending-reboot@{guest}"),
		{differs: "GL", faults: []string{"network-stuck@{guest}", "tools-without-introspection@{guest}"}, on: "guest", estate: "stuck", times: []string{"installer=20s"}, heals: addTools, acts: map[string][]string{"{guest}": addFeature},
			but: []exception{{"WinRM: unreachable, exit 4: the engine is well, and it is said that the guest does not answer any more", func(c mix) bool { return !c.guestOps }, func(r *row) {
				r.code, r.status = exitUnreachable, "unreachable"
				r.acts, r.says = map[string][]string{"{guest}": addFeature[:3]}, []string{"not within 20s, and the host does not answer"}
			}}}},
		installer(guest(addTools, addFeature, "network-away@{guest}", "tools-without-introspection@{guest}")),
		{differs: "GL", faults: []string{"installer-reboots@{guest}", "tools-without-introspection@{guest}"}, on: "guest", boots: 1, heals: addTools, acts: map[string][]string{"{guest}": addFeature}},
		{differs: "GL", faults: []string{"installer-wants-reboot@{guest}", "tools-without-introspection@{guest}"}, on: "guest", vars: []string{"reboot=true"}, heals: "reboot the guest", acts: map[string][]string{"{guest}": append(slices.Clone(addFeature), rebootGuest)}},
		{differs: "GL", faults: []string{"tools-unregistered@{guest}", "tools-broken@{guest}"}, on: "guest", code: exitFailed, engine: lab.EngineOffline, status: "failed", acts: map[string][]string{"dsm1": sendPolicy, "{guest}": repairTools}, says: []string{"this product is not installed (1605)"}},
		guest("", nil, "installation-ends@{guest}"),
		guest("start the driver", []string{scStart}, "moves-meanwhile@{guest}", "driver-stopped@{guest}"),

		// Everybody.
		{faults: []string{"everything-dark"}, alone: true, differs: "NDL", code: exitStopped, engine: lab.EngineOffline, says: []string{"No engine is online on any of 3 ESXi hosts"}},
		{faults: []string{"dsm-stale"}, alone: true, differs: "DL", code: exitStopped, says: []string{"DSM cannot say how", "nothing was touched"}},
		central(exitStopped, "failed or did not answer", "dsva-stuck@{esxi}", "dsm-down"),
		central(exitStopped, "failed or did not answer", "dsva-stuck@{esxi}", "silent@dsm1"),
		central(exitStopped, "failed or did not answer", "dsva-stuck@{esxi}", "nsx-down"),
		central(exitStopped, "failed or did not answer", "dsva-stuck@{esxi}", "silent@nsx1"),
		central(exitUnreachable, "nothing was executed", "dsva-stuck@{esxi}", "unreachable@vc1"),
		central(exitUnreachable, "nothing was executed", "dsva-stuck@{esxi}", "silent@vc1"),
		{faults: []string{"dsva-stuck@{esxi}", "nsx-busy"}, on: "esxi", alone: true, differs: "N", heals: agent, acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}},
		{faults: []string{"dsva-stuck@{esxi}", "dsm-busy"}, on: "esxi", alone: true, differs: "D", heals: agent, acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}},
		{faults: []string{"asleep@{guest}", "vcenter-readonly"}, on: "guest", vars: []string{"wake=true"}, alone: true, differs: "L", code: exitFailed, engine: lab.EngineOffline, status: "failed", acts: map[string][]string{"vc1": {powerGuest}}, says: []string{"the user of vc1 lacks the privilege VirtualMachine.Interact.PowerOn", "ermission"}},
		{faults: []string{"dsva-stuck@{esxi}"}, besides: "DSM sessions that expire at once", lab: func(o *lab.Options) { o.DSMSession = time.Second }, times: []string{"poll=1500ms", "patience=6s"}, on: "esxi", alone: true, differs: "D",
			heals: agent, acts: map[string][]string{"{dsva}": {agentStart, heartbeat}}, but: []exception{{"REST: no session", func(c mix) bool { return !c.soap }, func(r *row) { r.leftOut = true }}}},
		{faults: []string{"dsva-untrusted@{esxi}"}, on: "esxi", alone: true, code: exitStopped, status: "failed", acts: map[string][]string{"{dsva}": {agentStart, heartbeat}, "{esxi}": {muxRestart}}, says: []string{"an attempt failed: make ds_agent contact its DSM: the DSM does not accept this appliance", "untrusted peer"}},
		healing("dsm-errors-stay"), healing("dsm-errors-return"), needsSOAP("dsm-soap-off"), healing("dsm-sessions-end"), needsSOAP("dsm-sessions-full"), needsSOAP("dsm-locked"), yesterday, healing("licence-expired"),
		{faults: []string{"driver-stopped@guest1-1"}, besides: "two guests with one BIOS UUID", lab: func(o *lab.Options) { o.Twins = true }, alone: true, differs: "DL", acts: map[string][]string{"guest1-1": {scStart}}},
	}
}

// notConcerned: guest operations go through the vCenter and never to the guest.
var notConcerned = []exception{{"guest operations: healed, they do not go to the guest", overGuestOps, func(r *row) {
	r.code, r.engine, r.status, r.says = exitOK, "", "", nil
	r.heals, r.acts = "start the driver", map[string][]string{"{guest}": {scStart}}
}}}
