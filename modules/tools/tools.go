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
Without allow_reboot the guest is not rebooted, and pending_reboot tells that it should be. A driver that runs is necessary for protection, not sufficient (KB 320927): look at the engine's state afterwards.`,
		New:     func() any { return &Tools{Installer: auto, Wait: "20m"} },
		Result:  Status{},
		Targets: []string{string(engine.Windows)},
	}
}

const auto = "auto"

// Tools are the arguments.
type Tools struct {
	Features    []string `hcl:"features,optional" executed:"true" doc:"Features that must be installed, as the installer names them: VMCI, FileIntrospection … NetworkIntrospection is not needed for anti-malware and known for lost TCP connections; it is only installed when it stands here."`
	Repair      bool     `hcl:"repair,optional" executed:"true" doc:"Installs every file and driver of what is installed again."`
	Installer   string   `hcl:"installer,optional" executed:"true" doc:"Path of setup64.exe (setup.exe on 32 bit) in the guest. auto: for features, setup64.exe on one of the drives D to Z; for a repair, what Windows Installer has kept."`
	AllowReboot bool     `hcl:"allow_reboot,optional" executed:"true" doc:"Lets the installer reboot the guest when it has to."`
	Wait        string   `hcl:"wait,optional" doc:"How long the installer may take, like 20m."`

	planned job  // what the last Check announced
	read    bool // this instance has read the exit code of a run
}

// Status is what is known of VMware Tools.
type Status struct {
	Installed         bool              `hcl:"installed" doc:"Whether VMware Tools is installed."`
	Version           string            `hcl:"version" doc:"Its version; empty when it is not installed."`
	FileIntrospection bool              `hcl:"file_introspection" doc:"Whether the feature FileIntrospection is installed; a default installation does not have it."`
	Features          []string          `hcl:"features" doc:"The features that are installed, sorted."`
	Drivers           map[string]string `hcl:"drivers" doc:"State of the drivers vsepflt, vnetflt, vnetWFP, vmci and vsock: RUNNING, STOPPED …, or missing."`
	VsepfltRunning    bool              `hcl:"vsepflt_running" doc:"Whether the driver that reports file events runs."`
	PendingReboot     bool              `hcl:"pending_reboot" doc:"Whether Windows or the installer waits for a reboot."`
	RebootHint        string            `hcl:"reboot_hint" doc:"What waits for a reboot; empty when nothing does."`
	ExitCode          *int              `hcl:"exit_code" doc:"Exit code of the installer: 0, 3010 (a reboot is pending) or 1641 (it rebooted); null for a probe."`

	product  string // product code with braces
	updating bool   // Windows is installing something
}

// known are the features of VMware Tools (AppDefense up to 11, CBHelper from 12 on). A name that a build does not
// know makes its installer fail.
var known = []string{"AppDefense", "Audio", "BootCamp", "CBHelper", "FileIntrospection", "Hgfs", "MemCtl", "Mouse", "NetworkIntrospection",
	"PVSCSI", "Perfmon", "SVGA", "Sync", "ThinPrint", "VMCI", "VMXNet", "VMXNet3", "VSS", "VmwTimeProvider"}

// localPath is a file that SYSTEM can reach: it has no network drives. The characters that cmd.exe would read
// otherwise are left out.
var localPath = regexp.MustCompile(`^[A-Za-z]:\\[^"%!^&|<>*?\x00-\x1f]+\.(?i:exe)$`)

// Validate refuses what no guest can do.
func (t *Tools) Validate() error {
	for _, f := range t.Features {
		if !slices.Contains(known, f) {
			return engine.BadArg{Arg: "features", Problem: fmt.Sprintf("%q is no feature of VMware Tools; %s", f, suggestion(f))}
		}
	}
	if t.Repair && len(t.Features) > 0 {
		return engine.BadArg{Arg: "repair", Problem: "cannot stand beside features: write two steps"}
	}
	if t.Installer != auto && !localPath.MatchString(t.Installer) {
		return engine.BadArg{Arg: "installer", Problem: `must be "auto" or the path of a program on a drive of the guest, like D:\setup64.exe`}
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
	return look(ctx, host)
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
	j, err := t.job(ctx, host, st)
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
	if st.PendingReboot {
		notes = append(notes, "the guest waits for a reboot already ("+st.RebootHint+")")
	}
	if st.updating {
		notes = append(notes, "Windows is installing updates (TrustedInstaller runs): both at once can lose drivers")
	}
	if slices.Contains(t.Features, "NetworkIntrospection") {
		notes = append(notes, "NetworkIntrospection is not needed for anti-malware")
	}
	diff.Note = strings.Join(notes, "; ")
	return diff, nil
}

func failed(host engine.Reader, msg, hint string) error {
	return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "vmware_tools", Msg: msg, Hint: hint}
}
