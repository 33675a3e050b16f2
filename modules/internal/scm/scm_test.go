package scm_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/scm"
)

// FuzzParse: whatever a console makes of the labels, the numbers and constants are found; nothing panics.
func FuzzParse(f *testing.F) {
	f.Add("STATE             ", "TYPE             ", "vsepflt")
	f.Add("STATUS", "TYP", "fade")
	f.Add("状態", "種類", "1060")
	f.Fuzz(func(t *testing.T, state, kind, name string) {
		if strings.ContainsAny(state+kind+name, ":\n\r") {
			t.Skip()
		}
		text := "\r\nSERVICE_NAME: " + name + " \r\n        " + kind + " : 2  FILE_SYSTEM_DRIVER  \r\n        " +
			state + " : 4  RUNNING \r\n        X    : 31  (0x1f)\r\n"
		s, err := scm.Parse(engine.Output{Stdout: text})
		if err != nil || !s.Exists || s.State != scm.Running || s.Word != "RUNNING" || s.Exit != 31 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestFailedNamesCodes(t *testing.T) {
	err := scm.Failed("start x", engine.Output{Code: 577})
	if !strings.Contains(err.Error(), "signature") || engine.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if err := scm.Failed("start x", engine.Output{Code: 4242, Stdout: "[SC]  what\r\n"}); !strings.Contains(err.Error(), "4242: [SC] what") {
		t.Errorf("%v", err)
	}
}
