package lab

import (
	"github.com/dsplay/dsplay/engine/lab/dsm"
	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/engine/lab/update"
	"github.com/dsplay/dsplay/engine/lab/windows"
)

// FaultInfo describes a fault that Inject knows.
type FaultInfo struct {
	Name   string
	Target string // what it takes: "guest", "esxi", "any system" …; "" for none
	What   string // what is wrong then
	Remedy string // what heals it besides Clear; nothing else does
}

type fault struct {
	FaultInfo
	inject func(l *Lab, target string) error
}

var faults = []fault{
	{FaultInfo{"dsva-stuck", "an ESXi host or its appliance", "the anti-malware engine of the appliance hangs; its agent still talks to the DSM", "restart ds_agent on the appliance"},
		breakAgent(unix.DSVAStuck)},
	{FaultInfo{"agent-stopped", "an ESXi host or its appliance", "ds_agent of the appliance does not run", "start or restart ds_agent on the appliance"},
		breakAgent(unix.AgentStopped)},
	{FaultInfo{"agent-hangs", "an ESXi host or its appliance", "as dsva-stuck, and the next restart never returns and leaves the agent stopped", "restart ds_agent once more"},
		breakAgent(unix.AgentHangs)},
	{FaultInfo{"mux-stuck", "an ESXi host", "the Mux runs and passes nothing on", "restart the Mux on the ESXi host"},
		breakMux(unix.MuxStuck)},
	{FaultInfo{"mux-stopped", "an ESXi host", "the Mux does not run", "start or restart the Mux on the ESXi host"},
		breakMux(unix.MuxStopped)},
	{FaultInfo{"mux-hangs", "an ESXi host", "as mux-stuck, and the next restart never returns and leaves the Mux stopped", "restart the Mux once more"},
		breakMux(unix.MuxHangs)},
	{FaultInfo{"ssh-off", "an ESXi host", "its service TSM-SSH is stopped: nothing listens on its SSH port", "start TSM-SSH through the vCenter"},
		breakSSH},
	{FaultInfo{"lockdown", "an ESXi host", "lockdown mode (normal): SSH refuses root, whatever the key or password", "none: leaving lockdown mode is an administrator's decision, in the vCenter"},
		breakLockdown},
	{FaultInfo{"vcenter-readonly", "", "the vCenter's user may look at everything and change nothing", "none: an administrator gives the user's role the privileges"},
		func(l *Lab, _ string) error { l.vcenter.ReadOnly(true); return nil }},
	{FaultInfo{"mux-missing", "an ESXi host", "there is no Mux: the host is not prepared for Guest Introspection", "none here: deploying the service on its cluster is an administrator's work in NSX"},
		(*Lab).unprepare},
	{FaultInfo{"appliance-off", "an ESXi host or its appliance", "the appliance is powered off, as after a restart of a stateless host", "power it on in the vCenter"},
		(*Lab).switchOff},
	{FaultInfo{"appliance-moved", "an ESXi host or its appliance", "vMotion has taken the appliance to the next ESXi host: its own has none", "none here: moving it back is an administrator's work in the vCenter"},
		(*Lab).moveAppliance},
	{FaultInfo{"dsva-untrusted", "an ESXi host or its appliance", "the DSM refuses the certificate of the appliance: no heartbeat counts, and dsa_control -m says 403 with exit code 0", "activate the appliance in the DSM: an administrator's work"},
		(*Lab).distrust},
	{FaultInfo{"driver-stopped", "a guest", "vsepflt is stopped", "start vsepflt; a reboot or a repair of VMware Tools starts it, too"},
		breakGuest(windows.DriverStopped)},
	{FaultInfo{"tools-without-introspection", "a guest", "VMware Tools lack the feature FileIntrospection", "add FileIntrospection to VMware Tools"},
		breakGuest(windows.ToolsWithoutIntrospection)},
	{FaultInfo{"tools-broken", "a guest", "the feature is there and vsepflt runs, and it does not connect", "repair VMware Tools"},
		breakGuest(windows.ToolsBroken)},
	{FaultInfo{"tools-damaged", "a guest", "the driver's file is damaged: it fails to start with code 31", "repair VMware Tools"},
		breakGuest(windows.ToolsDamaged)},
	{FaultInfo{"disconnected", "a guest", "vsepflt runs and has lost its Mux (KB 320927)", "reboot the guest"},
		breakGuest(windows.Disconnected)},
	{FaultInfo{"driver-disabled", "a guest", "vsepflt is stopped and disabled", "enable vsepflt and start it; a repair of VMware Tools does both"},
		breakGuest(windows.DriverDisabled)},
	{FaultInfo{"installer-fails", "a guest", "every change of VMware Tools fails (1603) and is rolled back; the log names the driver", "none: an administrator's work in the guest"},
		breakGuest(windows.InstallerFails)},
	{FaultInfo{"installer-cancelled", "a guest", "somebody cancels the next change of VMware Tools (1602)", "none: the one after it goes through"},
		breakGuest(windows.InstallerCancelled)},
	{FaultInfo{"installer-reboots", "a guest", "a change of VMware Tools needs a reboot, and its package reboots the guest by itself, whatever it is told (1641)", "none: it does what it should besides"},
		breakGuest(windows.InstallerReboots)},
	{FaultInfo{"installer-wants-reboot", "a guest", "what a change of VMware Tools adds or repairs runs only after a reboot (3010)", "reboot the guest afterwards"},
		breakGuest(windows.InstallerWantsReboot)},
	{FaultInfo{"installer-other-version", "a guest", "the image of VMware Tools is of another version than what is installed (1638)", "none: an administrator upgrades VMware Tools"},
		breakGuest(windows.InstallerOtherVersion)},
	{FaultInfo{"tools-unregistered", "a guest", "Windows Installer has lost its record of VMware Tools (1605)", "any change of VMware Tools from the image"},
		breakGuest(windows.ToolsUnregistered)},
	{FaultInfo{"installer-busy", "a guest", "another installation runs in it, unmarked: the installer is refused (1618)", "time: it ends ten minutes after an installer has met it; installation-ends"},
		breakGuest(windows.InstallerBusy)},
	{FaultInfo{"installation-running", "a guest", "another installation runs in it, with its mark in the registry", "installation-ends"},
		breakGuest(windows.InstallationRunning)},
	{FaultInfo{"windows-update", "a guest", "Windows services itself: TrustedInstaller runs, and a change of VMware Tools meanwhile loses the driver vmci (KB 318796)", "installation-ends; after a change nevertheless, add VMCI"},
		breakGuest(windows.WindowsUpdate)},
	{FaultInfo{"installation-ends", "a guest", "nothing: whatever other installation there was in it has ended", "none, it is well"},
		breakGuest(windows.InstallationEnds)},
	{FaultInfo{"network-away", "a guest", "the next change of VMware Tools takes its network away for ten minutes, and ends meanwhile", "time"},
		breakGuest(windows.NetworkAway)},
	{FaultInfo{"network-stuck", "a guest", "the next change of VMware Tools takes its network away until it is booted", "reboot the guest in the vCenter"},
		breakGuest(windows.NetworkStuck)},
	{FaultInfo{"pending-reboot", "a guest", "Windows waits for a reboot; drivers that are installed meanwhile run only after it", "reboot the guest"},
		breakGuest(windows.PendingReboot)},
	{FaultInfo{"tools-media-absent", "a guest", "its CD drive is empty", "MountToolsInstaller in the vCenter"},
		putIn("")},
	{FaultInfo{"drive-busy", "a guest", "another image is in its CD drive, with a setup64.exe of its own; the vCenter refuses to put that of VMware Tools in", "none: whoever put it there takes it out"},
		putIn(otherImage)},
	{FaultInfo{"no-drive", "a guest", "the machine has no CD drive", "none: its owner's work; an installer in the guest does without"},
		removeDrive},
	{FaultInfo{"asleep", "a guest", "the guest is suspended; the DSM calls its engine offline", "resume it in the vCenter (power on)"},
		power(Suspended)},
	{FaultInfo{"standby", "a guest", "the guest sleeps in a machine that is powered on; the DSM calls its engine offline", "reset it in the vCenter; in reality, whoever uses it wakes it"},
		power(Standby)},
	{FaultInfo{"off", "a guest", "the guest is powered off", "power it on in the vCenter"},
		power(Off)},
	{FaultInfo{"lone-guest", "a guest or an ESXi host (its first guest)", "the other guests of the host are off, and vsepflt of this one is stopped: one machine cannot tell whether guest or host is ill", "start vsepflt of the guest"},
		(*Lab).leaveAlone},
	{FaultInfo{"moved", "a guest", "nothing: vMotion has taken it to the next ESXi host, where it stays", "none, it is well"},
		(*Lab).moveOn},
	{FaultInfo{"moves-meanwhile", "a guest", "nothing yet: vMotion takes it to the next ESXi host as soon as something is changed on it, on its host or on its appliance", "none, it is well"},
		(*Lab).moveWhenTouched},
	{FaultInfo{"policy-missing", "a guest", "the appliance has lost its policy, so no engine runs for it", "send its policy in the DSM"},
		(*Lab).losePolicy},
	{FaultInfo{"tag-missing", "a guest", "it has lost the tag that makes it a member of the protected group; the DSM does not call it protected any more", "give it the tag in NSX; the group follows half a minute later"},
		(*Lab).loseTag},
	{FaultInfo{"nsx-busy", "", "every third call of the NSX manager is answered 429", "none"},
		func(l *Lab, _ string) error { return l.onNSX(func() error { l.nsx.Busy(3); return nil }) }},
	{FaultInfo{"nsx-down", "", "nothing listens on the NSX manager's port", "none"},
		func(l *Lab, _ string) error {
			return l.onNSX(func() error { return l.nsxDoor.setManner(unreachable) })
		}},
	{FaultInfo{"dsm-stale", "", "the DSM learns nothing any more, and its communication times lie 26 hours back", "none: an administrator's work on the DSM"},
		func(l *Lab, _ string) error { l.setStale(true); return nil }},
	{FaultInfo{"everything-dark", "", "a central cause (policy, NSX Manager) keeps every engine offline", "none on a host or a guest: an administrator's work on the NSX Manager"},
		func(l *Lab, _ string) error { l.setDark(true); return nil }},
	{FaultInfo{"dsm-busy", "", "every third call of the DSM's REST API is answered 429", "none"},
		func(l *Lab, _ string) error { l.dsm.Busy(3); return nil }},
	{FaultInfo{"dsm-down", "", "nothing listens on the DSM's port", "none"},
		func(l *Lab, _ string) error { return l.dsmDoor.setManner(unreachable) }},
	{FaultInfo{"dsm-errors-stay", "", "an error that the DSM has shown of a guest stays shown after its cause is gone, as the real console may do", "clear it in the DSM (hostClearWarningsErrors)"},
		dsmManner(func(m *dsm.Manners) { m.ErrorsStay = true })},
	{FaultInfo{"dsm-errors-return", "", "an error that somebody clears is shown again after the next heartbeat, whatever that says of the engine", "none: an administrator's work on the DSM"},
		dsmManner(func(m *dsm.Manners) { m.ErrorsStay, m.ErrorsReturn = true, true })},
	{FaultInfo{"dsm-soap-off", "", "the web service of the DSM is switched off: SOAP is answered 403", "switch it on in the DSM: an administrator's work"},
		dsmManner(func(m *dsm.Manners) { m.SOAPOff = true })},
	{FaultInfo{"dsm-sessions-end", "", "a SOAP session of the DSM ends after four calls, in the middle of work", "none"},
		dsmManner(func(m *dsm.Manners) { m.CallsPerLogin = 4 })},
	{FaultInfo{"dsm-sessions-full", "", "somebody else's sessions of the same user are at the DSM's limit: no login is taken", "end them: an administrator's work on the DSM"},
		dsmManner(func(m *dsm.Manners) { m.Crowded = true })},
	{FaultInfo{"dsm-locked", "", "somebody else's wrong passwords have locked the DSM's accounts", "dsm_c -action unlockout: an administrator's work on the DSM"},
		func(l *Lab, _ string) error { l.dsm.Lock(); return nil }},
	{FaultInfo{"dsm-yesterday", "", "hostGetStatus of the DSM goes on answering what it knew, heard 26 hours ago; everything else is up to date", "none: an administrator's work on the DSM"},
		func(l *Lab, _ string) error { l.dsm.Yesterday(staleAge); return nil }},
	{FaultInfo{"licence-expired", "", "the licence of anti-malware has ended: every security update fails for it, in words that are not sourced", "enter a new activation code: an administrator's work on the DSM"},
		dsmManner(func(m *dsm.Manners) { m.Unlicensed = true })},
	{FaultInfo{"update-intercepted", "", "the proxy signs TLS to the update server anew, with an authority that the relay does not know", "exempt the server on the proxy (its owner's work); a source URL that ends in // hides it"},
		onProxy(func(m *update.Manner, _ *Lab) { m.Intercept = true })},
	{FaultInfo{"update-proxy-auth", "", "the proxy wants a login that the relay does not have (407)", "give the relay the login, or free it of it on the proxy: an administrator's work"},
		onProxy(func(m *update.Manner, l *Lab) { m.User, m.Password = relayUser, l.keys.proxy })},
	{FaultInfo{"update-dns", "", "the proxy's name server does not know the update server", "none on the DSM: its owner's work on the proxy"},
		onProxy(func(m *update.Manner, _ *Lab) { m.Deaf = true })},
	{FaultInfo{"update-proxy-hangs", "", "the proxy takes connections to the update server and never answers", "none on the DSM: its owner's work on the proxy"},
		onProxy(func(m *update.Manner, _ *Lab) { m.Hang = true })},
	{FaultInfo{"update-signature-expired", "", "the build of the relay knows only a signing certificate that ended on 2025-09-25 (KA-0016311)", "upgrade the relay"},
		func(l *Lab, _ string) error { l.updates.relay.Age(update.Expired); return nil }},
	{FaultInfo{"relay-old", "", "the old build of the relay goes on using a stale signature (KA-0012761)", "upgrade the relay"},
		(*Lab).ageRelay},
	{FaultInfo{"update-setting-ignored", "", "the DSM answers 200 to every change of a system setting and changes nothing", "none: an administrator's work on the DSM"},
		func(l *Lab, _ string) error { l.dsm.IgnoreSettings(true); return nil }},
	{FaultInfo{"unreachable", "any system", "nothing listens on its port", "none"}, manners(unreachable)},
	{FaultInfo{"silent", "any system", "its port accepts connections and never answers", "none"}, manners(silent)},
	{FaultInfo{"wrong-host-key", "an ESXi host or an appliance", "it shows another SSH host key", "none"}, manners(wrongHostKey)},
	{FaultInfo{"wrong-password", "a guest", "it refuses the password", "none"}, manners(wrongPassword)},
}

// Faults lists what Inject knows.
func Faults() []FaultInfo {
	list := make([]FaultInfo, len(faults))
	for i, f := range faults {
		list[i] = f.FaultInfo
	}
	return list
}

func faultNames() []string {
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = f.Name
	}
	return names
}
