package inventory_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/inventory"
)

func TestOfBodies(t *testing.T) {
	src := "group \"a\" {\n  dsm = \"d\"\n}\nhost \"x\" {\n  groups = [\"a\"]\n}\nhost \"y\" {\n  groups = [\"b\"]\n}\n"
	read := func(text string) (*inventory.Model, engine.Problems) {
		f, diags := hclsyntax.ParseConfig([]byte(text), "t.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return inventory.Of([]*hclsyntax.Body{f.Body.(*hclsyntax.Body)}, []engine.File{{Path: "t.hcl", Data: []byte(text)}}, ".", options())
	}
	m, problems := read(src)
	if m != nil || len(problems) != 1 || problems[0].Range.Line != 8 || problems[0].Source != `  groups = ["b"]` {
		t.Errorf("the group b does not exist: %v", problems)
	}
	m, problems = read(src[:len(src)-len("  groups = [\"b\"]\n}\n")] + "}\n")
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if h := m.Inventory().Hosts["x"]; h.Attrs["dsm"].AsString() != "d" || len(m.Inventory().Names()) != 2 {
		t.Errorf("got %+v", h)
	}
}
