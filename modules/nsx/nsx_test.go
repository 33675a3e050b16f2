package nsx_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/https/httpstest"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/nsx"
)

// scenario is one file in testdata: arguments and what a manager answers, and what the module makes of it. A step is
// checked twice, applied and checked again. A request that the case did not foresee fails it, so does one that it foresaw and
// that did not come. A new case is a new file.
type scenario struct {
	Why     string           `json:"why"`
	Module  string           `json:"module"`
	As      string           `json:"as"`   // "probe" or "step"
	Kind    string           `json:"kind"` // "nsx" or "nsxt"
	Args    map[string]any   `json:"args"`
	Answers []*answer        `json:"answers"`
	Change  *engine.Change   `json:"change"`
	Command string           `json:"command"` // the one request of the diff
	Note    string           `json:"note"`    // the step has nothing to do
	Result  map[string]any   `json:"result"`
	Invalid string           `json:"invalid"` // Validate refuses this argument
	Error   string           `json:"error"`
	ErrKind engine.ErrorKind `json:"error_kind"`
}

type answer struct {
	Request string   `json:"request"` // method, path with query, body
	In      string   `json:"in"`      // only in this state; the first one is "start"
	Then    string   `json:"then"`    // the state from now on
	Status  int      `json:"status"`  // default 200
	Body    []string `json:"body"`    // lines
	used    bool
}

func modules() []engine.Module { return []engine.Module{nsx.Tag(), nsx.Health()} }

func TestCases(t *testing.T) {
	for _, m := range modules() {
		moduletest.Each(t, "testdata/"+m.Name+"/*.json", 8, func(t *testing.T, c *scenario) { c.run(t, m) })
	}
}

func (c *scenario) run(t *testing.T, m engine.Module) {
	instance := moduletest.New(t, m, c.Args)
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
	s := &script{t: t, answers: c.Answers, state: "start"}
	h := connect(t, s, c.Kind)
	var result any
	if c.As == "step" {
		result, err = c.step(t, s, h, instance)
	} else {
		result, err = instance.(engine.Prober).Probe(t.Context(), h)
	}
	switch {
	case c.Error != "":
		if err == nil || !strings.Contains(err.Error(), c.Error) || engine.HintOf(err) == "" || c.ErrKind != "" && engine.KindOf(err) != c.ErrKind {
			t.Errorf("error %v of kind %s (%s), want %q of kind %s, with a hint", err, engine.KindOf(err), engine.HintOf(err), c.Error, c.ErrKind)
		}
	case err != nil:
		t.Error(err)
	case result != nil:
		moduletest.Compare(t, m, result, c.Result)
	}
	s.judge(c)
}

func (c *scenario) step(t *testing.T, s *script, h *moduletest.APIHost, instance any) (any, error) {
	diff, err := instance.(engine.Checker).Check(t.Context(), h)
	if err != nil {
		return nil, err
	}
	if again, err := instance.(engine.Checker).Check(t.Context(), h); err != nil || !reflect.DeepEqual(diff, again) {
		t.Errorf("asked twice in the same world: %+v and %+v, %v", diff, again, err)
	}
	if c.Change == nil {
		if !diff.Empty() || diff.Note != c.Note || c.Note == "" {
			t.Errorf("want nothing to do and the note %q: %+v", c.Note, diff)
		}
		return nil, nil
	}
	if len(diff.Changes) != 1 || diff.Changes[0] != *c.Change || !slices.Equal(diff.Commands, []string{c.Command}) {
		t.Errorf("diff %+v, want %+v by %q", diff, *c.Change, c.Command)
	}
	if got := s.changing(); len(got) > 0 {
		t.Errorf("Check sent %q", got)
	}
	result, err := instance.(engine.Applier).Apply(t.Context(), h, diff)
	if err != nil {
		return nil, err
	}
	h.Forget() // a step that acted ends what a pass remembers
	if after, err := instance.(engine.Checker).Check(t.Context(), h); err != nil || !after.Empty() || after.Note == "" {
		t.Errorf("after Apply: %+v, %v", after, err)
	}
	return result, nil
}

// script is a manager that knows nothing but the answers of a case. Logins are not part of a case.
type script struct {
	t       *testing.T
	mu      sync.Mutex
	answers []*answer
	state   string
	got     []string
	open    int // sessions
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
	user, password, basic := r.BasicAuth()
	switch {
	case r.URL.Path == "/api/session/create":
		s.open++
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "c"})
		w.Header().Set("X-XSRF-TOKEN", "x")
		return
	case r.URL.Path == "/api/session/destroy":
		s.open--
		return
	case r.Header.Get("X-XSRF-TOKEN") != "x" && (!basic || user != "ops" || password != "pw"):
		s.t.Errorf("without a login: %s", text)
	}
	s.got = append(s.got, text)
	i := slices.IndexFunc(s.answers, func(a *answer) bool { return a.Request == text && (a.In == "" || a.In == s.state) })
	if i < 0 {
		s.t.Errorf("in state %q the case did not foresee: %s", s.state, text)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	a := s.answers[i]
	a.used = true
	if a.Then != "" {
		s.state = a.Then
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	fmt.Fprint(w, strings.Join(a.Body, "\n"))
}

// changing are the requests that do not only ask.
func (s *script) changing() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.got {
		if !strings.HasPrefix(text, "GET ") {
			list = append(list, text)
		}
	}
	return list
}

// judge: what was foreseen came, and nothing was changed but by the request of the diff.
func (s *script) judge(c *scenario) {
	for _, a := range s.answers {
		if !a.used {
			s.t.Errorf("never asked: %s (in state %q)", a.Request, a.In)
		}
	}
	var want []string
	if c.Change != nil {
		want = []string{c.Command}
	}
	if got := s.changing(); !slices.Equal(got, want) {
		s.t.Errorf("sent %q, want %q", got, want)
	}
}

// connect gives the manager as the module sees it.
func connect(t *testing.T, s *script, kind string) *moduletest.APIHost {
	t.Helper()
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if s.open != 0 {
			t.Errorf("%d sessions are left", s.open)
		}
	})
	return dial(t, server, kind, "pw")
}

func dial(t *testing.T, server *httptest.Server, kind, password string) *moduletest.APIHost {
	t.Helper()
	return moduletest.OnAPI("nsx1", httpstest.Open(t, server, "nsx1", func(s *https.Settings) {
		s.Kind, s.User, s.Password = kind, "ops", engine.Plain(password)
	}))
}
