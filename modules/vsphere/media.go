package vsphere

import (
	"context"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// ToolsMedia looks at the CD drive of a machine, puts the image of VMware Tools into it, or takes it out.
func ToolsMedia() engine.Module {
	return engine.Module{
		Name: "vm_tools_media",
		Doc: `Looks at the CD drive of a virtual machine, puts the image of VMware Tools into it, or takes it out again.
The host that does it (on) is the vCenter; it takes the image that fits the guest's system from the ESXi host. vmware_tools with installer = "media" installs from it: put both into a block, and take the image out in its finally (playbooks/parts/tools-media.hcl does).
The image goes into the first CD drive. When another image is there it is left alone, and the step fails with the kind busy: somebody put it there. A machine that is off, or has no CD drive, is refused before anything is done. VMware Tools need not run: the image is what they are installed from.
It needs the privilege VirtualMachine.Interact.ToolsInstall. A machine is found as by the module vm.`,
		New:     func() any { return &media{} },
		Result:  Media{},
		Targets: []string{"vsphere"},
	}
}

type media struct {
	UUID     string `hcl:"uuid,optional" executed:"true" doc:"Instance UUID: config.instanceUuid in vCenter, unique there."`
	BIOSUUID string `hcl:"bios_uuid,optional" executed:"true" doc:"BIOS UUID: config.uuid in vCenter; clones may share it."`
	Name     string `hcl:"name,optional" executed:"true" doc:"Name in vCenter, exact; it may not be unique."`
	Mounted  *bool  `hcl:"mounted,optional" executed:"true" doc:"What a step makes of it: true puts the image in, false takes it out. A probe takes none."`

	ref     string          // what the last Check found
	request vsphere.Request // what it announced
}

// Media is what is in the drive.
type Media struct {
	Found   bool   `hcl:"found" doc:"Whether exactly one machine is meant."`
	Name    string `hcl:"name" doc:"Its name in vCenter; empty when it was not found."`
	Drive   bool   `hcl:"drive" doc:"Whether it has a CD drive."`
	Mounted bool   `hcl:"mounted" doc:"Whether the image of VMware Tools is in the drive."`
	Image   string `hcl:"image" doc:"What is in the drive: \"[datastore1] iso/x.iso\"; empty when nothing is."`
	Message string `hcl:"message" doc:"Why the image cannot be put in now; empty when it can, or is there already."`
}

// Validate refuses a step that says of no machine.
func (m *media) Validate() error {
	if m.Mounted != nil && m.UUID == "" && m.BIOSUUID == "" && m.Name == "" {
		return engine.BadArg{Arg: "uuid", Problem: "or bios_uuid or name must say which machine is meant"}
	}
	return nil
}

// Probe looks.
func (m *media) Probe(ctx context.Context, host engine.Reader) (any, error) {
	found, why, err := m.key().find(ctx, host)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return Media{Message: why}, nil
	}
	return m.look(ctx, host, found.Ref)
}

func (m *media) key() machineKey { return machineKey{m.UUID, m.BIOSUUID, m.Name} }

// look reads machine and drive anew.
func (m *media) look(ctx context.Context, host engine.Reader, ref string) (Media, error) {
	now, err := anew(ctx, host, ref)
	if err != nil {
		return Media{}, err
	}
	api, err := host.API(ctx)
	if err != nil {
		return Media{}, err
	}
	drive, err := vsphere.Media(ctx, api, ref)
	if err != nil {
		return Media{}, engine.Blame(err, host.Name())
	}
	res := Media{Found: true, Name: now.Name, Drive: drive.Exists, Mounted: drive.Tools, Image: drive.Image}
	switch {
	case drive.Tools:
	case now.Power != poweredOn:
		res.Message = "it is " + now.Power + ": vSphere takes the image only while a machine is on"
	case !drive.Exists:
		res.Message = "it has no CD drive"
	case drive.Image != "":
		res.Message = "another image is in its CD drive: " + drive.Image
	}
	return res, nil
}

// Check compares. What takes the image out names its request also while there is nothing to take out: an entry before it may
// be about to put it in.
func (m *media) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if m.Mounted == nil {
		return engine.Diff{}, engine.BadArg{Arg: "mounted", Problem: "must be true or false in a step"}
	}
	found, err := m.key().must(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	m.ref = found.Ref
	now, err := m.look(ctx, host, m.ref)
	if err != nil {
		return engine.Diff{}, err
	}
	diff, err := m.diff(host, now)
	if err != nil || len(diff.Changes) == 0 {
		return diff, err
	}
	return warned(ctx, host, diff, m.request)
}

func (m *media) diff(host engine.Reader, now Media) (engine.Diff, error) {
	in, out := "the image of VMware Tools", "empty"
	change := engine.Change{What: "CD drive of " + now.Name, Before: out, After: in}
	m.request = vsphere.Mounting(vsphere.VM{Ref: m.ref, Name: now.Name})
	if !*m.Mounted {
		change.Before, change.After = in, out
		m.request = vsphere.Unmounting(vsphere.VM{Ref: m.ref, Name: now.Name})
	}
	diff := engine.Diff{Commands: []string{m.request.String()}}
	switch {
	case now.Mounted != *m.Mounted && (!*m.Mounted || now.Message == ""):
		diff.Changes = []engine.Change{change}
	case now.Mounted == *m.Mounted && *m.Mounted:
		return engine.Diff{Note: "the image of VMware Tools is in the drive of " + now.Name + " already"}, nil
	case now.Mounted == *m.Mounted:
		diff.Note = "the image of VMware Tools is not in the drive of " + now.Name
	default:
		return engine.Diff{}, refused(host, now)
	}
	return diff, nil
}

// refused says why the image cannot be put in, before anything is done.
func refused(host engine.Reader, now Media) error {
	e := &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "put the image of VMware Tools into " + now.Name, Msg: now.Message,
		Hint: "give it one, or bring the installer into the guest and name it: installer of vmware_tools"}
	switch {
	case now.Image != "":
		e.Kind, e.Hint = engine.KindBusy, "ask who put it there; or bring the installer into the guest and name it: installer of vmware_tools"
	case now.Drive:
		e.Hint = "power it on first"
	}
	return e
}

// shows is how long vCenter may take until it shows what it has done.
const shows = 30 * time.Second

// Apply asks for it, and waits until vCenter shows it.
func (m *media) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	if _, err := send(ctx, host, diff, m.request); err != nil {
		return nil, err
	}
	for end := time.Now().Add(shows); ; {
		now, err := m.look(ctx, host, m.ref)
		if err != nil || now.Mounted == *m.Mounted || time.Now().After(end) {
			return now, err
		}
		if err := engine.Wait(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}
