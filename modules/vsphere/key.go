package vsphere

import (
	"context"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// machineKey says which virtual machine is meant: by instance UUID; without one by BIOS UUID; without that by name.
type machineKey struct{ uuid, bios, name string }

// find gives the one machine that is meant, or why there is none. It is as the estate of the pass has it.
func (k machineKey) find(ctx context.Context, host engine.Reader) (vm vsphere.VM, why string, err error) {
	estate, err := fetch(ctx, host)
	if err != nil {
		return vm, "", err
	}
	found := estate.Find(k.uuid, k.bios, k.name)
	if len(found) != 1 {
		return vm, k.why(found), nil
	}
	return found[0], "", nil
}

// must is find for a step.
func (k machineKey) must(ctx context.Context, host engine.Reader) (vsphere.VM, error) {
	vm, why, err := k.find(ctx, host)
	if err == nil && why != "" {
		err = &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the machine", Msg: why, Hint: "guard the step with when = probe.NAME.found"}
	}
	return vm, err
}

// why says what kept a machine from being found.
func (k machineKey) why(found []vsphere.VM) string {
	var key string
	switch {
	case k.uuid != "":
		key = "UUID " + k.uuid
	case k.bios != "":
		key = "BIOS UUID " + k.bios
	case k.name != "":
		key = "name " + k.name
	default:
		return "neither UUID nor name of the machine is known"
	}
	if len(found) == 0 {
		return "vCenter has no machine with " + key
	}
	names := make([]string, len(found))
	for i, m := range found {
		names[i] = fmt.Sprintf("%s (%s)", m.Name, m.Ref)
	}
	return fmt.Sprintf("%s is not unique in vCenter: %s", key, strings.Join(names, ", "))
}
