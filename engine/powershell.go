package engine

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
