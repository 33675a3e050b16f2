package modules_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

// TestCatalogue holds what the loader, the plans and the documentation rely on.
func TestCatalogue(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	targets := []string{"posix", "esxi", "windows", "vsphere", "dsm", "nsx", "nsxt", "https"}
	seen := map[string]bool{}
	for _, m := range modules.All() {
		t.Run(m.Name, func(t *testing.T) {
			if !name.MatchString(m.Name) || seen[m.Name] {
				t.Errorf("%q is no name, or given twice", m.Name)
			}
			seen[m.Name] = true
			if first, _, _ := strings.Cut(m.Doc, "\n"); !strings.Contains(first, ".") {
				t.Errorf("Doc does not begin with a sentence: %q", first)
			}
			for _, target := range m.Targets {
				if !slices.Contains(targets, target) {
					t.Errorf("there is no target %q", target)
				}
			}
			if len(m.Targets) == 0 {
				t.Error("it works on nothing")
			}
			documented(t, m.New())
			documented(t, m.Result)
			decodes(t, m)
			converts(t, m)
			serves(t, m)
		})
	}
}

var sentence = regexp.MustCompile(`^\S.*[.…][)"]*$`)

// documented: every field that a user can write or read has a sentence.
func documented(t *testing.T, v any) {
	t.Helper()
	for _, f := range engine.Fields(v) {
		if !sentence.MatchString(f.Doc) {
			t.Errorf("%T: the doc of %s does not end: %q", v, f.Name, f.Doc)
		}
		if f.Secret && f.Executed {
			t.Errorf("%T: %s is a secret and would stand on a command line", v, f.Name)
		}
	}
}

// decodes: an empty block gives the defaults, and misses nothing but required arguments.
func decodes(t *testing.T, m engine.Module) {
	t.Helper()
	module := m.New()
	for _, d := range gohcl.DecodeBody(hcl.EmptyBody(), nil, module) {
		if !strings.HasPrefix(d.Summary, "Missing required") {
			t.Errorf("an empty block: %s", d)
		}
	}
	if !reflect.DeepEqual(module, m.New()) {
		t.Errorf("an empty block changes the defaults: %#v", module)
	}
	if reflect.ValueOf(module).Pointer() == reflect.ValueOf(m.New()).Pointer() {
		t.Error("New gives the same instance twice")
	}
}

// converts: a result without anything in it is a value of the declared type.
func converts(t *testing.T, m engine.Module) {
	t.Helper()
	v, err := engine.ValueOf(m.Result)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Type().Equals(engine.TypeOf(m.Result)) {
		t.Errorf("ValueOf gives %s, TypeOf %s", v.Type().FriendlyName(), engine.TypeOf(m.Result).FriendlyName())
	}
}

// serves: it is a probe, a step, or both.
func serves(t *testing.T, m engine.Module) {
	t.Helper()
	module := m.New()
	_, probes := module.(engine.Prober)
	_, checks := module.(engine.Checker)
	_, applies := module.(engine.Applier)
	if checks != applies || !probes && !checks {
		t.Errorf("probe %v, check %v, apply %v: it is neither a probe nor a step", probes, checks, applies)
	}
}
