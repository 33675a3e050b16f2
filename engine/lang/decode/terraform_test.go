package decode_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"golang.org/x/sync/errgroup"

	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// ask writes answers into the tables: go test ./engine/lang/decode -run TestTerraform -terraform=new
var ask = flag.String("terraform", "", `ask the terraform on PATH: "new" about the cases without an answer, "all" about every one`)

// recordedBy is the Terraform whose answers stand in the tables.
const recordedBy = "1.11.4"

const tableHead = `# What the console of Terraform ` + recordedBy + ` says of an expression, in files/: its type and its value as JSON, or error.
# Behind "dsplay:" stands what dsplay says where it differs; why is said in docs/functions.md.
# New cases, without an answer: go test ./engine/lang/decode -run TestTerraform -terraform=new
`

// row is one expression and what Terraform says of it, or a line of another kind, which is text only.
type row struct {
	text      string
	terraform string // "" where nobody asked yet
	dsplay    string // "" where it is the same
}

func (r *row) isCase() bool { return r.text != "" && !strings.HasPrefix(r.text, "#") }

func (r *row) want() string { return cmp.Or(r.dsplay, r.terraform) }

// TestTerraform compares every expression of the tables with what a real Terraform said of it.
func TestTerraform(t *testing.T) {
	ctx := tableContext(t)
	for _, name := range tables(t) {
		rows := readTable(t, name)
		if *ask != "" {
			askTerraform(t, rows)
			writeTable(t, name, rows)
		}
		for _, r := range rows {
			if !r.isCase() {
				continue
			}
			if got := answer(r.text, ctx); got != r.want() {
				t.Errorf("%s: %s\n  is  %s\n  not %s", filepath.Base(name), r.text, got, r.want())
			}
			if r.dsplay == r.terraform && r.dsplay != "" {
				t.Errorf("%s: %s: it is marked as a difference, and is none", filepath.Base(name), r.text)
			}
		}
	}
}

func tables(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/terraform/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no tables", err)
	}
	return names
}

func readTable(t *testing.T, name string) []*row {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*row
	for line := range strings.Lines(strings.TrimPrefix(string(src), tableHead)) {
		line = strings.TrimSuffix(line, "\n")
		said, isAnswer := strings.CutPrefix(line, "  ")
		if !isAnswer {
			rows = append(rows, &row{text: line})
			continue
		}
		last := rows[len(rows)-1]
		if ours, ok := strings.CutPrefix(said, "dsplay: "); ok {
			last.dsplay = ours
		} else {
			last.terraform = said
		}
	}
	return rows
}

func writeTable(t *testing.T, name string, rows []*row) {
	t.Helper()
	var b strings.Builder
	b.WriteString(tableHead)
	for _, r := range rows {
		b.WriteString(r.text + "\n")
		if r.terraform != "" {
			b.WriteString("  " + r.terraform + "\n")
		}
		if r.dsplay != "" {
			b.WriteString("  dsplay: " + r.dsplay + "\n")
		}
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tableContext has our functions and the locals that the tables name.
func tableContext(t *testing.T) *hcl.EvalContext {
	t.Helper()
	src, err := os.ReadFile("testdata/terraform/files/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	f, diags := hclsyntax.ParseConfig(src, "main.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	locals := map[string]cty.Value{}
	for name, a := range f.Body.(*hclsyntax.Body).Blocks[0].Body.Attributes {
		if locals[name], diags = a.Expr.Value(nil); diags.HasErrors() {
			t.Fatal(diags)
		}
	}
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{"local": cty.ObjectVal(locals)},
		Functions: decode.Functions(decode.FunctionOptions{Dir: "testdata/terraform/files"}),
	}
}

// answer is what we say of an expression, in the form of the tables.
func answer(src string, ctx *hcl.EvalContext) string {
	expr, diags := hclsyntax.ParseExpression([]byte(src), "x", hcl.InitialPos)
	if diags.HasErrors() {
		return "error"
	}
	v, diags := new(hoist.Rewriter).Once(expr).Value(ctx) // as the language evaluates it
	if diags.HasErrors() {
		return "error"
	}
	text, err := stdlib.JSONEncode(v)
	switch {
	case !v.IsWhollyKnown():
		return typeText(v.Type()) + " (unknown)"
	case err != nil: // an infinite number
		return typeText(v.Type()) + " " + v.AsBigFloat().Text('f', -1)
	}
	return typeText(v.Type()) + " " + text.AsString()
}

// typeText writes a type as Terraform's type() does, on one line.
func typeText(ty cty.Type) string {
	switch {
	case ty == cty.DynamicPseudoType:
		return "dynamic"
	case ty.IsPrimitiveType():
		return ty.FriendlyName()
	case ty.IsListType():
		return "list(" + typeText(ty.ElementType()) + ")"
	case ty.IsSetType():
		return "set(" + typeText(ty.ElementType()) + ")"
	case ty.IsMapType():
		return "map(" + typeText(ty.ElementType()) + ")"
	case ty.IsTupleType():
		var parts []string
		for _, e := range ty.TupleElementTypes() {
			parts = append(parts, typeText(e))
		}
		return "tuple([" + strings.Join(parts, ",") + "])"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(ty.AttributeTypes())) {
		parts = append(parts, name+":"+typeText(ty.AttributeType(name)))
	}
	return "object({" + strings.Join(parts, ",") + "})"
}

// askTerraform fills in what a real Terraform says.
func askTerraform(t *testing.T, rows []*row) {
	t.Helper()
	consoles := make(chan console, 4) // each with a folder of its own: a console locks it
	for range cap(consoles) {
		consoles <- newConsole(t)
	}
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(cap(consoles))
	for _, r := range rows {
		if r.isCase() && (*ask == "all" || r.terraform == "") {
			g.Go(func() (err error) {
				c := <-consoles
				defer func() { consoles <- c }()
				r.terraform, err = c.answer(ctx, r.text)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

type console struct {
	dir string
	env []string
}

func newConsole(t *testing.T) console {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/terraform/files")); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "cli.tfrc")
	if err := os.WriteFile(config, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := console{dir, append(os.Environ(), "TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1")}
	if version, err := c.command(t.Context(), "version").Output(); err != nil || !strings.HasPrefix(string(version), "Terraform v"+recordedBy) {
		t.Fatalf("Terraform %s is wanted; on PATH is %s (%v)", recordedBy, version, err)
	}
	return c
}

func (c console) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "terraform", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// answer is what Terraform says of an expression. It prints a value differently from JSON, so it is asked twice.
func (c console) answer(ctx context.Context, expr string) (string, error) {
	ty, ok, err := c.eval(ctx, "type("+expr+")")
	if err != nil || !ok {
		return "error", err
	}
	ty = strings.NewReplacer("\n", "", "    ", "", ",\n", ",", ": ", ":").Replace(ty)
	ty = strings.NewReplacer(",}", "}", ",]", "]", ",)", ")").Replace(ty)
	value, ok, err := c.eval(ctx, "jsonencode("+expr+")")
	if text, unquoted := strconv.Unquote(value); ok && unquoted == nil {
		return ty + " " + text, err
	}
	value, ok, err = c.eval(ctx, expr) // an infinite number, for which JSON has no word
	if err != nil || !ok {
		return "error", err
	}
	return ty + " " + value, nil
}

// eval is what the console prints; false: it finds a mistake in the expression.
func (c console) eval(ctx context.Context, expr string) (string, bool, error) {
	cmd := c.command(ctx, "console", "-no-color")
	cmd.Stdin = strings.NewReader(expr + "\n")
	out, err := cmd.Output()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed) && strings.Contains(string(failed.Stderr), "<console-input>"):
		return "", false, nil
	case err != nil && failed != nil:
		return "", false, fmt.Errorf("%s: %s", expr, failed.Stderr)
	}
	return strings.TrimSpace(string(out)), err == nil, err
}
