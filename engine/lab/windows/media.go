package windows

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// The CD drive of the guest.
const mediaDrive = "D:"

// What Windows says of the device behind a drive letter, in the key mountedDevices. That it is a REG_BINARY, for a CD drive the
// name of its device in UTF-16LE, and that only administrators can write it: high. The names: high, from memory; what stands
// behind the second # is invented.
const (
	mountedDevices = hive + `SYSTEM\MountedDevices`
	cdDevice       = `\??\SCSI#CdRom&Ven_NECVMWar&Prod_VMware_SATA_CD01#5&280b647&0&000000#{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}`
	isoDevice      = `\??\SCSI#CdRom&Ven_Msft&Prod_Virtual_DVD-ROM#2&1f4adffe&0&000001#{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}`
)

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

// EjectMedia empties drive D:. The letter stays that of the CD drive.
func (g *Guest) EjectMedia() { g.disk.Unmount(mediaDrive) }

// MountISO mounts an image file as a drive ("F:"), as Windows 8 and later let any user do; fill puts its content onto the disk.
// It takes the letter away from whatever had it.
func (g *Guest) MountISO(drive string, fill func()) {
	g.disk.Unmount(drive)
	g.disk.Mount(drive, fill)
	g.change(func() { g.setDevice(drive, deviceName(isoDevice)) })
}

// AddVolume adds an empty data volume ("E:") into whose root every user may write, as Windows formats it.
func (g *Guest) AddVolume(drive string) {
	g.disk.AddDrive(drive)
	g.change(func() { g.setDevice(drive, partition(0x0010_0000)) })
}

// setDevice says which device is behind a drive letter. g.mu is held.
func (g *Guest) setDevice(drive string, device []byte) {
	g.keys.add(mountedDevices, `\DosDevices\`+drive, value{kind: "REG_BINARY", data: fmt.Sprintf("%X", device)})
}

// deviceName is the name of a device as the registry holds it.
func deviceName(name string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(name)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// partition is what stands for a partition of a disk with an MBR: the signature of the disk and the offset in bytes.
func partition(offset uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{0x3b, 0x9a, 0xc1, 0xd2}, offset)
}
