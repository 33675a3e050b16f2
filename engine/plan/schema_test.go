package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write docs/plan.schema.json anew")

const schemaFile = "../../docs/plan.schema.json"

// file is what stands in a plan's file around the document.
type file struct {
	ID   string   `json:"id"` // "sha256:" and the SHA-256 of the bytes of plan
	Plan Document `json:"plan"`
}

// schema is made from the declarations and their comments, so that it is never behind them.
func schema(t *testing.T) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	defer t.Chdir(dir)
	t.Chdir(filepath.Join("..", ".."))
	r := &reflector.Reflector{AllowAdditionalProperties: true} // minor formats only add
	for _, pkg := range []string{"./engine", "./engine/plan"} {
		if err := r.AddGoComments("github.com/dsplay/dsplay", pkg, reflector.WithFullComment()); err != nil {
			t.Fatal(err)
		}
	}
	s := r.Reflect(&file{})
	s.ID, s.Title = "https://github.com/dsplay/dsplay/docs/plan.schema.json", "The file of a dsplay plan, format "+Format
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func TestSchemaIsThatOfTheCode(t *testing.T) {
	now := schema(t)
	if *update {
		if err := os.WriteFile(schemaFile, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(schemaFile)
	if err != nil || !bytes.Equal(now, was) {
		t.Errorf("docs/plan.schema.json is not that of the code (go test ./engine/plan -run Schema -update): %v", err)
	}
}

func TestPlansAreValidByTheSchema(t *testing.T) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("plan.json", parsed); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("plan.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, valid := range map[string]bool{
		string(sample(t)): true,
		strings.Replace(string(sample(t)), `"disposition":"will_run"`, `"disposition":7`, 1): false,
		strings.Replace(string(sample(t)), `"format"`, `"fromat"`, 1):                        false,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != valid {
			t.Errorf("valid %v, want %v: %v", err == nil, valid, err)
		}
	}
}
