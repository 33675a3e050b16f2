package vsphere_test

import (
	"cmp"
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/https/httpstest"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/vsphere"
)

// mediaCase is one file in testdata/media: a machine guest1 and its CD drive, and what the module makes of them. Whatever
// changes something and does not stand at calls fails it. REF is the managed object id of the machine.
type mediaCase struct {
	Why     string          `json:"why"`
	As      string          `json:"as"` // "probe" or "step"
	Args    map[string]any  `json:"args"`
	Image   string          `json:"image"` // in the drive; "tools": that of VMware Tools
	NoDrive bool            `json:"no_drive"`
	Power   vcenter.Power   `json:"power"`
	Asleep  bool            `json:"tools_stopped"` // VMware Tools do not run
	Result  map[string]any  `json:"result"`
	Change  []engine.Change `json:"change"`
	Command string          `json:"command"`
	Note    string          `json:"note"`
	Calls   []string        `json:"calls"`
	Invalid string          `json:"invalid"` // Validate refuses this argument
	Error   string          `json:"error"`
	Kind    string          `json:"kind"`
	Hint    string          `json:"hint"`
}

func TestMediaCases(t *testing.T) {
	var calls []string
	v := oneGuest(t, vcenter.Config{Record: func(_, text string, mutates bool) {
		if mutates {
			method, _, _ := strings.Cut(text, " ")
			calls = append(calls, method)
		}
	}})
	moduletest.Each(t, "testdata/media/*.json", 8, func(t *testing.T, c *mediaCase) {
		calls = nil
		c.run(t, v)
		if !slices.Equal(calls, c.Calls) {
			t.Errorf("it changed something by %q, want %q", calls, c.Calls)
		}
	})
}

// oneGuest is a vCenter with the machine guest1.
func oneGuest(t *testing.T, cfg vcenter.Config) *vcenter.VCenter {
	t.Helper()
	cfg.User, cfg.Password, cfg.Hosts = "ops", "pw", []string{"esx1"}
	cfg.VMs = []vcenter.VM{{Name: "guest1", Host: "esx1", UUID: "42000000-0000-0000-0000-000000000001", InstanceUUID: "50000000-0000-0000-0000-000000000001",
		GuestID: "windows2019srv_64Guest", Power: vcenter.On}}
	v, err := vcenter.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// open is v as a module sees it.
func open(t *testing.T, v *vcenter.VCenter) *moduletest.APIHost {
	t.Helper()
	server := httptest.NewTLSServer(v)
	t.Cleanup(server.Close)
	return moduletest.OnAPI("vc1", httpstest.Open(t, server, "vc1", func(s *https.Settings) {
		s.Kind, s.User, s.Password = "vsphere", "ops", engine.Plain("pw")
	}))
}

func (c *mediaCase) run(t *testing.T, v *vcenter.VCenter) {
	module := moduletest.New(t, vsphere.ToolsMedia(), c.Args)
	if err := module.(engine.Validator).Validate(); err != nil || c.Invalid != "" {
		var bad engine.BadArg
		if !errors.As(err, &bad) || bad.Arg != c.Invalid {
			t.Errorf("Validate: %v, want a BadArg for %q", err, c.Invalid)
		}
		return
	}
	c.set(v)
	ref, h := v.Refs()["guest1"], open(t, v)
	var result any
	var err error
	if c.As == "probe" {
		result, err = module.(engine.Prober).Probe(t.Context(), h)
	} else {
		result, err = c.step(t, h, module, ref)
	}
	switch {
	case c.Error == "" && err != nil:
		t.Fatal(err)
	case c.Error != "" && (err == nil || !strings.Contains(err.Error(), c.Error) || string(engine.KindOf(err)) != c.Kind || !strings.Contains(engine.HintOf(err), c.Hint)):
		t.Errorf("%v (%s; %s), want %q", err, engine.KindOf(err), engine.HintOf(err), c.Error)
	case err == nil && result != nil:
		moduletest.Compare(t, vsphere.ToolsMedia(), result, c.Result)
	}
}

// set makes the machine what the case says.
func (c *mediaCase) set(v *vcenter.VCenter) {
	image := c.Image
	if image == "tools" {
		image = vcenter.ToolsImage
	}
	v.Insert("guest1", image)
	if c.NoDrive {
		v.RemoveDrive("guest1")
	}
	v.Set("guest1", vcenter.State{Power: cmp.Or(c.Power, vcenter.On), Tools: !c.Asleep})
}

func (c *mediaCase) step(t *testing.T, h *moduletest.APIHost, module any, ref string) (any, error) {
	check := func() (engine.Diff, error) { return module.(engine.Checker).Check(t.Context(), h) }
	diff, err := check()
	if err != nil {
		return nil, err
	}
	if again, err := check(); err != nil || !reflect.DeepEqual(diff, again) {
		t.Errorf("asked twice in the same world: %+v and %+v, %v", diff, again, err)
	}
	want := engine.Diff{Changes: c.Change, Note: c.Note}
	if c.Command != "" {
		want.Commands = []string{strings.ReplaceAll(c.Command, "REF", ref)}
	}
	if !reflect.DeepEqual(diff, want) {
		t.Errorf("diff %+v, want %+v", diff, want)
	}
	if diff.Empty() {
		if diff.Note == "" {
			t.Error("nothing to do, without a reason")
		}
		return nil, nil
	}
	result, err := module.(engine.Applier).Apply(t.Context(), h, diff)
	if err != nil {
		return nil, err
	}
	h.Forget()
	if after, err := check(); err != nil || !after.Empty() {
		t.Errorf("a difference remains: %+v, %v", after, err)
	}
	return result, nil
}
