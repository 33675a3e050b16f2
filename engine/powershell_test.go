package engine_test

import (
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

func TestPowerShellOf(t *testing.T) {
	for line, want := range map[string]string{
		"powershell.exe -NoProfile -EncodedCommand ZQB4AGkAdAAgADEA": "exit 1",
		"set A=1&powershell -EncodedCommand 6wBBAAoAQgA= & echo":     "ëA\nB",
		"powershell.exe -EncodedCommand PdgC3g==":                    "\U0001f602",
		"powershell.exe -EncodedCommand nonsense!":                   "",
		"powershell.exe -EncodedCommand ":                            "",
		"powershell.exe -EncodedCommand AAA=":                        "\x00",
		"powershell.exe -EncodedCommand PdgA":                        "",
		"powershell.exe -EncodedCommand Pdg=":                        "",
		"powershell.exe -Command Get-Date":                           "",
		"echo -EncodedCommand":                                       "",
		"sc.exe query vsepflt":                                       "",
	} {
		if got, ok := engine.PowerShellOf(line); got != want && ok || ok != (want != "") {
			t.Errorf("%s: %q, %v", line, got, ok)
		}
	}
}

// A plan shows the script as it is, and what gets no input does not wait for the end of it.
func TestPowerShellCommand(t *testing.T) {
	want := []string{"powershell.exe", "-NoProfile", "-NonInteractive", "-InputFormat", "None", "-Command", `Get-Item "x"`}
	if c := engine.PowerShellCommand(`Get-Item "x"`); !slices.Equal(c.Argv, want) || c.Shell != "" {
		t.Errorf("%+v", c)
	}
}
