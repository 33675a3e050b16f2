// Package tools knows VMware Tools in a Windows guest: its features, its drivers, and how to add to it or repair it
// over a connection that the change itself may cut.
package tools

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Module looks at VMware Tools, adds features to it, or repairs it.
func Module() engine.Module {
	return engine.Module{
		Name: "vmware_tools",
		Doc: `Looks at VMware Tools in a Windows guest, adds features to it, or repairs it. It never removes anything.
The installer runs as a task of SYSTEM, detached from the connection, and leaves its exit code in a file: the network may go away meanwhile. A step that was cut and is started again finds the installer that it had started, waits for it or reads what it left, and starts no second one; an exit code that nobody has read counts for an hour.
Nothing is started while another installation is in progress, or while Windows services itself (TrustedInstaller runs: both at once can lose drivers, KB 318796): the error then is of the kind busy, as it is when the installer itself is refused (1618). A retry block with on = ["busy"] waits for its turn.
How it ended stands in outcome: done; reboot_pending (3010); rebooted (1641: the installer rebooted the guest, and the step has waited for it). Anything else is a failure, of 1603 with the lines of its log that name what failed. Exit codes are explained in docs/vmware-tools.md.
Without allow_reboot the installer is told not to reboot the guest, and pending_reboot tells that it should be. A driver that runs is necessary for protection, not sufficient (KB 320927): look at the engine's state afterwards, or for "Mux is connected" in the machine's log (vm_log).`,
		New:     func() any { return &Tools{Installer: auto, Wait: "20m"} },
		Result:  Status{},
		Targets: []string{string(engine.Windows)},
	}
}

// Installers that are looked for.
const (
	auto  = "auto"
	media = "media"
)

// Tools are the arguments.
type Tools struct {
	Features    []string `hcl:"features,optional" executed:"true" doc:"Features that must be installed, as the installer names them: VMCI, FileIntrospection … NetworkIntrospection is refused: it is not needed for anti-malware, and known for lost TCP connections."`
	Repair      bool     `hcl:"repair,optional" executed:"true" doc:"Installs every file and driver of what is installed again."`
	Installer   string   `hcl:"installer,optional" executed:"true" doc:"Where the installer is. auto: for features, setup64.exe of the image of VMware Tools in a virtual CD drive of VMware (D to Z), which must be there when it is planned; for a repair, what Windows Installer has kept. media: the same, in the drive that has it when the step runs: a step before it puts it in (vm_tools_media). Else its path in the guest, like C:\\\\install\\\\setup64.exe, or on a share, like \\\\\\\\files\\\\tools\\\\setup64.exe, which is copied first and must be readable for the computer's own account; it runs as SYSTEM, so nobody but administrators may be able to write there."`
	AllowReboot bool     `hcl:"allow_reboot,optional" executed:"true" doc:"Lets the installer reboot the guest when it has to."`
	Wait        string   `hcl:"wait,optional" doc:"How long the installer may take, like 20m."`

	planned job       // what the last Check announced
	sought  time.Time // since when an installer is looked for that is to be started
	read    bool      // this instance has read the exit code of a run
}

// Status is what is known of VMware Tools.
type Status struct {
	Installed         bool              `hcl:"installed" doc:"Whether VMware Tools is installed."`
	Version           string            `hcl:"version" doc:"Its version; empty when it is not installed."`
	FileIntrospection bool              `hcl:"file_introspection" doc:"Whether the feature FileIntrospection is installed; a default installation does not have it."`
	Features          []string          `hcl:"features" doc:"The features that are installed, sorted."`
	Drivers           map[string]string `hcl:"drivers" doc:"State of the drivers vsepflt, vnetflt, vnetWFP, vmci and vsock: RUNNING, STOPPED …, or missing."`
	DriverStart       map[string]string `hcl:"driver_start" doc:"When each of them starts: boot, system, auto, demand, disabled, or missing."`
	VsepfltRunning    bool              `hcl:"vsepflt_running" doc:"Whether the driver that reports file events runs."`
	VsepfltVersion    string            `hcl:"vsepflt_version" doc:"Version of its file; empty when it is not there."`
	PendingReboot     bool              `hcl:"pending_reboot" doc:"Whether Windows or the installer waits for a reboot."`
	RebootHint        string            `hcl:"reboot_hint" doc:"What waits for a reboot; empty when nothing does."`
	Busy              string            `hcl:"busy" doc:"What keeps an installer from being started now: another installation, or servicing by Windows; empty when nothing does."`
	Outcome           string            `hcl:"outcome" doc:"How a step ended: done, reboot_pending or rebooted; empty when no installer was run."`
	ExitCode          *int              `hcl:"exit_code" doc:"Exit code of the installer: 0, 3010 (a reboot is pending) or 1641 (it rebooted); null for a probe."`

	product string // product code with braces
}

// known are the features of VMware Tools (AppDefense up to 11, CBHelper from 12 on). A name that a build does not
// know makes its installer fail.
var known = []string{"AppDefense", "Audio", "BootCamp", "CBHelper", "FileIntrospection", "Hgfs", "MemCtl", "Mouse", "NetworkIntrospection",
	"PVSCSI", "Perfmon", "SVGA", "Sync", "ThinPrint", "VMCI", "VMXNet", "VMXNet3", "VSS", "VmwTimeProvider"}

// network is the feature that nobody who wants anti-malware back should get.
const network = "NetworkIntrospection"

// programPath is a file that SYSTEM can reach: it has no network drives, but may read a share as the computer's account. The
// characters that cmd.exe would read otherwise are left out.
var programPath = regexp.MustCompile(`^([A-Za-z]:|\\\\[A-Za-z0-9._-]+)\\[^"%!^&|<>*?\x00-\x1f]+\.(?i:exe)$`)

// Validate refuses what no guest can do.
func (t *Tools) Validate() error {
	for _, f := range t.Features {
		if f == network {
			return engine.BadArg{Arg: "features", Problem: network + " is never added: anti-malware does not need it, and its driver is known for hangs and lost TCP connections (KB 2082204); FileIntrospection is what is missing"}
		}
		if !slices.Contains(known, f) {
			return engine.BadArg{Arg: "features", Problem: fmt.Sprintf("%q is no feature of VMware Tools; %s", f, suggestion(f))}
		}
	}
	if t.Repair && len(t.Features) > 0 {
		return engine.BadArg{Arg: "repair", Problem: "cannot stand beside features: write two steps"}
	}
	if t.Installer != auto && t.Installer != media && !programPath.MatchString(t.Installer) {
		return engine.BadArg{Arg: "installer", Problem: `must be "auto", "media", or the path of a program on a drive of the guest or on a share, like D:\setup64.exe`}
	}
	if d, err := time.ParseDuration(t.Wait); err != nil || d <= 0 {
		return engine.BadArg{Arg: "wait", Problem: fmt.Sprintf("%q is not a duration like 20m", t.Wait)}
	}
	return nil
}

func suggestion(name string) string {
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return "did you mean " + k + "?"
		}
	}
	return "there are " + strings.Join(known, ", ")
}

// Effects: drivers of the network may be changed, too.
func (t *Tools) Effects() []engine.Effect {
	effects := []engine.Effect{engine.EffectSoftware, engine.EffectNetwork}
	if t.AllowReboot {
		effects = append(effects, engine.EffectReboot)
	}
	return effects
}

// Probe tells how VMware Tools is.
func (t *Tools) Probe(ctx context.Context, host engine.Reader) (any, error) {
	st, err := look(ctx, host)
	if err == nil && st.Drivers["vsepflt"] != missing {
		st.VsepfltVersion, err = fileVersion(ctx, host, `System32\drivers\vsepflt.sys`)
	}
	return st, err
}

// Check compares the features, or announces the repair.
func (t *Tools) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if !t.Repair && len(t.Features) == 0 {
		return engine.Diff{}, engine.BadArg{Arg: "features", Problem: "is missing: a step says features or repair = true"}
	}
	st, err := look(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	if !st.Installed {
		return engine.Diff{}, failed(host, "VMware Tools is not installed", "install it at the console or through vCenter, with the feature FileIntrospection")
	}
	var diff engine.Diff
	for _, f := range t.Features {
		if !slices.Contains(st.Features, f) {
			diff.Changes = append(diff.Changes, engine.Change{What: "feature " + f + " of VMware Tools", Before: "missing", After: "installed"})
		}
	}
	if t.Repair {
		diff.Act = "repair VMware Tools " + st.Version
	}
	if diff.Empty() {
		diff.Note = fmt.Sprintf("VMware Tools %s has %s; vsepflt is %s", st.Version, strings.Join(t.Features, ", "), st.Drivers["vsepflt"])
		return diff, nil
	}
	return t.announce(ctx, host, st, diff)
}

// announce adds the exact commands, and what an approver should know of the state of the guest.
func (t *Tools) announce(ctx context.Context, host engine.Reader, st Status, diff engine.Diff) (engine.Diff, error) {
	j, there, err := t.job(ctx, host, st)
	if err != nil {
		return engine.Diff{}, err
	}
	t.planned = j
	for _, c := range j.commands() {
		line, err := host.Line(ctx, c)
		if err != nil {
			return engine.Diff{}, err
		}
		diff.Commands = append(diff.Commands, line)
	}
	var notes []string
	if !there {
		notes = append(notes, "the installer is not in the guest now: a step before this one has to bring it")
	}
	if st.PendingReboot {
		notes = append(notes, "the guest waits for a reboot already ("+st.RebootHint+")")
	}
	if st.Busy != "" {
		notes = append(notes, "nothing is started while "+st.Busy)
	}
	diff.Note = strings.Join(notes, "; ")
	return diff, nil
}

func failed(host engine.Reader, msg, hint string) error {
	return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "vmware_tools", Msg: msg, Hint: hint}
}
