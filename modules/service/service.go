// Package service is the module that looks at a service of any system, or starts, stops, restarts or enables it.
package service

import (
	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/services"
)

// Service are the arguments.
type Service = services.Service

// Status is what is known of a service.
type Status = services.Status

// Module looks at a service, or starts, stops, restarts or enables it.
func Module() engine.Module {
	return engine.Module{
		Name: "service",
		Doc: `Looks at a service, or starts, stops or restarts it.
On POSIX hosts it speaks with systemd, or with SysV init scripts where there is none; on ESXi with the scripts in /etc/init.d; on Windows with the service control manager, which also has the drivers.
Texts that a system translates are never read, only numbers, exit codes and constants.
A restart is proven by a process that is younger than the step. On ESXi, which tells no start times, by other process ids; a driver of Windows has no process, there the stop between is the proof.`,
		New:     func() any { return &services.Service{} },
		Result:  services.Status{},
		Targets: []string{string(engine.POSIX), string(engine.ESXi), string(engine.Windows)},
	}
}
