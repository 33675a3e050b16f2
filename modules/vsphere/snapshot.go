package vsphere

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// VMSnapshot looks at the snapshots of a virtual machine, takes one, or removes one that it has taken.
func VMSnapshot() engine.Module {
	return engine.Module{
		Name: "vm_snapshot",
		Doc: `Takes a snapshot of a virtual machine before work on it, or removes one that dsplay has taken. As a probe it lists them.
The host that does it (on) is the vCenter; a machine is found as by the module vm.
A snapshot is of the disks alone (memory=false): going back to it is like switching on after a power failure. Nothing is quiesced, because for that VMware Tools would have to answer, which is what is about to be repaired.
present: a snapshot of this name that dsplay took within max_age is enough. An older one is an error, so that nobody relies on one of last month.
absent: exactly the one of this name that dsplay took is removed; its children stay. One of the same name that somebody else took is an error, never removed. What dsplay took has the description "made by dsplay".
Taking and removing belong into two runs: which snapshot would be removed is not known before it is taken, so no plan could say it; and one that the run itself removes helps nobody. Snapshots grow: remove them within days.`,
		New:     func() any { return &snapshot{MaxAge: "24h"} },
		Result:  Snapshots{},
		Targets: []string{"vsphere"},
	}
}

// mark is the description of what dsplay takes.
const mark = "made by dsplay"

type snapshot struct {
	UUID     string `hcl:"uuid,optional" executed:"true" doc:"Instance UUID of the machine: config.instanceUuid in vCenter."`
	BIOSUUID string `hcl:"bios_uuid,optional" executed:"true" doc:"BIOS UUID: config.uuid in vCenter; clones may share it."`
	Name     string `hcl:"name,optional" executed:"true" doc:"Name of the machine in vCenter, exact; it may not be unique."`
	Snapshot string `hcl:"snapshot" executed:"true" doc:"Name of the snapshot: letters, digits, blanks and . _ - at most 80 of them."`
	State    string `hcl:"state,optional" executed:"true" oneof:"present absent" doc:"What a step makes of it. A probe takes none."`
	MaxAge   string `hcl:"max_age,optional" doc:"How old one that is there may be to count as present, like 24h."`

	request vsphere.Request // of the last Check
}

// Snapshots is what vCenter says of the snapshots of a machine.
type Snapshots struct {
	Found   bool     `hcl:"found" doc:"Whether exactly one machine is meant."`
	Message string   `hcl:"message" doc:"Why it was not found; empty otherwise."`
	Exists  bool     `hcl:"exists" doc:"Whether it has one of this name, whoever took it."`
	Ours    bool     `hcl:"ours" doc:"Whether dsplay took all of this name."`
	Created string   `hcl:"created" doc:"When the youngest of this name was taken, RFC 3339; empty without one."`
	All     []string `hcl:"all" doc:"Names of all its snapshots, parents before children."`
}

// snapshotName with longestSnapshotName: a count in the expression would cost every start of dsplay 3 ms.
var snapshotName = regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]*$`)

const longestSnapshotName = 80

// Validate refuses names that vCenter would write in another way, and a step that says of no machine.
func (s *snapshot) Validate() error {
	if !snapshotName.MatchString(s.Snapshot) || utf8.RuneCountInString(s.Snapshot) > longestSnapshotName {
		return engine.BadArg{Arg: "snapshot", Problem: fmt.Sprintf("must be a name of letters, digits, blanks and . _ - (at most %d)", longestSnapshotName)}
	}
	if d, err := time.ParseDuration(s.MaxAge); err != nil || d <= 0 {
		return engine.BadArg{Arg: "max_age", Problem: fmt.Sprintf("%q is not a duration like 24h", s.MaxAge)}
	}
	if s.State != "" && s.key() == (machineKey{}) {
		return engine.BadArg{Arg: "uuid", Problem: "or bios_uuid or name must say which machine is meant"}
	}
	return nil
}

func (s *snapshot) key() machineKey { return machineKey{s.UUID, s.BIOSUUID, s.Name} }

// Probe asks.
func (s *snapshot) Probe(ctx context.Context, host engine.Reader) (any, error) {
	vm, why, err := s.key().find(ctx, host)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return Snapshots{Message: why}, nil
	}
	all, named, err := s.look(ctx, host, vm)
	return s.result(all, named), err
}

// look reads all snapshots of a machine, and picks those of this name.
func (s *snapshot) look(ctx context.Context, host engine.Reader, vm vsphere.VM) (all, named []vsphere.Snapshot, err error) {
	api, err := host.API(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err = vsphere.SnapshotsOf(ctx, api, vm)
	for _, x := range all {
		if x.Name == s.Snapshot {
			named = append(named, x)
		}
	}
	return all, named, engine.Blame(err, host.Name())
}

func (s *snapshot) result(all, named []vsphere.Snapshot) Snapshots {
	r := Snapshots{Found: true, Exists: len(named) > 0, Ours: len(named) > 0 && ours(named)}
	for _, x := range all {
		r.All = append(r.All, x.Name)
	}
	if r.Exists {
		r.Created = youngest(named).UTC().Format(time.RFC3339)
	}
	return r
}

func ours(list []vsphere.Snapshot) bool {
	return !slices.ContainsFunc(list, func(x vsphere.Snapshot) bool { return x.Description != mark })
}

func youngest(list []vsphere.Snapshot) time.Time {
	return slices.MaxFunc(list, func(a, b vsphere.Snapshot) int { return a.Created.Compare(b.Created) }).Created
}

// Check tells by which request the snapshot would be taken or removed.
func (s *snapshot) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if s.State == "" {
		return engine.Diff{}, engine.BadArg{Arg: "state", Problem: `must be "present" or "absent" in a step`}
	}
	vm, err := s.key().must(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	_, named, err := s.look(ctx, host, vm)
	if err != nil {
		return engine.Diff{}, err
	}
	what := "snapshot " + s.Snapshot + " of " + vm.Name
	if err := s.refuse(host, what, named); err != nil {
		return engine.Diff{}, err
	}
	switch there := len(named) > 0; {
	case there == (s.State == "present"):
		if there {
			return engine.Diff{Note: "dsplay took the " + what + " not long ago"}, nil
		}
		return engine.Diff{Note: "there is no " + what}, nil
	case there:
		s.request = vsphere.Dropping(vm, named[0])
		return warned(ctx, host, engine.Diff{Changes: []engine.Change{{What: what, Before: "present", After: "absent"}}, Commands: []string{s.request.String()}}, s.request)
	}
	s.request = vsphere.Snapping(vm, s.Snapshot, mark)
	return warned(ctx, host, engine.Diff{Changes: []engine.Change{{What: what, Before: "absent", After: "present"}}, Commands: []string{s.request.String()}}, s.request)
}

// refuse keeps from relying on what is too old, and from removing what is not ours.
func (s *snapshot) refuse(host engine.Reader, what string, named []vsphere.Snapshot) error {
	limit, err := time.ParseDuration(s.MaxAge)
	if err != nil {
		return err
	}
	e := &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "look at the " + what}
	switch {
	case len(named) == 0:
		return nil
	case !ours(named):
		e.Msg, e.Hint = "dsplay did not take it; it is left alone", "use another name"
	case s.State == "absent" && len(named) > 1:
		e.Msg, e.Hint = fmt.Sprintf("there are %d of this name", len(named)), "remove them in vCenter: nobody is guessed"
	case s.State == "present" && time.Since(youngest(named)) > limit:
		e.Msg = fmt.Sprintf("it is from %s, older than max_age (%s)", youngest(named).UTC().Format(time.RFC3339), s.MaxAge)
		e.Hint = "remove it (state = \"absent\", in a run of its own), or use another name"
	default:
		return nil
	}
	return e
}

// Apply sends the request of Check and waits until vSphere has done it.
func (s *snapshot) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	if _, err := send(ctx, host, diff, s.request); err != nil {
		return nil, err
	}
	return s.Probe(ctx, host)
}
