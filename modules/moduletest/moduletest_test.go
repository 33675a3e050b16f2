package moduletest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dsplay/dsplay/engine"
)

// toggle is a module that does what a case of this test wants it to do wrong.
type toggle struct {
	Wrong string `hcl:"wrong,optional" doc:"What to do wrong."`
}

type toggled struct {
	On bool `hcl:"on" doc:"Whether it is on."`
}

func module() engine.Module {
	return engine.Module{Name: "toggle", New: func() any { return &toggle{} }, Result: toggled{}}
}

func (x *toggle) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	out, err := host.Run(ctx, engine.Command{Shell: "state"})
	if err != nil || strings.TrimSpace(out.Stdout) == "on" {
		d := engine.Diff{Note: "it is on"}
		if x.Wrong == "silent" {
			d.Note = ""
		}
		return d, err
	}
	return engine.Diff{Changes: []engine.Change{{What: "it", Before: "off", After: "on"}}, Commands: []string{"on"}}, nil
}

func (x *toggle) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	switch x.Wrong {
	case "unannounced":
		_, _ = host.Do(ctx, engine.Command{Shell: "format c:"}) // the harness must not need the error
	case "idle":
		return toggled{true}, nil
	case "type":
		_, err := host.Do(ctx, engine.Command{Shell: "on"})
		return struct{}{}, err
	}
	_, err := host.Do(ctx, engine.Command{Shell: "on"})
	return toggled{true}, err
}

const good = `host posix
change it: off -> on
command on
result {"on":true}
answer state
in start
| off
answer on
then on
answer state
in on
| on
`

// TestHarness shows that each mistake of a module or of a case is found, and that a right one passes.
func TestHarness(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"right":            {good, ""},
		"not announced":    {"arg wrong \"unannounced\"\n" + good, "did not announce: format c:"},
		"not foreseen":     {strings.Replace(good, "answer on\nthen on", "answer off\nthen on", 1), "did not foresee: on"},
		"never asked":      {good + "answer reboot\n", "never asked, or not as often as the case says: reboot"},
		"asked too often":  {good + "times 3\n", "never asked, or not as often as the case says: state"},
		"nothing done":     {"arg wrong \"idle\"\n" + good, "still a difference"},
		"other commands":   {strings.Replace(good, "command on", "command on -f", 1), "Check gives"},
		"other change":     {strings.Replace(good, "off -> on", "on -> off", 1), "Check gives"},
		"other result":     {strings.Replace(good, `{"on":true}`, `{"on":false}`, 1), "result: on is true"},
		"undeclared type":  {"arg wrong \"type\"\n" + good, "not what the module declares"},
		"an error":         {strings.Replace(good, "then on", "then on\nexit 1", 1), "unexpected error"},
		"no error":         {"error boom\n" + good, "no error"},
		"silent no-op":     {"host posix\narg wrong \"silent\"\nanswer state\n| on\n", "no note"},
		"noted no-op":      {"host posix\nnote it is on\nanswer state\n| on\n", ""},
		"secret not there": {strings.Replace(good, "then on", "then on\nstdin hunter2", 1), "standard input"},
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, test.text)
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{}
				c.run(t.Context(), r, module())
				switch text := strings.Join(r.said, "\n"); {
				case test.want == "" && text != "":
					t.Errorf("it fails: %s", text)
				case !strings.Contains(text, test.want):
					t.Errorf("it says %q, want %q", text, test.want)
				}
			})
		})
	}
}

// TestMistakesInCases shows that a misspelt case file is no silent pass.
func TestMistakesInCases(t *testing.T) {
	for _, text := range []string{"hosts posix\n", "host posix\nchange it\n", "host posix\nanswer x\nexits 1\n", "note x\n"} {
		path := filepath.Join(t.TempDir(), "case.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(path); err == nil {
			t.Errorf("accepted: %q", text)
		}
	}
}

func parse(t *testing.T, text string) *testCase {
	t.Helper()
	path := filepath.Join(t.TempDir(), "case.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type recorder struct{ said []string }

func (r *recorder) Helper()                      {}
func (r *recorder) Error(args ...any)            { r.said = append(r.said, fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) { r.said = append(r.said, fmt.Sprintf(f, args...)) }
func (r *recorder) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (r *recorder) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
