package deepsecurity_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm/dsmtest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/https/httpstest"
	"github.com/dsplay/dsplay/modules/deepsecurity"
	"github.com/dsplay/dsplay/modules/moduletest"
)

// scenario is one file in testdata: arguments and a world, and what the probe makes of them over REST and over SOAP.
// A new case is a new file.
type scenario struct {
	Why     string         `json:"why"`
	Module  string         `json:"module"`
	Args    map[string]any `json:"args"`
	World   dsmtest.Server `json:"world"`
	Result  map[string]any `json:"result"` // over both; attributes that are not named may be anything
	REST    map[string]any `json:"rest"`   // besides, over REST; as_of is an age, such as "2m0s"
	SOAP    map[string]any `json:"soap"`
	Invalid string         `json:"invalid"` // Validate refuses this argument
	Error   string         `json:"error"`
}

func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]int{}
	for _, file := range files {
		cases[read(t, file).Module]++
	}
	for _, m := range []engine.Module{deepsecurity.Computer(), deepsecurity.Computers()} {
		if cases[m.Name] < 8 {
			t.Errorf("%s has %d cases, and a module has 8 at least", m.Name, cases[m.Name])
		}
	}
	for _, file := range files {
		for _, api := range []string{"rest", "soap"} {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+api, func(t *testing.T) {
				c := read(t, file)
				c.World.Key, c.World.User, c.World.Password = "key", "api", "pw"
				c.run(t, api)
			})
		}
	}
}

func read(t *testing.T, file string) *scenario {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	var c scenario
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Why == "" {
		t.Error("the case does not say why it exists")
	}
	return &c
}

func (c *scenario) run(t *testing.T, api string) {
	var module engine.Module
	for _, m := range []engine.Module{deepsecurity.Computer(), deepsecurity.Computers()} {
		if m.Name == c.Module {
			module = m
		}
	}
	instance := moduletest.New(t, module, c.Args)
	err := instance.(engine.Validator).Validate()
	var bad engine.BadArg
	if c.Invalid != "" {
		if !errors.As(err, &bad) || bad.Arg != c.Invalid {
			t.Errorf("Validate: %v, want a BadArg for %s", err, c.Invalid)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := instance.(engine.Prober).Probe(t.Context(), host(t, &c.World, api))
	if c.Error != "" {
		if err == nil || !strings.Contains(err.Error(), c.Error) || engine.HintOf(err) == "" {
			t.Errorf("error %v (%s), want %q with a hint", err, engine.HintOf(err), c.Error)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	compare(t, module, got, c.Result)
	compare(t, module, got, map[string]map[string]any{"rest": c.REST, "soap": c.SOAP}[api])
}

// compare looks at the age of as_of, and at the rest as it is.
func compare(t *testing.T, m engine.Module, got any, want map[string]any) {
	t.Helper()
	rest := maps.Clone(want)
	if age, ok := want["as_of"]; ok {
		delete(rest, "as_of")
		switch g := got.(type) {
		case deepsecurity.Guest:
			compareAge(t, g.AsOf, age)
		case deepsecurity.Guests:
			compareAge(t, g.AsOf, age)
		default:
			t.Fatalf("%T has no as_of", got)
		}
	}
	moduletest.Compare(t, m, got, rest)
}

func compareAge(t *testing.T, got *string, want any) {
	t.Helper()
	if want == nil || got == nil {
		if want != nil || got != nil {
			t.Errorf("as_of is %v, want %v", got, want)
		}
		return
	}
	age, err := time.ParseDuration(want.(string))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, *got)
	if err != nil || (time.Since(at)-age).Abs() > 30*time.Second {
		t.Errorf("as_of is %s, which is %v ago, want %v; %v", *got, time.Since(at), age, err)
	}
}

// host connects to a manager over TLS, with the credentials for one of its APIs, and looks that no session is left.
func host(t *testing.T, s *dsmtest.Server, api string) *moduletest.APIHost {
	t.Helper()
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if s.Sessions() != 0 {
			t.Errorf("%d sessions are left", s.Sessions())
		}
	})
	return moduletest.OnAPI("dsm1", connect(t, server, api))
}

func connect(t *testing.T, server *httptest.Server, api string) engine.API {
	t.Helper()
	return httpstest.Open(t, server, "dsm1", func(s *https.Settings) {
		s.Kind = "dsm"
		if api == "rest" {
			s.APIKey = engine.Plain("key")
		} else {
			s.User, s.Password = "api", engine.Plain("pw")
		}
	})
}

func TestManyProbesAreOnePass(t *testing.T) {
	for api, op := range map[string]string{"rest": "search", "soap": "hostDetailRetrieve"} {
		t.Run(api, func(t *testing.T) {
			s := &dsmtest.Server{Key: "key", User: "api", Password: "pw"}
			uuids := make([]string, 100)
			for i := range uuids {
				uuids[i] = "42000000-0000-0000-0000-" + strconv.Itoa(100000000000+i)
				s.Computers = append(s.Computers, dsmtest.Computer{ID: 1000 + i, Name: strconv.Itoa(i), UUID: uuids[i], Heard: "1m", ESXi: "esx1"})
			}
			h := host(t, s, api)
			m := deepsecurity.Computer()
			var wg sync.WaitGroup
			for _, uuid := range uuids[:50] {
				wg.Go(func() {
					instance := moduletest.New(t, m, map[string]any{"bios_uuid": uuid})
					got, err := instance.(engine.Prober).Probe(context.WithoutCancel(t.Context()), h)
					if err != nil || got.(deepsecurity.Guest).State != "online" {
						t.Errorf("%+v %v", got, err)
					}
				})
			}
			wg.Wait()
			want := map[string]int{"rest": 2, "soap": 1}[api] // REST: the list, and the empty page behind it
			if n := s.Calls(op); n != want {
				t.Errorf("%d lists for 50 probes, want %d", n, want)
			}
			if n := s.Calls("hostGetStatus"); api == "soap" && n != 50 {
				t.Errorf("%d statuses for 50 guests", n)
			}
		})
	}
}
