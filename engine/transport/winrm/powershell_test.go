package winrm_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// encoded runs a script by -EncodedCommand: base64 of UTF-16 (about_PowerShell_exe).
func encoded(script string) engine.Command {
	var data []byte
	for _, unit := range utf16.Encode([]rune(script)) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return engine.Command{Argv: []string{"powershell", "-NoProfile", "-NonInteractive", "-EncodedCommand", base64.StdEncoding.EncodeToString(data)}}
}

// powershell knows one sentence of PowerShell, by which the suite makes it print texts: how it reads single quotes is
// that of about_Quoting_Rules and of the language's specification 2.3.5.2: five characters are single quotes, any of
// them ends a string, and any two in a row are one, the second of the two.
func powershell(c *cmdexe.Process) uint32 {
	data, err := base64.StdEncoding.DecodeString(c.Argv[len(c.Argv)-1])
	if err != nil {
		fmt.Fprintln(c.Stderr, err)
		return 1
	}
	var units []uint16
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(data[i:]))
	}
	rest := string(utf16.Decode(units))
	for rest != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, "[Console]::Out.Write("); !ok {
			break
		}
		text, after := literal([]rune(rest))
		if rest, ok = strings.CutPrefix(after, " + [char]0);"); !ok {
			break
		}
		_, _ = io.WriteString(c.Stdout, text+"\x00")
	}
	if rest != "" {
		fmt.Fprintf(c.Stderr, "parser error at %.80s\n", rest)
		return 1
	}
	return 0
}

// literal reads a string in single quotes, and gives what stands after it.
func literal(text []rune) (value, rest string) {
	const quotes = "'\u2018\u2019\u201a\u201b"
	quote := func(i int) bool { return i < len(text) && strings.ContainsRune(quotes, text[i]) }
	if !quote(0) {
		return "", string(text)
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case quote(i) && quote(i+1):
			i++
		case quote(i):
			return b.String(), string(text[i+1:])
		}
		b.WriteRune(text[i])
	}
	return b.String(), ""
}
