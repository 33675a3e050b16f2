package machine

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// FuzzHost: what a host answers never ends the program.
func FuzzHost(f *testing.F) {
	f.Add("#< CLIXML\r\n<Objs><S S=\"Error\">x_x000A_</S></Objs>")
	f.Add("dsplay:numbers:-rwsr-xr-t+ 1 0 0 -10 Jan  1 00:00 /x\ndsplay:label:a b\ndsplay:sha256:x\ndsplay:time:-1\n")
	f.Add("dsplay:attributes:-1\r\ndsplay:size:-5\r\ndsplay:modified:99999999999999999\r\n")
	f.Add("dsplay:Linux:0::\n\x00\x01C0644 -1 ../../x\n\x02no")
	f.Add("dsplay:error:-2147024784:full")
	f.Fuzz(func(_ *testing.T, text string) {
		h := &Host{host: &engine.Host{Name: "h"}}
		_ = readCLIXML(text)
		_ = parseStat("/x", engine.Output{Stdout: text})
		_ = parseStatWindows(engine.FileInfo{}, text)
		_ = h.windowsError("x", engine.Output{Stdout: text})
		_, _ = h.parseSystem(engine.Output{Stdout: text})
		_ = lastLines(text)
		s := newSCP(nil, text, &source{}) //nolint:staticcheck // nothing waits
		for part := range strings.SplitSeq(text, "\n") {
			_, _ = s.Write([]byte(part))
		}
		_ = s.complaint()
		_, _ = (&decoded{to: &sink{w: &strings.Builder{}, source: &source{}, most: 1 << 20}}).Write([]byte(text))
	})
}
