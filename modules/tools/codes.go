package tools

import (
	"fmt"

	"github.com/dsplay/dsplay/engine"
)

// Exit codes of Windows Installer that are no failure (winerror.h, ERROR_SUCCESS_REBOOT_…).
const (
	rebootRequired = 3010
	rebooting      = 1641
)

// codes are the exit codes of Windows Installer that say what to do.
var codes = map[int]struct{ meaning, hint string }{
	1601: {"Windows Installer cannot be reached", "start the service msiserver in the guest"},
	1602: {"the installation was cancelled", "somebody did that in the guest: ask, then run again"},
	1603: {"fatal error during the installation", "search the log for \"Return value 3\": the lines before it name the action that failed"},
	1605: {"this product is not installed", "its registration is damaged: repair with installer = the image of the same version"},
	1612: {"the source of the installation is not there any more", "connect the image of VMware Tools to the guest and name its setup64.exe as installer"},
	1618: {"another installation is running in the guest", "wait for it (Windows Update?), then run again; a retry block does both"},
	1619: {"the package cannot be opened", "is the image of VMware Tools still connected?"},
	1620: {"the package is damaged", "use another image of VMware Tools"},
	1625: {"a policy of the guest forbids the installation", "look at the group policies for Windows Installer"},
	1638: {"another version of VMware Tools is installed", "use the image of the version that is installed, or upgrade through vCenter"},
	1639: {"the installer does not understand its arguments", "this version of VMware Tools may not know a feature that was asked for"},
}

// verdict tells whether an exit code is a failure, and names it.
func verdict(host engine.Reader, code int, j job) error {
	switch code {
	case 0, rebootRequired, rebooting:
		return nil
	}
	e := &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "change VMware Tools", Msg: fmt.Sprintf("the installer ended with %d", code),
		Hint: "look at its log"}
	if c, ok := codes[code]; ok {
		e.Msg, e.Hint = fmt.Sprintf("%s (%d)", c.meaning, code), c.hint
	}
	e.Msg += "; its log in the guest: " + j.file(".log")
	return e
}
