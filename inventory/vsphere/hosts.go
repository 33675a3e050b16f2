package vsphere

import (
	"net/netip"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/inventory"
)

// hosts makes the found hosts of an estate.
func (s *Settings) hosts(e *vsphere.Estate, r rules) []inventory.Found {
	var found []inventory.Found
	name := namer(e)
	appliances := map[string][]vsphere.VM{} // by ESXi host
	for _, vm := range e.VMs {
		switch {
		case vm.Template:
		case r.appliance != nil && r.appliance.MatchString(vm.Name):
			appliances[vm.ESXi] = append(appliances[vm.ESXi], vm)
			found = append(found, s.machine(vm, name(vm.Name, vm.Ref), "appliances"))
		case r.guests == nil || r.guests.MatchString(vm.Name):
			found = append(found, s.machine(vm, name(vm.Name, vm.Ref), "guests"))
		}
	}
	for _, h := range e.Hosts {
		dsva := s.written(h.Name)
		if vm, ok := only(appliances[h.Name]); ok && dsva == "" {
			dsva = name(vm.Name, vm.Ref)
		}
		found = append(found, inventory.Found{Name: name(h.Name, h.Ref), Address: h.Name, Groups: s.group("esxi"), Attrs: map[string]cty.Value{
			"esxi_ref": text(h.Ref), "version": text(h.Version), "connection_state": text(h.Connection), "maintenance": cty.BoolVal(h.Maintenance), "dsva": text(dsva)}})
	}
	return found
}

func (s *Settings) machine(vm vsphere.VM, name, group string) inventory.Found {
	return inventory.Found{Name: name, Address: address(vm), Groups: s.group(group), Attrs: map[string]cty.Value{
		"uuid": text(vm.InstanceUUID), "bios_uuid": text(vm.BIOSUUID), "power": text(vm.Power), "guest_state": text(vm.GuestState),
		"tools_status": text(vm.ToolsStatus), "vm": text(vm.Ref), "esxi": text(vm.ESXi), "connection_state": text(vm.Connection)}}
}

func (s *Settings) group(key string) []string {
	if name := s.Groups[key]; name != "" {
		return []string{name}
	}
	return nil
}

// written is the name of a host's appliance by the pattern, "" without one.
func (s *Settings) written(esxi string) string {
	short, _, _ := strings.Cut(esxi, ".")
	if _, err := netip.ParseAddr(esxi); err == nil {
		short = esxi // an address has no first label
	}
	return strings.NewReplacer("{esxi}", esxi, "{short}", short).Replace(s.DSVA)
}

// only is the one appliance of an ESXi host: the only one, or the only one that is on, which leaves out what an
// upgrade has left behind. Of several nobody is guessed; the host then has no dsva.
func only(list []vsphere.VM) (vsphere.VM, bool) {
	var on []vsphere.VM
	for _, vm := range list {
		if vm.Power == "poweredOn" {
			on = append(on, vm)
		}
	}
	switch {
	case len(list) == 1:
		return list[0], true
	case len(on) == 1:
		return on[0], true
	}
	return vsphere.VM{}, false
}

// address is what VMware Tools report: an address that can be reached from here, else the guest's own name.
func address(vm vsphere.VM) string {
	if ip, err := netip.ParseAddr(vm.Address); err == nil && !ip.IsLinkLocalUnicast() && !ip.IsLoopback() {
		return vm.Address
	}
	return vm.HostName
}

// namer gives unique names: what several have gets its managed object id.
func namer(e *vsphere.Estate) func(name, ref string) string {
	count := map[string]int{engine.Localhost: 2} // built in
	for _, h := range e.Hosts {
		count[clean(h.Name)]++
	}
	for _, vm := range e.VMs {
		if !vm.Template {
			count[clean(vm.Name)]++
		}
	}
	return func(name, ref string) string {
		if name = clean(name); name == "" || count[name] > 1 {
			return strings.TrimPrefix(name+"-"+ref, "-")
		}
		return name
	}
}

// clean takes out what no host's name has: control characters, and space around it.
func clean(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name))
}

func text(s string) cty.Value {
	if s == "" {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(s)
}
