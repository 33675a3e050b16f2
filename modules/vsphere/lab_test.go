package vsphere_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	api "github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/vsphere"
)

// labCase is one file in testdata/MODULE: arguments and an estate of the lab, which answers, and what the module makes of
// them. A step is checked twice, applied, proven and checked again. What the vCenter got that changes something must be the
// commands of the diff, one by one; what only asks must be among asks. Numbers of managed objects are N in a case.
type labCase struct {
	Why      string           `json:"why"`
	As       string           `json:"as"` // "probe", "step", or "resume": a new instance proves what another did
	Args     map[string]any   `json:"args"`
	Inject   []lab.Fault      `json:"inject"`
	Setup    []map[string]any `json:"setup"`   // arguments of steps of this module that are done before
	Foreign  string           `json:"foreign"` // a snapshot of guest1-1 that somebody else has taken
	Invalid  string           `json:"invalid"`
	Effects  []engine.Effect  `json:"effects"`
	Changes  []engine.Change  `json:"changes"`
	Act      string           `json:"act"`
	Opaque   bool             `json:"opaque"`
	Commands []string         `json:"commands"`
	Programs []string         `json:"programs"` // what guests ran
	Note     string           `json:"note"`     // exact where there is nothing to do, else a part of it
	Result   map[string]any   `json:"result"`
	World    map[string]any   `json:"world"` // "esxi.0.ssh": true
	Error    string           `json:"error"`
	Hint     string           `json:"hint"`
	Kind     engine.ErrorKind `json:"kind"`
}

// asks are the requests that change nothing and that these modules may send.
var asks = []string{"RetrieveServiceContent", "Login", "Logout", "CreateContainerView", "DestroyView", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx",
	"QueryLockdownExceptions", "CurrentTime", "QueryPerf", "HasPrivilegeOnEntities",
	"ValidateCredentialsInGuest", "StartProgramInGuest", "ListProcessesInGuest"} // what is done in a guest, the guest tells

func TestLabCases(t *testing.T) {
	one := []engine.Module{vsphere.VM(), vsphere.ESXiLockdown()}
	// VMExec is the last, because a program of its cases goes on.
	other := []engine.Module{vsphere.VMSnapshot(), vsphere.ESXiService(), vsphere.VMExec()}
	// Two labs side by side, because most of the time passes in waiting for a guest; started one after the other, because
	// govmomi's simulator is not safe there.
	for _, modules := range [][]engine.Module{one, other} {
		l, err := lab.Start(t.Context(), lab.Options{Dir: t.TempDir(), ESXi: 2, Guests: 2, Speed: 6000, MuxListed: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		t.Run(modules[0].Name, func(t *testing.T) {
			t.Parallel()
			for _, m := range modules {
				moduletest.Each(t, "testdata/"+m.Name+"/*.json", 8, func(t *testing.T, c *labCase) { c.run(t, l, m) })
			}
		})
	}
}

func (c *labCase) run(t *testing.T, l *lab.Lab, m engine.Module) {
	for _, args := range append(c.Setup, c.Args) {
		if file, ok := map[any]string{"right": "guests", "right dsva": "dsva"}[args["password"]]; ok {
			password, err := os.ReadFile(filepath.Join(l.Dir(), "secrets", file))
			if err != nil {
				t.Fatal(err)
			}
			args["password"] = string(password)
		}
	}
	instance := moduletest.New(t, m, c.Args)
	if v, ok := instance.(engine.Validator); ok {
		err := v.Validate()
		var bad engine.BadArg
		if errors.As(err, &bad); bad.Arg != c.Invalid || (err == nil) != (c.Invalid == "") {
			t.Fatalf("Validate: %v, want a BadArg for %q", err, c.Invalid)
		}
		if err != nil {
			return
		}
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	for _, args := range c.Setup {
		c.before(t, l, m, args)
	}
	if c.Foreign != "" {
		conn, err := enter(t, l).API(t.Context())
		var estate *api.Estate
		if err == nil {
			estate, err = api.Fetch(t.Context(), conn)
		}
		if err == nil {
			_, err = api.Snapping(estate.Find("", "", "guest1-1")[0], c.Foreign, "before Windows updates").Do(t.Context(), conn)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range c.Inject {
		if err := l.Inject(f.Name, f.Target); err != nil {
			t.Fatal(err)
		}
	}
	sent := len(l.Received())
	result, err := c.do(t, enter(t, l), instance)
	c.judge(t, m, result, err)
	c.compareSent(t, l.Received()[sent:])
	c.compareWorld(t, l)
}

// before does a step whose outcome a case begins with.
func (c *labCase) before(t *testing.T, l *lab.Lab, m engine.Module, args map[string]any) {
	t.Helper()
	instance, h := moduletest.New(t, m, args), enter(t, l)
	diff, err := instance.(engine.Checker).Check(t.Context(), h)
	if err == nil && !diff.Empty() {
		_, err = instance.(engine.Applier).Apply(t.Context(), h, diff)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *labCase) do(t *testing.T, h *moduletest.APIHost, instance any) (any, error) {
	t.Helper()
	switch c.As {
	case "probe":
		return instance.(engine.Prober).Probe(t.Context(), h)
	case "resume":
		return nil, instance.(engine.Prover).Prove(t.Context(), h, time.Now())
	}
	if e, ok := instance.(engine.Effecter); ok && !slices.Equal(e.Effects(), c.Effects) {
		t.Errorf("effects %v, want %v", e.Effects(), c.Effects)
	}
	diff, err := instance.(engine.Checker).Check(t.Context(), h)
	if err != nil {
		return nil, err
	}
	if again, err := instance.(engine.Checker).Check(t.Context(), h); err != nil || !reflect.DeepEqual(diff, again) {
		t.Errorf("asked twice in the same world: %+v and %+v, %v", diff, again, err)
	}
	c.compareDiff(t, diff)
	if diff.Empty() {
		return nil, nil
	}
	since := time.Now()
	result, err := instance.(engine.Applier).Apply(t.Context(), h, diff)
	if err != nil {
		return nil, err
	}
	h.Forget()
	if p, ok := instance.(engine.Prover); ok && diff.Act != "" {
		if err := p.Prove(t.Context(), h, since); err != nil {
			return nil, err
		}
	}
	if after, err := instance.(engine.Checker).Check(t.Context(), h); diff.Act == "" && (err != nil || !after.Empty()) {
		t.Errorf("a difference remains: %+v, %v", after, err)
	}
	return result, nil
}

func (c *labCase) compareDiff(t *testing.T, diff engine.Diff) {
	t.Helper()
	diff.Commands = numberless(diff.Commands)
	if !slices.Equal(diff.Changes, c.Changes) || diff.Act != c.Act || diff.Opaque != c.Opaque || !slices.Equal(diff.Commands, c.Commands) {
		t.Errorf("diff %+v\nwant %+v, act %q, opaque %v, commands %q", diff, c.Changes, c.Act, c.Opaque, c.Commands)
	}
	if diff.Empty() && (diff.Note != c.Note || c.Note == "") || !strings.Contains(diff.Note, c.Note) {
		t.Errorf("note %q, want %q", diff.Note, c.Note)
	}
}

var numbers = regexp.MustCompile(`\b(serviceSystem|host|vm|snapshot)-\d+`)

func numberless(list []string) []string {
	var out []string
	for _, text := range list {
		out = append(out, numbers.ReplaceAllString(text, "$1-N"))
	}
	return out
}

func (c *labCase) judge(t *testing.T, m engine.Module, result any, err error) {
	t.Helper()
	switch {
	case c.Error != "":
		if err == nil || !strings.Contains(err.Error(), c.Error) || !strings.Contains(engine.HintOf(err), c.Hint) || c.Kind != "" && engine.KindOf(err) != c.Kind {
			t.Errorf("error %v of kind %s (%s), want %q of kind %s (%s)", err, engine.KindOf(err), engine.HintOf(err), c.Error, c.Kind, c.Hint)
		}
		return
	case err != nil:
		t.Fatal(err)
	case result == nil:
		return
	}
	moduletest.Compare(t, m, result, c.Result)
}

var object = regexp.MustCompile(`^(\w+) \w+:`)

// compareSent: what was sent is what the diff says, and what only asks was foreseen.
func (c *labCase) compareSent(t *testing.T, list []lab.Received) {
	t.Helper()
	var sent, programs []string
	for _, r := range list {
		method, _, _ := strings.Cut(r.Text, " ")
		switch {
		case r.Kind == "guest":
			programs = append(programs, r.Text)
		case r.Kind != "vsphere":
		case r.Mutates:
			sent = append(sent, bare(object.ReplaceAllString(r.Text, "$1 ")))
		case !slices.Contains(asks, method):
			t.Errorf("nobody foresaw %s", r.Text)
		}
	}
	var want []string
	for _, text := range c.Commands {
		if !strings.HasPrefix(text, "StartProgramInGuest ") {
			want = append(want, bare(text))
		}
	}
	for _, program := range programs {
		if !slices.ContainsFunc(c.Commands, func(text string) bool { return strings.Contains(text, " "+strings.TrimSpace(program)+" as ") }) {
			t.Errorf("nobody was told of the program %q", program)
		}
	}
	if got := numberless(sent); !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	if !slices.Equal(programs, c.Programs) {
		t.Errorf("guests ran %q, want %q", programs, c.Programs)
	}
}

// bare is a request without what people call its object.
func bare(text string) string {
	text, _, _ = strings.Cut(text, " (")
	return text
}

// compareWorld looks at the truth.
func (c *labCase) compareWorld(t *testing.T, l *lab.Lab) {
	t.Helper()
	for path, want := range c.World {
		text, err := json.Marshal(l.World())
		if err != nil {
			t.Fatal(err)
		}
		var at any
		if err := json.Unmarshal(text, &at); err != nil {
			t.Fatal(err)
		}
		for step := range strings.SplitSeq(path, ".") {
			if list, ok := at.([]any); ok {
				n, _ := strconv.Atoi(step)
				at = list[n]
			} else {
				at = at.(map[string]any)[step]
			}
		}
		if !reflect.DeepEqual(at, want) {
			t.Errorf("in the world %s is %v, want %v", path, at, want)
		}
	}
}

// enter is the vCenter of the lab as a module sees it, with a connection of its own.
func enter(t *testing.T, l *lab.Lab) *moduletest.APIHost {
	t.Helper()
	inventory, err := os.ReadFile(filepath.Join(l.Dir(), "inventory.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(filepath.Join(l.Dir(), "secrets", "vcenter"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)host "vc1" \{\s+address = "([^"]+)".*?port\s+= (\d+)\s+user\s+= "([^"]+)"`).FindStringSubmatch(string(inventory))
	if found == nil {
		t.Fatal("the inventory has no vCenter")
	}
	settings := https.Transport{}.Settings().(*https.Settings)
	settings.Kind, settings.CA, settings.User, settings.Password = "vsphere", filepath.Join(l.Dir(), "ca.pem"), found[3], engine.Plain(string(password))
	if _, err := fmt.Sscan(found[2], &settings.Port); err != nil {
		t.Fatal(err)
	}
	conn, err := https.Transport{}.Open(t.Context(), &engine.Host{Name: "vc1", Address: found[1], Connection: engine.Connection{Type: "https", Settings: settings}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return moduletest.OnAPI("vc1", conn.(engine.API))
}
