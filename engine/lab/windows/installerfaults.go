package windows

import (
	"time"
)

// Faults of the installer that Break knows besides those of the guest, and what ends each. A fault of the installer meets
// whatever changes VMware Tools, and does not show before.
const (
	// InstallerFails: every change is rolled back (1603); the log names the driver. Nothing in the guest heals it.
	InstallerFails = "installer-fails"
	// InstallerCancelled: somebody cancels the next change (1602).
	InstallerCancelled = "installer-cancelled"
	// InstallerReboots: a change needs a reboot, and the package does it by itself whatever REBOOT says (1641).
	InstallerReboots = "installer-reboots"
	// InstallerWantsReboot: what a change adds or repairs runs only after a reboot (3010).
	InstallerWantsReboot = "installer-wants-reboot"
	// InstallerOtherVersion: the image is of another version than what is installed (1638).
	InstallerOtherVersion = "installer-other-version"
	// ToolsUnregistered: Windows Installer has lost its record of Tools: msiexec gives 1605. Setup from the image heals it.
	ToolsUnregistered = "tools-unregistered"
	// InstallerBusy: another installation runs, without a mark in the registry; the installer answers 1618. It ends ten lab
	// minutes after an installer has met it, or by InstallationEnds.
	InstallerBusy = "installer-busy"
	// InstallationRunning: another installation runs, and its mark stands in the registry. It ends by InstallationEnds.
	InstallationRunning = "installation-running"
	// WindowsUpdate: TrustedInstaller runs; a change meanwhile loses the driver vmci (KB 318796). It ends by InstallationEnds.
	WindowsUpdate = "windows-update"
	// InstallationEnds is no fault: those three are over.
	InstallationEnds = "installation-ends"
	// NetworkAway: the next change takes the network away for ten lab minutes, long after the installer has ended.
	NetworkAway = "network-away"
	// NetworkStuck: the next change takes the network away until the guest is booted.
	NetworkStuck = "network-stuck"
)

// quirks are what is wrong with the installer.
type quirks struct {
	fails, cancelled, reboots, wantsReboot, otherVersion, unregistered, cuts, away bool
	busy                                                                           bool      // 1618
	busyUntil                                                                      time.Time // real time; zero: nobody has met it
	marked                                                                         bool      // the mark of an installation that runs
}

// meets is how long another installation goes on after somebody met it.
const meets = 10 * time.Minute

// breakInstaller brings a fault of the installer about; ok is false when it is none. g.mu is held.
func (g *Guest) breakInstaller(fault string) (ok bool) {
	q := &g.tools.quirks
	switch fault {
	case InstallerFails:
		q.fails = true
	case InstallerCancelled:
		q.cancelled = true
	case InstallerReboots:
		q.reboots = true
	case InstallerWantsReboot:
		q.wantsReboot = true
	case InstallerOtherVersion:
		q.otherVersion = true
	case ToolsUnregistered:
		q.unregistered = true
	case NetworkStuck:
		q.cuts = true
	case NetworkAway:
		q.away = true
	case InstallerBusy:
		q.busy, q.busyUntil = true, time.Time{}
	case InstallationRunning:
		q.busy, q.marked, q.busyUntil = true, true, time.Now().Add(time.Hour)
	case WindowsUpdate:
		g.runs(g.find("TrustedInstaller"), time.Now())
	case InstallationEnds:
		q.busy, q.marked = false, false
		s := g.find("TrustedInstaller")
		s.state, s.exit, s.pid = stopped, 0, 0
	default:
		return false
	}
	return true
}

// occupied tells whether another installation keeps ours out; whoever asks has met it. g.mu is held.
func (g *Guest) occupied() bool {
	q := &g.tools.quirks
	if q.busy && q.busyUntil.IsZero() {
		q.busyUntil = time.Now().Add(g.cfg.Clock.Real(meets))
	}
	return g.tools.installing || q.busy && time.Now().Before(q.busyUntil)
}

// refusal is the code with which an installer ends before it changes anything; 0: it goes on. g.mu is held.
func (g *Guest) refusal(setup bool) uint32 {
	q := &g.tools.quirks
	switch {
	case q.cancelled:
		q.cancelled = false
		return msiCancelled
	case q.otherVersion && setup:
		return msiOtherVersion
	}
	return 0
}

// outage is for how long this change takes the network away.
func (g *Guest) outage() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tools.quirks.away {
		g.tools.quirks.away = false
		return 10 * time.Minute
	}
	return networkAway
}

// updating tells whether Windows services itself. g.mu is held.
func (g *Guest) updating() bool { return g.running("trustedinstaller") }

// mark is where Windows Installer tells that an installation is in progress.
const mark = hive + `SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress`
