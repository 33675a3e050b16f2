// Package modules is the list of everything that a probe or a step can be.
package modules

import (
	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/appliance"
	"github.com/dsplay/dsplay/modules/deepsecurity"
	"github.com/dsplay/dsplay/modules/esxi"
	"github.com/dsplay/dsplay/modules/exec"
	"github.com/dsplay/dsplay/modules/files"
	"github.com/dsplay/dsplay/modules/nsx"
	"github.com/dsplay/dsplay/modules/reboot"
	"github.com/dsplay/dsplay/modules/service"
	"github.com/dsplay/dsplay/modules/tlspath"
	"github.com/dsplay/dsplay/modules/tools"
	"github.com/dsplay/dsplay/modules/vsphere"
)

// All returns the catalogue, by family.
func All() []engine.Module {
	return []engine.Module{
		service.Module(),
		exec.Command(),
		exec.Shell(),
		exec.PowerShell(),
		files.Copy(),
		files.Stat(),
		reboot.Module(),
		esxi.Mux(),
		tools.Module(),
		vsphere.VM(),
		vsphere.VMSnapshot(),
		vsphere.VMExec(),
		vsphere.ESXiService(),
		vsphere.ESXiLockdown(),
		vsphere.ToolsMedia(),
		vsphere.Log(),
		deepsecurity.Computer(),
		deepsecurity.Computers(),
		deepsecurity.Events(),
		deepsecurity.ClearErrors(),
		deepsecurity.SendPolicy(),
		deepsecurity.SecurityUpdate(),
		deepsecurity.UpdateSource(),
		appliance.Agent(),
		tlspath.Module(),
		nsx.Tag(),
		nsx.Health(),
	}
}
