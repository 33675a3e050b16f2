package engine_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// same wants AppendJSON to write what encoding/json writes.
func same(t *testing.T, e engine.Event) {
	t.Helper()
	want, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(e.AppendJSON(nil)); got != string(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Every field of an event, alone and together: a new field that AppendJSON does not know fails here.
func TestEventJSON(t *testing.T) {
	code := 3
	at := time.Date(2026, 11, 23, 2, 15, 0, 123456000, time.FixedZone("JST", 9*3600))
	all := engine.Event{Time: at, Until: at.Add(time.Minute)}
	v := reflect.ValueOf(&all).Elem()
	for i := range v.NumField() {
		var one engine.Event
		x := reflect.ValueOf(&one).Elem().Field(i)
		switch f := v.Type().Field(i); f.Type {
		case reflect.TypeFor[string](), reflect.TypeFor[engine.EventKind]():
			x.SetString("a \"quoted\" <text> & ünïcode\u2028\\ \x01\xff" + f.Name)
		case reflect.TypeFor[int](), reflect.TypeFor[time.Duration]():
			x.SetInt(-42)
		case reflect.TypeFor[time.Time]():
			x.Set(v.Field(i))
		case reflect.TypeFor[*engine.EventError]():
			x.Set(reflect.ValueOf(&engine.EventError{Kind: "exit", Host: "h", Text: "t<", Hint: "h", Unreachable: true}))
		case reflect.TypeFor[[]engine.Arg]():
			x.Set(reflect.ValueOf([]engine.Arg{{Name: "a", Value: `"1"`}, {}}))
		case reflect.TypeFor[[]engine.Change]():
			x.Set(reflect.ValueOf([]engine.Change{{What: "w", Before: "", After: "a"}}))
		case reflect.TypeFor[[]string]():
			x.Set(reflect.ValueOf([]string{"one", `"two"`, ""}))
		case reflect.TypeFor[map[string]int]():
			x.Set(reflect.ValueOf(map[string]int{"b": 1, "a": 0, `"`: 2}))
		case reflect.TypeFor[*int]():
			x.Set(reflect.ValueOf(&code))
		default:
			t.Fatalf("%s has a type that this test does not know", f.Name)
		}
		v.Field(i).Set(x)
		same(t, one)
	}
	same(t, all)
	same(t, engine.Event{})
}
