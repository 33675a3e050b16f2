package windows

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// writeLog writes the log of /l*v as the Windows Installer does: UTF-16 with a byte order mark.
func (g *Guest) writeLog(r request, code uint32) {
	if r.log == "" {
		return
	}
	text := fmt.Sprintf("=== Verbose logging started: %s ===\r\n", time.Now().Format("1/2/2006  15:04:05"))
	g.mu.Lock()
	_, _, err := g.target(r)
	fails := g.tools.quirks.fails
	g.mu.Unlock()
	switch {
	case err != nil:
		text += fmt.Sprintf("Product: VMware Tools -- %v\r\n", err)
	case fails:
		text += g.failureLog()
	}
	outcome := "Configuration completed successfully."
	if code == msiFatal {
		outcome = "Configuration failed."
	}
	text += fmt.Sprintf("%sProduct: VMware Tools -- %s\r\nMainEngineThread is returning %d\r\n", engine("C4"), outcome, code)
	data := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(text)) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	_ = g.disk.Write(r.log, data) // without its folder there is no log
}

// option takes one property of the installer's command line.
func (r *request) option(property string) {
	name, list, ok := strings.Cut(property, "=")
	if !ok {
		return
	}
	items := slices.DeleteFunc(strings.Split(strings.Trim(list, `"`), ","), func(s string) bool { return s == "" })
	switch strings.ToUpper(name) {
	case "ADDLOCAL":
		r.add = items
	case "REMOVE":
		r.remove = items
		r.uninstall = slices.Contains(items, "ALL")
	case "REINSTALL":
		r.reinstall = items
	case "REBOOT":
		how := strings.ToUpper(list)
		r.restart = !strings.HasPrefix(how, "R") && !strings.HasPrefix(how, "S") // ReallySuppress, Suppress
	}
}

// engine is what stands before many lines: process, thread and time.
func engine(thread string) string {
	return fmt.Sprintf("MSI (s) (A4:%s) [%s:123]: ", thread, time.Now().Format("15:04:05"))
}

// failureLog is how a verbose log tells of a custom action that failed. The two lines that end an action are in the language of
// Windows (medium); the number of the error and its text are invented.
func (g *Guest) failureLog() string {
	now, ended := time.Now().Format("15:04:05"), "Action ended %s: %s. Return value %d.\r\n"
	if g.cfg.Japanese {
		ended = "アクション終了 %s: %s。戻り値 %d。\r\n"
	}
	return fmt.Sprintf(ended, now, "InstallInitialize", 1) +
		engine("50") + "Executing op: CustomActionSchedule(Action=VM_InstallVSEPFLT,ActionType=3073,Source=BinaryData,Target=VMInstallDriver)\r\n" +
		engine("50") + "Product: VMware Tools -- Error 28021. Setup failed to install the driver vsepflt: access is denied.\r\n" +
		"CustomAction VM_InstallVSEPFLT returned actual error code 1603 (note this may not be 100% accurate if translation happened inside sandbox)\r\n" +
		fmt.Sprintf(ended, now, "InstallFinalize", 3) + fmt.Sprintf(ended, now, "INSTALL", 3)
}
