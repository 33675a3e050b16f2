package run

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// drive plays a playbook of one play against Decide: fail tells which hosts fail.
func drive(t *testing.T, target engine.Target, planning bool, fail string) (order string, s State) {
	t.Helper()
	spec := Spec{Items: []engine.Item{{Play: &engine.Play{Name: "p"}}}, Planning: planning}
	s, c := Decide(spec, State{}, Happened{Begin: true})
	var trace []string
	for range 100 {
		switch {
		case c.Finish:
			return strings.Join(trace, " "), s
		case c.Target != nil:
			s, c = Decide(spec, s, Happened{Target: &target})
		case c.Slice != nil:
			trace = append(trace, "["+strings.Join(c.Slice.Hosts, "")+fmt.Sprintf(":%d]", c.Slice.Budget))
			outcomes := []engine.Outcome{}
			for _, h := range c.Slice.Hosts {
				o := engine.Outcome{Host: h, Status: engine.HostOK}
				if strings.Contains(fail, h) {
					o.Status = engine.HostFailed
				}
				outcomes = append(outcomes, o)
			}
			s, c = Decide(spec, s, Happened{Outcomes: outcomes})
		case c.EndPlay != nil:
			for _, o := range c.EndPlay.Outcomes {
				trace = append(trace, o.Host+"="+string(o.Status))
			}
			s, c = Decide(spec, s, Happened{Ended: true})
		default:
			t.Fatalf("an empty command after %v", trace)
		}
	}
	t.Fatal("it does not end")
	return "", s
}

func TestDecideBatches(t *testing.T) {
	hosts := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}
	one, quarter := engine.Size{N: 1}, engine.Size{N: 25, Percent: true}
	none, two, third := engine.Size{N: 0}, engine.Size{N: 2}, engine.Size{N: 33, Percent: true}
	tests := []struct {
		name     string
		target   engine.Target
		planning bool
		fail     string
		want     string
		stop     StopKind
	}{
		{name: "no hosts", want: ""},
		{name: "all at once", target: engine.Target{Hosts: hosts[:3]}, want: "[abc:-1] a=ok b=ok c=ok"},
		{name: "failures without a limit", target: engine.Target{Hosts: hosts[:3]}, fail: "abc", want: "[abc:-1] a=failed b=failed c=failed"},
		{name: "percent rounds up, the last size repeats", target: engine.Target{Hosts: hosts, Batch: []engine.Size{one, quarter}},
			want: "[a:0] [bcd:0] [efg:0] [hi:0] a=ok b=ok c=ok d=ok e=ok f=ok g=ok h=ok i=ok"},
		{name: "batches allow no failure by default", target: engine.Target{Hosts: hosts[:4], Batch: []engine.Size{one}}, fail: "b",
			want: "[a:0] [b:0] a=ok b=failed c=not_attempted d=not_attempted", stop: StopThreshold},
		{name: "a limit across batches", target: engine.Target{Hosts: hosts[:6], Batch: []engine.Size{two}, MaxFailures: &two}, fail: "ace",
			want: "[ab:2] [cd:1] [ef:0] a=failed b=ok c=failed d=ok e=failed f=ok", stop: StopThreshold},
		{name: "the limit itself is fine", target: engine.Target{Hosts: hosts[:3], MaxFailures: &third}, fail: "a", want: "[abc:1] a=failed b=ok c=ok"},
		{name: "max_failures = 0", target: engine.Target{Hosts: hosts[:2], MaxFailures: &none}, fail: "a", want: "[ab:0] a=failed b=ok", stop: StopThreshold},
		{name: "planning has no batches", target: engine.Target{Hosts: hosts[:3], Batch: []engine.Size{one}}, planning: true, want: "[abc:0] a=ok b=ok c=ok"},
		{name: "unknown hosts", target: engine.Target{Waits: []string{"x/step.y"}}, want: "", stop: StopUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, s := drive(t, tt.target, tt.planning, tt.fail)
			if got != tt.want {
				t.Errorf("order\n got %s\nwant %s", got, tt.want)
			}
			var stop StopKind
			if s.Stop != nil {
				stop = s.Stop.Kind
			}
			if stop != tt.stop {
				t.Errorf("stop = %q, want %q", stop, tt.stop)
			}
		})
	}
}

func TestDecideStops(t *testing.T) {
	items := []engine.Item{{Locals: &engine.Locals{}}, {Check: &engine.Check{Name: "c"}}, {Play: &engine.Play{Name: "p"}}}
	planning := false
	at := func(item int, h Happened, warning bool) (State, Command) {
		items[1].Check.Warning = warning
		return Decide(Spec{Items: items, Planning: planning}, State{Item: item}, h)
	}
	bad := &engine.Judged{Message: "no engine is online"}
	if s, c := at(1, Happened{Judged: bad}, false); !c.Finish || s.Stop == nil || s.Stop.Kind != StopCheck || s.Stop.Reason != bad.Message {
		t.Errorf("a check that does not hold must stop the run: %+v %+v", s, c)
	}
	if s, c := at(1, Happened{Judged: bad}, true); s.Stop != nil || c.Target == nil {
		t.Errorf("a warning must not stop the run: %+v %+v", s, c)
	}
	if s, c := at(1, Happened{Judged: &engine.Judged{Unknown: true}}, false); !c.Finish || s.Stop == nil || s.Stop.Kind != StopCheck {
		t.Errorf("a check that nobody can judge must stop a run: %+v %+v", s, c)
	}
	planning = true
	if s, c := at(1, Happened{Judged: &engine.Judged{Unknown: true}}, false); s.Stop != nil || c.Target == nil {
		t.Errorf("an unknown check must not stop a plan: %+v %+v", s, c)
	}
	if s, c := at(0, Happened{Err: fmt.Errorf("x")}, false); !c.Finish || s.Stop.Kind != StopError {
		t.Errorf("an expression that fails at file level must stop the run: %+v %+v", s, c)
	}
	if s, c := at(0, Happened{Signal: true}, false); !c.Finish || s.Stop.Kind != StopSignal {
		t.Errorf("a signal must stop the run: %+v %+v", s, c)
	}
}
