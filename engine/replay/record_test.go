package replay_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/replay"
)

const (
	began = `{"v":1,"run":"r1","seq":1,"kind":"run_start","title":"p.hcl","args":[{"name":"a","value":"1"}]}
{"v":1,"run":"r1","kind":"play_start","pass":"plan","play":"look"}
{"v":1,"run":"r1","kind":"host_end","pass":"plan","play":"look","host":"h1","status":"ok"}
{"v":1,"run":"r1","kind":"host_end","pass":"plan","host":"asked","status":"unreachable"}
{"v":1,"run":"r1","kind":"play_end","pass":"plan","play":"look"}
`
	ended   = `{"v":1,"run":"r1","kind":"run_end"}` + "\n"
	another = `{"v":1,"run":"r2","kind":"play_start","pass":"apply","play":"act"}` + "\n"
)

func TestRead(t *testing.T) {
	r, err := replay.Read(strings.NewReader(began + ended))
	if err != nil {
		t.Fatal(err)
	}
	if r.Run != "r1" || r.Playbook != "p.hcl" || len(r.Vars) != 1 || r.Cut || r.Pass() != "plan" {
		t.Errorf("got %+v", r)
	}
	if plays, hosts := r.Plays("plan"), r.Hosts("plan", ""); len(plays) != 1 || plays[0] != "look" || len(hosts) != 1 || hosts[0] != "h1" {
		t.Errorf("plays %v, hosts %v", plays, hosts)
	}
}

// A killed run leaves half a line; two runs in one file are the last of them.
func TestReadWhatWasCutAndTwoRuns(t *testing.T) {
	r, err := replay.Read(strings.NewReader(began + `{"v":1,"run":"r1","ki`))
	if err != nil || !r.Cut || len(r.Plays("plan")) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	r, err = replay.Read(strings.NewReader(began + ended + another))
	if err != nil || r.Run != "r2" || r.Pass() != "apply" || r.Plays("plan") != nil || r.Vars != nil {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "there is no event in it",
		"play \"p\" {}\n":                      "line 1 is no event",
		"{\"a\": 1}\n":                         "line 1 is no event",
		began + "Looking\n":                    "line 6 is no event",
		`{"v":2,"run":"r","kind":"run_start"}`: "version 2",
	} {
		if _, err := replay.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
