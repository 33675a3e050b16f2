package windows

import "fmt"

// Faults that Break knows, and what heals each.
const (
	// DriverStopped: vsepflt is stopped and starts fine. Healed by starting it, by a reboot, by a repair.
	DriverStopped = "driver-stopped"
	// ToolsWithoutIntrospection: the default install, feature and driver are absent. Healed by adding the feature.
	ToolsWithoutIntrospection = "tools-without-introspection"
	// ToolsBroken: the feature is there and vsepflt runs, but the thin agent does not connect. Healed by a repair.
	ToolsBroken = "tools-broken"
	// ToolsDamaged: the driver file is damaged, vsepflt fails with code 31. Healed by a repair.
	ToolsDamaged = "tools-damaged"
	// Disconnected: vsepflt runs and has lost its Mux (KB 320927). Healed by a reboot.
	Disconnected = "disconnected"
	// PendingReboot: Windows Update waits for a reboot; drivers that are installed meanwhile run only after it.
	PendingReboot = "pending-reboot"
	// DriverDisabled: vsepflt is stopped and disabled (1058). Healed by "sc config vsepflt start= boot" and a start.
	DriverDisabled = "driver-disabled"
)

// Break brings a fault about, on top of those that are there. An unknown name is an error.
func (g *Guest) Break(fault string) error {
	var err error
	g.change(func() { err = g.breakNow(fault) })
	return err
}

func (g *Guest) breakNow(fault string) error {
	switch fault {
	case DriverStopped, DriverDisabled, ToolsDamaged:
		return g.breakDriver(fault)
	case ToolsWithoutIntrospection:
		g.removeFeature(fileIntrospection)
	case ToolsBroken:
		if !g.tools.features[fileIntrospection] {
			return fmt.Errorf("%s: break %s: file introspection is not installed", g.cfg.Name, fault)
		}
		g.tools.broken = "the thin agent does not connect"
	case Disconnected:
		g.tools.disconnected = true
	case PendingReboot:
		g.keys.add(componentServicing+`\RebootPending`, "", value{})
	default:
		if g.breakInstaller(fault) {
			return nil
		}
		return fmt.Errorf("%s: there is no fault %q", g.cfg.Name, fault)
	}
	return nil
}

func (g *Guest) breakDriver(fault string) error {
	s := g.find("vsepflt")
	if s == nil {
		return fmt.Errorf("%s: break %s: the driver vsepflt is not installed", g.cfg.Name, fault)
	}
	s.state, s.exit = stopped, 0
	switch fault {
	case DriverDisabled:
		s.start = disabled
	case ToolsDamaged:
		s.exit = errGenFailure
		g.tools.broken = "the driver file is damaged"
		g.disk.Put(s.file, "MZ")
	}
	return nil
}
