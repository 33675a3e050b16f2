package windows

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// powershell runs "powershell.exe -Command TEXT" or -EncodedCommand, as far as expression.go, psscript.go and psfiles.go understand
// the text. For everything else it says that it is not simulated, and fails.
func (g *Guest) powershell(ctx context.Context, p *cmdexe.Process) uint32 {
	text := script(p.Argv)
	if code, known := g.fileScript(ctx, p, text); known {
		return code
	}
	if s, inner, ok, err := framed(text, p.Stdin); err != nil {
		return g.fail(p, 1, "%s", err)
	} else if ok {
		s.guest, s.p = g, p
		return s.run(ctx, inner)
	}
	for _, statement := range strings.Split(text, ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		e := &expression{guest: g, process: p, rest: statement}
		value, err := e.whole()
		var failure *psError
		switch {
		case errors.As(err, &failure):
			return g.fail(p, 1, "%s", failure.text)
		case err != nil:
			return g.fail(p, 1, "powershell is not simulated beyond expressions of times: %s: %.300s", err, text)
		}
		line(p, "%v", value)
	}
	return 0
}

// fileTime counts 100 ns since 1601.
func fileTime(t time.Time) int64 { return t.UnixNano()/100 + 116444736000000000 }

// script finds what powershell.exe shall run among its arguments; it is empty for a file or an interactive one.
func script(argv []string) string {
	for i := 0; i < len(argv); i++ {
		switch flag := strings.ToLower(strings.Replace(argv[i], "/", "-", 1)); {
		case strings.HasPrefix("-command", flag) && len(flag) > 1:
			return strings.TrimSpace(strings.Join(argv[i+1:], " "))
		case strings.HasPrefix("-encodedcommand", flag) && len(flag) > 1 || flag == "-ec":
			return decodeScript(at(argv, i+1))
		case strings.HasPrefix(flag, "-ex") || flag == "-ep" || strings.HasPrefix(flag, "-out") || strings.HasPrefix(flag, "-in"):
			i++
		case !strings.HasPrefix(flag, "-"):
			return strings.TrimSpace(strings.Join(argv[i:], " "))
		}
	}
	return ""
}

func decodeScript(text string) string {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(data[i:]))
	}
	return strings.TrimSpace(string(utf16.Decode(units)))
}

// zone is the time zone of the guest: Japan for a Japanese one, else UTC.
func (g *Guest) zone() *time.Location {
	if g.cfg.Japanese {
		return time.FixedZone("JST", 9*60*60)
	}
	return time.UTC
}

// wmic is "wmic os get lastbootuptime [/value]", with the odd line ends of wmic.
func (g *Guest) wmic(_ context.Context, p *cmdexe.Process) uint32 {
	words := strings.ToLower(strings.Join(p.Argv, " "))
	if !strings.HasPrefix(words, "os get lastbootuptime") {
		return g.fail(p, 1, "wmic %s is not simulated", words)
	}
	g.mu.Lock()
	boot := g.bootTime.In(g.zone())
	g.mu.Unlock()
	_, offset := boot.Zone()
	stamp := fmt.Sprintf("%s%+04d", boot.Format("20060102150405.000000"), offset/60)
	if strings.Contains(words, "/value") || strings.Contains(words, "/format:list") {
		fmt.Fprintf(p.Stdout, "\r\r\n\r\r\nLastBootUpTime=%s\r\r\n\r\r\n\r\r\n\r\r\n", stamp)
	} else {
		fmt.Fprintf(p.Stdout, "LastBootUpTime             \r\r\n%s  \r\r\n\r\r\n", stamp)
	}
	return 0
}
