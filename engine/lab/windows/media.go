package windows

import "fmt"

// The CD drive of the guest.
const mediaDrive = "D:"

// MountTools puts the installation media of VMware Tools into drive D:. That VMwareToolsUpgrader.exe is on it, and tells it from
// other media with a setup64.exe: high (scripts that install Tools look for it). That manifest.txt holds the version: medium.
func (g *Guest) MountTools() {
	g.EjectMedia()
	g.disk.Mount(mediaDrive, func() {
		g.disk.Install(`D:\setup64.exe`, "setup64")
		g.disk.Put(`D:\setup.exe`, "MZ\x90\x00")
		g.disk.Put(`D:\VMwareToolsUpgrader.exe`, "MZ\x90\x00")
		g.disk.Put(`D:\autorun.inf`, "[autorun]\r\nopen=setup64.exe\r\n")
		g.disk.Put(`D:\manifest.txt`, fmt.Sprintf("monolithic.version = \"%s\"\r\n", g.cfg.ToolsVersion))
	})
}

// MountForeign puts a media into drive D: that is not of VMware Tools and has a setup64.exe all the same.
func (g *Guest) MountForeign() {
	g.EjectMedia()
	g.disk.Mount(mediaDrive, func() {
		g.disk.Install(`D:\setup64.exe`, "erpsetup")
		g.disk.Put(`D:\readme.txt`, "ERP client 4.2\r\n")
	})
}

// EjectMedia empties drive D:.
func (g *Guest) EjectMedia() { g.disk.Unmount(mediaDrive) }
