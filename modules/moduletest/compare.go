package moduletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// decode sets the arguments of a module from JSON.
func decode(module any, args map[string]string) error {
	v := reflect.ValueOf(module).Elem()
	fields := engine.Fields(module)
	for name, text := range args {
		i := slices.IndexFunc(fields, func(f engine.Field) bool { return f.Name == name })
		if i < 0 {
			return fmt.Errorf("the module has no argument %q", name)
		}
		target := v.Field(fields[i].Index)
		if fields[i].Secret {
			var s string
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				return fmt.Errorf("arg %s: %w", name, err)
			}
			target.Set(reflect.ValueOf(engine.Plain(s)))
			continue
		}
		if secrets, ok := target.Addr().Interface().(*map[string]engine.Secret); ok {
			var plain map[string]string
			if err := json.Unmarshal([]byte(text), &plain); err != nil {
				return fmt.Errorf("arg %s: %w", name, err)
			}
			*secrets = map[string]engine.Secret{}
			for key, value := range plain {
				(*secrets)[key] = engine.Plain(value)
			}
			continue
		}
		if err := json.Unmarshal([]byte(text), target.Addr().Interface()); err != nil {
			return fmt.Errorf("arg %s: %w", name, err)
		}
		if allowed := fields[i].OneOf; len(allowed) > 0 && !slices.Contains(allowed, target.String()) {
			return fmt.Errorf("arg %s: the loader would refuse %s, allowed are %v", name, text, allowed)
		}
	}
	for _, f := range fields {
		if _, given := args[f.Name]; !given && !f.Optional {
			return fmt.Errorf("the loader would refuse that %q is missing", f.Name)
		}
	}
	return nil
}

func (c *testCase) compareEffects(t reporter, instance any) {
	t.Helper()
	if c.effects == nil {
		return
	}
	e, ok := instance.(engine.Effecter)
	if !ok || !slices.Equal(e.Effects(), c.effects) {
		t.Errorf("the effects are not %v", c.effects)
	}
}

func (c *testCase) compareDiff(t reporter, got engine.Diff) {
	t.Helper()
	if g, w := shown(got), shown(c.diff); g != w {
		t.Errorf("Check gives\n%s\nwant\n%s", g, w)
	}
}

// shown writes a diff as a case file does.
func shown(d engine.Diff) string {
	var b strings.Builder
	for _, c := range d.Changes {
		fmt.Fprintf(&b, "change %s: %s -> %s\n", c.What, c.Before, c.After)
	}
	if d.Act != "" {
		fmt.Fprintf(&b, "act %s\n", d.Act)
	}
	if d.Opaque {
		b.WriteString("opaque\n")
	}
	if d.Note != "" {
		fmt.Fprintf(&b, "note %s\n", d.Note)
	}
	for _, line := range d.Commands {
		fmt.Fprintf(&b, "command %s\n", line)
	}
	return b.String()
}

// compareResult compares the attributes that the case names, and that the result is of the declared type.
func (c *testCase) compareResult(t reporter, m engine.Module, result any) {
	t.Helper()
	want := map[string]any{}
	if c.result != "" {
		if err := json.Unmarshal([]byte(c.result), &want); err != nil {
			t.Fatalf("result: %v", err)
		}
	}
	Compare(t, m, result, want)
}

// Compare compares the attributes of a result that want names, as encoding/json decodes them, and that the result is of the type
// that the module declares.
func Compare(t reporter, m engine.Module, result any, want map[string]any) {
	t.Helper()
	value, err := engine.ValueOf(result)
	if err != nil || !value.Type().Equals(engine.TypeOf(m.Result)) {
		t.Errorf("the result %T is not what the module declares: %v", result, err)
		return
	}
	if len(want) == 0 {
		return
	}
	got := attributes(t, result)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[name]; !ok || !reflect.DeepEqual(g, want[name]) {
			t.Errorf("result: %s is %v, want %v", name, g, want[name])
		}
	}
}

// attributes gives a result as JSON would; like in the language, what is empty is not null.
func attributes(t reporter, result any) map[string]any {
	t.Helper()
	all := map[string]any{}
	v := reflect.Indirect(reflect.ValueOf(result))
	for _, f := range engine.Fields(result) {
		data, err := json.Marshal(v.Field(f.Index).Interface())
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatal(err)
		}
		if kind := v.Field(f.Index).Kind(); plain == nil && kind == reflect.Slice {
			plain = []any{}
		} else if plain == nil && kind == reflect.Map {
			plain = map[string]any{}
		}
		all[f.Name] = plain
	}
	return all
}

func (c *testCase) compareError(t reporter, err error) {
	t.Helper()
	want := c.fails
	switch {
	case err == nil && want == failure{}:
	case err == nil:
		t.Errorf("no error, want %q", want.text)
	case want == failure{}:
		t.Errorf("unexpected error: %v", err)
	case !strings.Contains(err.Error(), want.text):
		t.Errorf("error %q, want %q", err, want.text)
	case !strings.Contains(engine.HintOf(err), want.hint):
		t.Errorf("hint %q, want %q", engine.HintOf(err), want.hint)
	case want.kind != "" && kindOf(err) != want.kind:
		t.Errorf("error of kind %q, want %q", kindOf(err), want.kind)
	}
}

// kindOf is the kind of an error; "unprovable" is a check of which the host tells nothing, where "check" says that it has not
// happened.
func kindOf(err error) string {
	if errors.Is(err, engine.ErrUnprovable) {
		return "unprovable"
	}
	return string(engine.KindOf(err))
}

// New is a fresh instance of a module with these arguments. It ends a test whose arguments the loader would refuse.
func New(t reporter, m engine.Module, args map[string]any) any {
	t.Helper()
	texts := map[string]string{}
	for name, v := range args {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	instance := m.New()
	if err := decode(instance, texts); err != nil {
		t.Fatal(err)
	}
	return instance
}
