package windows

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// tools is VMware Tools as it is installed.
type tools struct {
	installed    bool
	features     map[string]bool
	broken       string // why the thin agent cannot connect until a repair; "": it is whole
	disconnected bool   // the thin agent lost its Mux until a reboot (KB 320927)
	healsAtBoot  bool   // it was repaired, the old driver is still loaded
	networkLost  bool
	cut          bool // the network is away until a boot
	installing   bool
	replaced     bool // its own service is being replaced and does not run
	starts, runs int  // of the installer: in all, and of those that were let in
	quirks       quirks
}

const (
	fileIntrospection = "FileIntrospection"
	// ProductCode of VMware Tools. Windows packs it into productKey in the names of registry keys.
	ProductCode = "{01767101-A688-4A95-9C83-6DED9EB6735D}"
	productKey  = "10176710886A59A4C938D6DEE96B37D5"
	toolsFolder = `C:\Program Files\VMware\VMware Tools\`
)

// allFeatures are the feature names that this version of Tools knows, in the order of its feature table.
func allFeatures(version string) []string {
	features := []string{"Audio", "BootCamp", "FileIntrospection", "Hgfs", "MemCtl", "Mouse", "NetworkIntrospection",
		"Perfmon", "PVSCSI", "SVGA", "Sync", "ThinPrint", "VMCI", "VMXNet", "VMXNet3", "VmwTimeProvider", "VSS"}
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 12 {
		return append(features, "CBHelper")
	}
	return append(features, "AppDefense")
}

// defaultFeatures is what an installation without ADDLOCAL gives: no introspection.
func defaultFeatures(version string) []string {
	return slices.DeleteFunc(allFeatures(version), func(f string) bool {
		return slices.Contains([]string{"FileIntrospection", "NetworkIntrospection", "BootCamp", "AppDefense", "CBHelper"}, f)
	})
}

func healthyFeatures(version string) []string {
	return append(defaultFeatures(version), fileIntrospection)
}

// driversOf are the drivers that a feature brings.
func driversOf(feature string) []service {
	switch feature {
	case "VMCI":
		return []service{
			{name: "vmci", display: "VMware VMCI Bus Driver", kind: 1, start: bootStart, pinned: true, group: "System Bus Extender"},
			{name: "vsock", display: "vSockets Virtual Machine Communication Interface Sockets driver", kind: 1, start: bootStart,
				pinned: true},
		}
	case "FileIntrospection":
		return []service{{name: "vsepflt", display: "VMware Guest Introspection Driver", kind: 2, start: bootStart,
			group: "FSFilter Anti-Virus"}}
	case "NetworkIntrospection":
		return []service{{name: "vnetWFP", display: "Guest Introspection Network Filter Driver", kind: 1, start: systemStart,
			pinned: true}}
	case "VMXNet3":
		return []service{{name: "vmxnet3ndis6", display: "vmxnet3 NDIS 6 Ethernet Adapter Driver", kind: 1, start: demandStart,
			pinned: true, group: "NDIS"}}
	case "MemCtl":
		return []service{{name: "vmmemctl", display: "Memory Control Driver", kind: 1, start: autoStart}}
	}
	return nil
}

// installTools sets the features and puts their files, drivers and services there. g.mu is held or g is new.
func (g *Guest) installTools(features []string) {
	g.tools.installed = true
	g.tools.features = map[string]bool{}
	g.disk.Install(toolsFolder+"vmtoolsd.exe", "vmtoolsd")
	if g.find("VMTools") == nil {
		s := &service{name: "VMTools", display: "VMware Tools", kind: 0x10, start: autoStart,
			image: `"` + toolsFolder + `vmtoolsd.exe"`, takes: 3 * time.Second}
		g.services["vmtools"] = s
		g.runs(s, time.Now())
	}
	for _, f := range features {
		g.addFeature(f, running)
	}
}

// addFeature installs a feature; drivers that were not there get this state. g.mu is held or g is new.
func (g *Guest) addFeature(feature string, fresh state) {
	g.tools.features[feature] = true
	for _, s := range driversOf(feature) {
		s.file, s.image = drivers+s.name+".sys", `\SystemRoot\System32\drivers\`+s.name+".sys"
		s.takes = time.Second
		g.disk.Put(s.file, driverImage)
		if old := g.find(s.name); old != nil {
			old.file, old.start = s.file, s.start
			if fresh == running {
				old.state, old.exit = running, 0
			}
			continue
		}
		s.state = fresh
		if fresh == stopped {
			s.exit = errNeverStarted
		}
		g.services[strings.ToLower(s.name)] = &s
	}
}

// removeFeature removes a feature with its drivers. g.mu is held.
func (g *Guest) removeFeature(feature string) {
	delete(g.tools.features, feature)
	for _, s := range driversOf(feature) {
		delete(g.services, strings.ToLower(s.name))
		_ = g.disk.Remove(drivers + s.name + ".sys") // it may be gone already
	}
}

// uninstallTools removes everything, the network driver too. g.mu is held.
func (g *Guest) uninstallTools() {
	for f := range g.tools.features {
		g.removeFeature(f)
	}
	delete(g.services, "vmtools")
	_ = g.disk.RemoveAll(strings.TrimSuffix(toolsFolder, `\`)) // it may be gone already
	g.tools.installed, g.tools.broken = false, ""
}
