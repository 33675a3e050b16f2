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
	g.mu.Unlock()
	if err != nil {
		text += fmt.Sprintf("Product: VMware Tools -- %v\r\n", err)
	}
	outcome := "Configuration completed successfully."
	if code == msiFatal {
		outcome = "Configuration failed."
	}
	text += fmt.Sprintf("Product: VMware Tools -- %s\r\nMainEngineThread is returning %d\r\n", outcome, code)
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
