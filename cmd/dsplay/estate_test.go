package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab"
	"github.com/rogpeppe/go-internal/testscript"
)

// asDsplay makes the test binary be dsplay, so that playbooks run as a process of their own.
const asDsplay = "DSPLAY_TEST_AS_DSPLAY"

func TestMain(m *testing.M) {
	if os.Getenv(asDsplay) != "" {
		main()
		return
	}
	if filepath.Base(os.Args[0]) == "dsplay" { // a process of a script, which has a folder of its own: see ownState
		testscript.Main(m, map[string]func(){"dsplay": main})
	}
	state, err := os.MkdirTemp("", "dsplay-state-")
	if err == nil {
		err = errors.Join(os.Setenv("XDG_STATE_HOME", state), os.Setenv("DSPLAY_LOCK_DIR", filepath.Join(state, "locks")))
	}
	if err != nil {
		panic(err)
	}
	sideBySide()
	testscript.Main(tidy{m, state}, map[string]func(){"dsplay": main})
}

// sideBySide: most tests wait for a lab, so more of them run at once than there are processors, unless the command line says. What
// labs and playbooks make in this process is short-lived garbage, which is collected as main does it, unless it is measured.
func sideBySide() {
	flag.Parse()
	if os.Getenv("GOGC") == "" && flag.Lookup("test.bench").Value.String() == "" {
		debug.SetGCPercent(400)
	}
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		_ = flag.Set("test.parallel", "12")
	}
}

// tidy removes the records of the runs that tests made.
type tidy struct {
	*testing.M
	state string
}

func (t tidy) Run() int {
	defer os.RemoveAll(t.state)
	return t.M.Run()
}

// TestScripts runs testdata/*.txtar: command lines, files and what has to come out. Adding a case is adding a file.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: ownState, Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits}})
}

// ownState gives every script a folder for the records of its runs.
func ownState(e *testscript.Env) error {
	e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, ".state"))
	e.Setenv("DSPLAY_LOCK_DIR", filepath.Join(e.WorkDir, ".locks"))
	return nil
}

// exits runs a command and wants its exit code: exits CODE COMMAND ARG…
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit %d, want %s", code, args[0])
	}
}

// estate is a lab and dsplay beside it.
type estate struct {
	*lab.Lab
	t    *testing.T
	seen int // lines received that no judgement is about any more
}

// forget makes what was received until now count no more.
func (e *estate) forget() { e.seen = len(e.Received()) }

// newEstate starts a lab in which a heartbeat of ten minutes takes a quarter of a second.
func newEstate(t *testing.T, o lab.Options) *estate {
	t.Helper()
	t.Parallel()
	return newSerialEstate(t, o)
}

// newSerialEstate is for tests that set the environment.
func newSerialEstate(t *testing.T, o lab.Options) *estate {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "lab")
	if o.Speed == 0 {
		o.Speed = 2400
	}
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &estate{Lab: l, t: t}
}

// impatient makes the connections of an estate give up soon: nothing in a lab takes long, but for what never answers.
func impatient(t *testing.T, l *lab.Lab) {
	t.Helper()
	e := estate{Lab: l, t: t}
	e.rewrite("inventory.hcl", strings.NewReplacer(
		"    kind     = ", "    connect_timeout = \"8s\"\n    request_timeout = \"8s\"\n    kind     = ",
		"    known_hosts = ", "    connect_timeout = \"8s\"\n    known_hosts = ",
		"    https    = ", "    connect_timeout = \"8s\"\n    https    = ").Replace)
}

func (e *estate) inject(faults ...lab.Fault) {
	e.t.Helper()
	for _, f := range faults {
		if err := e.Inject(f.Name, f.Target); err != nil {
			e.t.Fatal(err)
		}
	}
	if err := e.WaitHeartbeat(e.t.Context()); err != nil {
		e.t.Fatal(err)
	}
}

// outcome is what a process left.
type outcome struct {
	code           int
	stdout, stderr string
}

func (o outcome) String() string { return o.stdout + o.stderr }

// dsplay runs one command line in the source tree's root.
func (e *estate) dsplay(args ...string) outcome {
	e.t.Helper()
	return process(e.t, append(args, "-i", filepath.Join(e.Dir(), "inventory.hcl"))...)
}

// dsplayReads runs one command line that reads a text.
func (e *estate) dsplayReads(text string, args ...string) outcome {
	e.t.Helper()
	return processReads(e.t, text, append(args, "-i", filepath.Join(e.Dir(), "inventory.hcl"))...)
}

// heal runs the playbook with the lab's times.
func (e *estate) heal(more ...string) outcome {
	e.t.Helper()
	args := []string{"run", "playbooks/engine-offline.hcl", "--yes", "--var", "poll=100ms", "--var", "patience=8s"}
	return e.dsplay(append(args, more...)...)
}

func process(t *testing.T, args ...string) outcome {
	t.Helper()
	return processReads(t, "", args...)
}

func processReads(t *testing.T, text string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command(t, args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(text), &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// command is dsplay as a process, in the source tree's root.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Dir = filepath.Join("..", "..")
	// Tests that run at once act on one machine, this one, and are not meant to keep each other out.
	locks := filepath.Join(os.Getenv("XDG_STATE_HOME"), "locks-"+strings.ReplaceAll(t.Name(), "/", "-"))
	c.Env = append(os.Environ(), asDsplay+"=1", "DSPLAY_LOCK_DIR="+locks)
	return c
}

// mutations are the lines that changed something, by the judgement of the systems that executed them.
func (e *estate) mutations() map[string][]string {
	m := map[string][]string{}
	for _, r := range e.Received()[e.seen:] {
		if r.Mutates {
			m[r.Host] = append(m[r.Host], r.Text)
		}
	}
	return m
}

// acted wants mutating lines on exactly these hosts: for each a pattern per line, in order; "*" stands for any number.
func (e *estate) acted(want map[string][]string) {
	e.t.Helper()
	got := e.mutations()
	hosts := slices.Sorted(maps.Keys(got))
	if expected := slices.Sorted(maps.Keys(want)); !slices.Equal(hosts, expected) {
		e.t.Errorf("something was changed on %v, want %v: %q", hosts, expected, got)
		return
	}
	for host, patterns := range want {
		lines := got[host]
		if slices.Equal(patterns, []string{"*"}) {
			continue
		}
		if len(lines) != len(patterns) {
			e.t.Errorf("%s: %d mutating lines, want %d: %q", host, len(lines), len(patterns), lines)
			continue
		}
		for i, p := range patterns {
			if !regexp.MustCompile(p).MatchString(lines[i]) {
				e.t.Errorf("%s: %q does not match %q", host, lines[i], p)
			}
		}
	}
}

// healthy wants every engine that can be online to be online, but for the named guests.
func (e *estate) healthy(but ...string) {
	e.t.Helper()
	for _, g := range e.World().Guests {
		if g.Engine == lab.EngineOffline && g.Power == lab.On && !slices.Contains(but, g.Name) {
			e.t.Errorf("the engine of %s is offline", g.Name)
		}
	}
}

// ended wants an exit code and texts in the output.
func (e *estate) ended(o outcome, code int, texts ...string) {
	e.t.Helper()
	if o.code != code {
		e.t.Errorf("exit %d, want %d", o.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(o.String(), text) {
			e.t.Errorf("the output does not say %q", text)
		}
	}
	if e.t.Failed() {
		e.t.Logf("output:\n%s", o)
	}
}

// within wants f to end in time, so that a hang fails as itself.
func within(t *testing.T, limit time.Duration, f func() outcome) outcome {
	t.Helper()
	began := time.Now()
	o := f()
	if took := time.Since(began); took > limit {
		t.Errorf("it took %s, more than %s", took, limit)
	}
	return o
}
