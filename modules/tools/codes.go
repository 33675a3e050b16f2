package tools

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Exit codes of Windows Installer that are no failure (winerror.h, ERROR_SUCCESS_REBOOT_…), and the one that says that it has
// not begun (ERROR_INSTALL_ALREADY_RUNNING).
const (
	rebootRequired = 3010
	rebooting      = 1641
	alreadyRunning = 1618
	// noProgram is what cmd.exe gives for a program that it does not find.
	noProgram = 9009
)

// codes are the exit codes of Windows Installer that say what to do.
var codes = map[int]struct{ meaning, hint string }{
	1601:           {"Windows Installer cannot be reached", "start the service msiserver in the guest"},
	1602:           {"the installation was cancelled", "somebody did that in the guest: ask, then run again"},
	1603:           {"fatal error during the installation", "mend what the log names; without a line from it, search the log for \"Return value 3\": the lines before it name the action that failed"},
	1605:           {"this product is not installed", "its registration is damaged: repair with installer = \"media\", or with the installer of the same version"},
	1612:           {"the source of the installation is not there any more", "put the image of VMware Tools into the drive (vm_tools_media) and say installer = \"media\""},
	alreadyRunning: {"another installation is running in the guest", `wait for it (Windows Update?), then run again; retry { on = ["busy"] } does both`},
	1619:           {"the package cannot be opened", "is the image of VMware Tools still in the drive?"},
	1620:           {"the package is damaged", "use another image of VMware Tools"},
	1625:           {"a policy of the guest forbids the installation", "look at the group policies for Windows Installer"},
	1638:           {"another version of VMware Tools is installed", "use the installer of the version that is installed, or upgrade through vCenter"},
	1639:           {"the installer does not understand its arguments", "this version of VMware Tools may not know a feature that was asked for"},
	noProgram:      {"the installer was not found when it was to be started", "was the image of VMware Tools taken out of the drive meanwhile?"},
}

// verdict tells whether an exit code is a failure, and names it.
func verdict(ctx context.Context, host engine.Reader, code int, j job) error {
	switch code {
	case 0, rebootRequired, rebooting:
		return nil
	}
	e := &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "change VMware Tools", Msg: fmt.Sprintf("the installer ended with %d", code),
		Hint: "look at its log"}
	if c, ok := codes[code]; ok {
		e.Msg, e.Hint = fmt.Sprintf("%s (%d)", c.meaning, code), c.hint
	}
	if code == 1 && strings.HasPrefix(j.before, "copy ") {
		e.Msg, e.Hint = "the installer could not be copied from the share", "its file must be readable for the guest's computer account (DOMAIN\\NAME$), because the installer runs as SYSTEM"
	}
	if code == alreadyRunning {
		e.Kind = engine.KindBusy
		return e // it has not begun: there is no log
	}
	if lines := j.blame(ctx, host); len(lines) > 0 {
		e.Msg += "; its log says: " + strings.Join(lines, " · ")
	}
	e.Msg += "; its log in the guest: " + j.file(".log")
	return e
}

// told are the parts of lines in a verbose log of Windows Installer that name what failed: the action that returned 3, the code
// of a custom action, and errors with a number. Windows Installer writes the first one in the language of Windows (medium).
var told = []string{"Return value 3.", "returned actual error code", "-- Error "}

const (
	toldLines  = 4
	toldLength = 240
)

// stamp is what stands before the text of many lines: "MSI (s) (A4:50) [10:11:12:345]: ".
var stamp = regexp.MustCompile(`^MSI \([a-z]\) \([0-9A-Fa-f:!]+\) \[[0-9:]+\]: `)

// blame reads the lines of the log that name what failed, the first ones. The log is UTF-16, which type turns into what
// findstr understands. What cannot be read is left out: the exit code alone is a verdict.
func (j job) blame(ctx context.Context, host engine.Reader) []string {
	out, err := host.Run(ctx, engine.Command{AnyOK: true, Shell: "type " + j.file(".log") + ` 2>nul | findstr.exe /c:"` + strings.Join(told, `" /c:"`) + `"`})
	if err != nil {
		return nil
	}
	var lines []string
	for _, line := range strings.Split(out.Stdout, "\n") {
		line = strings.TrimSpace(stamp.ReplaceAllString(strings.TrimSpace(line), ""))
		if line == "" || len(lines) == toldLines {
			continue
		}
		if r := []rune(line); len(r) > toldLength {
			line = string(r[:toldLength-1]) + "…"
		}
		lines = append(lines, line)
	}
	return lines
}
