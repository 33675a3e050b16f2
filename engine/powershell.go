package engine

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// How powershell.exe is called, as the beginning of a command line. No profile and no question may come in between.
// -ExecutionPolicy is left as the host has it: it does not concern a script that is no file, and loosening it for what the
// script loads is the script's to say. With -InputFormat None it does not touch its standard input; without, it waits for
// the end of it before it ends, which over WinRM costs a second and one more request.
const (
	PowerShellWithInput = "powershell.exe -NoProfile -NonInteractive "
	PowerShell          = PowerShellWithInput + "-InputFormat None "
)

// PowerShellCommand is a script of one line that gets no input, in clear, so that a plan shows it as it is.
func PowerShellCommand(script string) Command {
	return Command{Argv: append(strings.Fields(PowerShell), "-Command", script)}
}

// PowerShellOf gives what a command line hands to PowerShell by -EncodedCommand, so that a person can read it; ok is false for
// a line that has none.
func PowerShellOf(line string) (script string, ok bool) {
	_, text, found := strings.Cut(line, " -EncodedCommand ")
	text, _, _ = strings.Cut(text, " ")
	data, err := base64.StdEncoding.DecodeString(text)
	if !found || err != nil || len(data) == 0 || len(data)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	script = string(utf16.Decode(units))
	if strings.ContainsRune(script, utf8.RuneError) {
		return "", false
	}
	return script, true
}
