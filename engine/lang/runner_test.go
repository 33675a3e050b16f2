package lang_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/zclconf/go-cty/cty"
)

// runner does what a run does with a program: it walks the items, and sets results that the test gives.
type runner struct {
	t       *testing.T
	program *lang.Program
	pass    engine.Pass
	inv     *engine.Inventory
}

// runVars is "run." of a plan.
var runVars = cty.UnknownVal(cty.Object(map[string]cty.Type{"id": cty.String}))

func start(t *testing.T, src string, change ...func(*lang.Options)) *runner {
	t.Helper()
	path := filepath.Join(t.TempDir(), "play.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options()
	for _, f := range change {
		f(&o)
	}
	return begin(t, path, o)
}

func begin(t *testing.T, path string, o lang.Options) *runner {
	t.Helper()
	program, problems := lang.Load(path, o)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	inv := o.Inventory
	if inv == nil {
		inv = testInventory()
	}
	return &runner{t: t, program: program, inv: inv, pass: program.Pass(inv, runVars)}
}

// item gives the n-th item of the playbook.
func (r *runner) item(n int) engine.Item { return r.program.Playbook().Items[n] }

func (r *runner) play(name string) *engine.Play {
	r.t.Helper()
	for _, i := range r.program.Playbook().Items {
		if i.Play != nil && i.Play.Name == name {
			return i.Play
		}
	}
	r.t.Fatalf("no play %q", name)
	return nil
}

// locals evaluates every locals block before the n-th item that has not been evaluated.
func (r *runner) locals(n int) {
	r.t.Helper()
	if err := r.pass.Locals(r.item(n).Locals); err != nil {
		r.t.Fatal(err)
	}
}

func (r *runner) target(name string) engine.Target {
	r.t.Helper()
	target, err := r.pass.Play(r.play(name))
	if err != nil {
		r.t.Fatal(err)
	}
	return target
}

// find gives an entry by the end of its address.
func (r *runner) find(address string) *engine.Entry {
	r.t.Helper()
	var found *engine.Entry
	var search func([]*engine.Entry)
	search = func(entries []*engine.Entry) {
		for _, e := range entries {
			if strings.HasSuffix(e.Address, address) {
				found = e
			}
			if e.Recover != nil {
				search(e.Recover.Goal)
				for _, a := range e.Recover.Attempts {
					search(a.Entries)
				}
			}
		}
	}
	for _, i := range r.program.Playbook().Items {
		if i.Play != nil {
			search(i.Play.Entries)
		}
	}
	if found == nil {
		r.t.Fatalf("no entry %q", address)
	}
	return found
}

// did gives a result of a module.
func did(t *testing.T, status engine.Status, v any) engine.Result {
	t.Helper()
	value, err := engine.ValueOf(v)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Result{Status: status, Value: value}
}

func skipped(e *engine.Entry) engine.Result {
	return engine.Result{Status: engine.StatusSkipped, Value: cty.NullVal(engine.TypeOf(e.Module.Result))}
}

func planned(e *engine.Entry) engine.Result {
	return engine.Result{Value: cty.UnknownVal(engine.TypeOf(e.Module.Result))}
}

func (r *runner) eval(h engine.HostScope, e engine.Expr) engine.Evaluated {
	r.t.Helper()
	v, err := h.Eval(e, cty.NilVal)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

func (r *runner) args(h engine.HostScope, e *engine.Entry) engine.Args {
	r.t.Helper()
	a, err := h.Args(e)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func ok(hosts ...string) []engine.Outcome {
	var out []engine.Outcome
	for _, h := range hosts {
		out = append(out, engine.Outcome{Host: h, Status: engine.HostOK})
	}
	return out
}

// fails demands an eval error whose text has every fragment.
func fails(t *testing.T, err error, fragments ...string) {
	t.Helper()
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.KindEval {
		t.Fatalf("no eval error: %v", err)
	}
	for _, f := range append(fragments, "play.hcl:") {
		if !strings.Contains(err.Error(), f) {
			t.Errorf("%q lacks %q", err, f)
		}
	}
}
