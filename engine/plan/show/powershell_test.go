package show

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// A script is shown as it was written, and what stands encoded on a command line is decoded beside it.
func TestPowerShellIsReadable(t *testing.T) {
	b := &builder{d: head()}
	b.host("guest1", "10.1.1.1", "winrm", "guests", "", nil)
	b.play(plan.Play{Name: "p", Place: "p.hcl:1:1", Acts: true, Hosts: []string{"guest1"}})
	b.add("p", "guest1", "guest1", "step.x", plan.Item{Module: "powershell", Disposition: plan.WillRun,
		Args: []engine.Arg{{Name: "script", Value: `"first <b>\nsecond\n"`}, {Name: "stdin", Value: `"a"`}},
		Diff: engine.Diff{Opaque: true, Commands: []string{"powershell.exe -EncodedCommand 6wBBAAoAPABCABsAPgA=", "sc.exe start x"}}})
	for format, want := range map[string][]string{
		"text":     {"script =\n", "| first <b>\n", "| second\n", "stdin = \"a\"", "        which PowerShell decodes to:\n        | ëA\n        | <B"},
		"markdown": {"which PowerShell decodes to:\n\n```\nëA\n<B"},
		"html":     {"which PowerShell decodes to:", ">ëA\n</span>", "&lt;B"},
	} {
		got := shown(t, b.d, format, "en")
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("%s: no %q in\n%s", format, text, got)
			}
		}
		if strings.Contains(got, "\x1b") || strings.Count(got, "decodes to") > 2 {
			t.Errorf("%s: %s", format, got)
		}
	}
}
