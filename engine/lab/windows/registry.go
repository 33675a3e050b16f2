package windows

import (
	"maps"
	"slices"
	"strings"
)

// registry holds the keys that are stored; what follows from the state of Tools and of the services is added by
// Guest.view. Names are compared without case.
type registry map[string]*regKey // lower-case path

type regKey struct {
	path   string
	values map[string]value // lower-case name
}

type value struct{ name, kind, data string }

const (
	hive               = `HKEY_LOCAL_MACHINE\`
	componentServicing = hive + `SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing`
	sessionManager     = hive + `SYSTEM\CurrentControlSet\Control\Session Manager`
	renames            = "PendingFileRenameOperations"
	windowsVersion     = hive + `SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	uninstallKey       = hive + `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\`
)

// add makes a key with those above it; a value without a kind is none.
func (r registry) add(path, name string, v value) {
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '\\' {
			continue
		}
		if above := path[:i]; r[strings.ToLower(above)] == nil {
			r[strings.ToLower(above)] = &regKey{path: above, values: map[string]value{}}
		}
	}
	if v.kind != "" {
		v.name = name
		r[strings.ToLower(path)].values[strings.ToLower(name)] = v
	}
}

func (r registry) text(path, name, data string) { r.add(path, name, value{kind: "REG_SZ", data: data}) }

func (r registry) number(path, name, data string) {
	r.add(path, name, value{kind: "REG_DWORD", data: data})
}

// below gives the keys under path, the direct ones or all, sorted.
func (r registry) below(path string, all bool) []*regKey {
	prefix := strings.ToLower(path) + `\`
	var found []*regKey
	for _, k := range slices.Sorted(maps.Keys(r)) {
		if rest, ok := strings.CutPrefix(k, prefix); ok && (all || !strings.Contains(rest, `\`)) {
			found = append(found, r[k])
		}
	}
	return found
}

func (r registry) remove(path string) {
	for _, k := range r.below(path, true) {
		delete(r, strings.ToLower(k.path))
	}
	delete(r, strings.ToLower(path))
}

func (r registry) clone() registry {
	c := registry{}
	for k, key := range r {
		c[k] = &regKey{key.path, maps.Clone(key.values)}
	}
	return c
}

func (r registry) clearPending() {
	r.remove(componentServicing + `\RebootPending`)
	delete(r[strings.ToLower(sessionManager)].values, strings.ToLower(renames))
}

// pendingReboot tells whether Windows waits for a reboot. g.mu is held.
func (g *Guest) pendingReboot() bool {
	_, servicing := g.keys[strings.ToLower(componentServicing+`\RebootPending`)]
	_, files := g.keys[strings.ToLower(sessionManager)].values[strings.ToLower(renames)]
	return servicing || files
}

// needReboot leaves what an installer leaves when files are in use. g.mu is held.
func (g *Guest) needReboot() {
	g.keys.add(sessionManager, renames, value{kind: "REG_MULTI_SZ", data: `\??\C:\Windows\System32\drivers\vsepflt.sys.tmp\0`})
}

func (g *Guest) fillRegistry() {
	g.keys.add(componentServicing, "", value{})
	g.keys.add(sessionManager, "ProtectionMode", value{kind: "REG_DWORD", data: "0x1"})
	g.keys.text(windowsVersion, "ProductName", "Windows Server 2019 Standard")
	g.keys.text(windowsVersion, "CurrentBuild", "17763")
	g.keys.add(uninstallKey+`AddressBook`, "", value{})
	g.keys.text(hive+`SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName`, "ComputerName", strings.ToUpper(g.cfg.Name))
	g.setDevice("C:", partition(0x1f50_0000))
	g.setDevice(mediaDrive, deviceName(cdDevice))
}

// view is the registry as it is now: the stored keys, VMware Tools and the services. g.mu is held.
func (g *Guest) view() registry {
	r := g.keys.clone()
	for _, s := range g.services {
		path := hive + `SYSTEM\CurrentControlSet\Services\` + s.name
		r.number(path, "Type", hex(s.kind))
		r.number(path, "Start", hex(s.start))
		r.add(path, "ImagePath", value{kind: "REG_EXPAND_SZ", data: s.image})
		r.text(path, "DisplayName", s.display)
	}
	if g.tools.installing || g.tools.quirks.marked {
		r.add(mark, "", value{})
	}
	if !g.tools.installed {
		return r
	}
	features := hive + `SOFTWARE\Classes\Installer\Features\` + productKey
	r.text(features, "Complete", "")
	for _, f := range allFeatures(g.cfg.ToolsVersion) {
		parent := "Complete"
		if !g.tools.features[f] {
			parent = "\x06" + parent
		}
		r.text(features, f, parent)
	}
	product := hive + `SOFTWARE\Classes\Installer\Products\` + productKey
	r.text(product, "ProductName", "VMware Tools")
	key := hive + `SOFTWARE\VMware, Inc.\VMware Tools`
	r.text(key, "InstallPath", toolsFolder)
	r.text(key, "ProductVersion", g.cfg.ToolsVersion)
	uninstall := uninstallKey + ProductCode
	r.text(uninstall, "DisplayName", "VMware Tools")
	r.text(uninstall, "DisplayVersion", g.cfg.ToolsVersion)
	r.text(uninstall, "Publisher", "VMware, Inc.")
	r.add(uninstall, "UninstallString", value{kind: "REG_EXPAND_SZ", data: "MsiExec.exe /I" + ProductCode})
	r.number(uninstall, "WindowsInstaller", "0x1")
	return r
}
