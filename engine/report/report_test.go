package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine"
)

func TestRedactorHidesEveryEncoding(t *testing.T) {
	const value = `p"ä s&s<w>ö/rd+1`
	var secrets engine.Secrets
	secrets.Add("env:PW", value)
	secrets.Add("env:PIN", "1234") // too short to be looked for in texts
	r := NewRedactor(&secrets)
	wide := []byte{}
	for _, u := range utf16.Encode([]rune("echo " + value)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	quoted, _ := json.Marshal(value)
	for name, text := range map[string]string{
		"clear":       "a " + value + " b",
		"json":        string(quoted),
		"url query":   url.QueryEscape(value),
		"url path":    url.PathEscape(value),
		"base64":      base64.StdEncoding.EncodeToString([]byte("x" + value + "yz")),
		"base64, two": base64.URLEncoding.EncodeToString([]byte("xy" + value)),
		"powershell":  base64.StdEncoding.EncodeToString(wide),
	} {
		got := r.Text(text)
		if !strings.Contains(got, "«secret: env:PW»") {
			t.Errorf("%s: %q stays %q", name, text, got)
		}
	}
	if got := r.Text("port 1234"); got != "port 1234" {
		t.Errorf("a short secret eats innocent text: %q", got)
	}
	secrets.Add("file:later", "hunter22")
	if got := r.Text("hunter22"); got != "«secret: file:later»" {
		t.Errorf("a secret that was added later is shown: %q", got)
	}
}

func FuzzRedactor(f *testing.F) {
	f.Add("hunter2", "the password is hunter2.")
	f.Add("a\"b\\c", "{\"x\":\"a\\\"b\\\\c\"}")
	f.Fuzz(func(t *testing.T, secret, around string) {
		if len(secret) < shortest || strings.Contains("«secret: s»", secret) || strings.Contains(secret, "«") || strings.Contains(secret, "»") {
			t.Skip()
		}
		var secrets engine.Secrets
		secrets.Add("s", secret)
		got := NewRedactor(&secrets).Text(around + secret + around)
		if strings.Contains(strings.ReplaceAll(got, "«secret: s»", "\x00"), secret) {
			t.Errorf("%q is still in %q", secret, got)
		}
	})
}

func TestSinksRedactEveryField(t *testing.T) {
	var secrets engine.Secrets
	secrets.Add("env:PW", "hunter22")
	exit := 3
	e := engine.Event{Title: "hunter22", Reason: "hunter22", Error: &engine.EventError{Text: "hunter22", Hint: "hunter22"},
		Args: []engine.Arg{{Name: "a", Value: "hunter22"}}, Changes: []engine.Change{{What: "hunter22", Before: "hunter22"}},
		Lines: []string{"echo hunter22"}, Values: `{"stdout":"hunter22"}`, Exit: &exit, Time: time.Unix(1, 0).UTC()}
	var out bytes.Buffer
	s := Sinks{NewRedactor(&secrets), []engine.Journal{JSON{&out}, &Terminal{W: &out, Verbose: 2}}}
	for _, kind := range []engine.EventKind{engine.EventIntent, engine.EventEntryEnd, engine.EventHostEnd, engine.EventCheck, engine.EventRunEnd} {
		e.Kind, e.Status = kind, "failed"
		if err := s.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), "hunter22") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
	if e.Lines[0] != "echo hunter22" {
		t.Error("the redaction changed the caller's event")
	}
	var back engine.Event
	if err := json.Unmarshal([]byte(strings.SplitN(out.String(), "\n", 2)[0]), &back); err != nil || *back.Exit != 3 || !back.Time.Equal(e.Time) {
		t.Errorf("the JSON line does not come back: %v %+v", err, back)
	}
}

// TestLinesOfASecretAreSecrets: a host that shows a key in its error, or a terminal with other line ends.
func TestLinesOfASecretAreSecrets(t *testing.T) {
	var secrets engine.Secrets
	lines := []string{"-----BEGIN PRIVATE KEY-----", "MC4CAQAwBQYDK2VwBCIEIN8yZ3hrb2Y", "", "short"}
	secrets.Add("file:key", strings.Join(lines, "\n")+"\n")
	r := NewRedactor(&secrets)
	for _, join := range []string{"\n", "\r\n", " / "} {
		if got := r.Text("it says: " + strings.Join(lines, join) + "; short of time"); strings.Contains(got, lines[1]) || !strings.Contains(got, "short of time") {
			t.Errorf("%q", got)
		}
	}
}

func TestTerminalKeepsHostsFromDrivingIt(t *testing.T) {
	var out bytes.Buffer
	term := &Terminal{W: &out}
	_ = term.Append(engine.Event{Kind: engine.EventHostEnd, Host: "h", Status: "failed", Error: &engine.EventError{Text: "\x1b]0;owned\a \u009b1A \u202e boom"}})
	if strings.ContainsAny(out.String(), "\x1b\a\u009b\u202e") {
		t.Errorf("control characters of a host reach the terminal: %q", out.String())
	}
}

func TestTerminalStory(t *testing.T) {
	var out bytes.Buffer
	term := &Terminal{W: &out}
	at := time.Unix(100, 0)
	exit := 4
	for _, e := range []engine.Event{
		{Kind: engine.EventPlayStart, Play: "case_a", Hosts: 2},
		{Kind: engine.EventIntent, Host: "g1", Entry: "case_a/step.start", Module: "service", Lines: []string{"sc.exe start vsepflt"}},
		{Kind: engine.EventEntryEnd, Host: "g1", Entry: "case_a/step.start", Module: "service", Status: "changed", Took: 1500 * time.Millisecond},
		{Kind: engine.EventHostEnd, Play: "case_a", Host: "g1", Status: "ok"},
		{Kind: engine.EventIntent, Host: "g3", Entry: "case_a/step.repair", Module: "vmware_tools"},
		{Kind: engine.EventEntryEnd, Host: "g3", Entry: "case_a/step.repair", Module: "vmware_tools", Status: "failed", Took: time.Second, Error: &engine.EventError{Text: "it does not answer"}},
		{Kind: engine.EventHostEnd, Play: "case_a", Host: "g3", Status: "ok"},
		{Kind: engine.EventHostEnd, Play: "case_a", Host: "g2", Status: "unreachable", Error: &engine.EventError{Text: "connect to 127.0.0.1:5985: refused", Hint: "is WinRM on?"}},
		{Kind: engine.EventPlayEnd, Play: "case_a", Counts: map[string]int{"ok": 1, "unreachable": 1}},
		{Kind: engine.EventRunEnd, Status: "unreachable", Reason: "2 hosts, 1 changed", Exit: &exit},
	} {
		e.Time = at
		_ = term.Append(e)
	}
	want := `  g1: service start
      $ sc.exe start vsepflt
  g1: service start: changed (1.5s)
  g3: vmware_tools repair
  g2: unreachable: connect to 127.0.0.1:5985: refused
      is WinRM on?
case_a: 2 hosts, 1 ok, 1 unreachable  (0s)

Hosts that were changed or are not ok
  g1  ok           service start
  g2  unreachable  connect to 127.0.0.1:5985: refused
  g3  ok           vmware_tools repair: failed: it does not answer

unreachable: 2 hosts, 1 changed
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// A host that failed while planning is told at the end when the run ends there, and not when the run went on.
func TestTableOfARunThatOnlyPlanned(t *testing.T) {
	failed := engine.Event{Kind: engine.EventHostEnd, Pass: "plan", Play: "p", Host: "g1", Status: "unreachable", Error: &engine.EventError{Text: "refused"}}
	for _, acts := range []bool{false, true} {
		var out bytes.Buffer
		term := &Terminal{W: &out}
		_ = term.Append(failed)
		_ = term.Append(engine.Event{Kind: engine.EventPlan})
		if acts {
			_ = term.Append(engine.Event{Kind: engine.EventPlayStart, Pass: "apply", Play: "p", Hosts: 1})
			_ = term.Append(engine.Event{Kind: engine.EventHostEnd, Pass: "apply", Play: "p", Host: "g1", Status: "ok"})
		}
		out.Reset()
		_ = term.Append(engine.Event{Kind: engine.EventRunEnd, Status: "x"})
		if got := strings.Contains(out.String(), "g1"); got == acts {
			t.Errorf("acting %v: the end says\n%s", acts, out.String())
		}
	}
}

// Forty hosts that were not begun for one reason are one row, except with -v.
func TestTableCountsWhatIsAlike(t *testing.T) {
	for verbose, want := range map[int]int{0: 1, 1: 5} {
		var out bytes.Buffer
		term := &Terminal{W: &out, Verbose: verbose}
		for _, host := range []string{"g1", "g2", "g3", "g4", "g5"} {
			_ = term.Append(engine.Event{Kind: engine.EventHostEnd, Pass: "apply", Play: "p", Host: host, Status: "not_attempted", Error: &engine.EventError{Text: "the run was stopped"}})
		}
		out.Reset()
		_ = term.Append(engine.Event{Kind: engine.EventRunEnd, Status: "stopped"})
		if got := strings.Count(out.String(), "the run was stopped"); got != want || verbose == 0 && !strings.Contains(out.String(), "  g1 and 4 more  not_attempted  the run was stopped\n") {
			t.Errorf("-v %d: %d rows:\n%s", verbose, got, out.String())
		}
	}
}

// A run that was gone on with ends as the last process says, with all that was done.
func TestTableOfARunThatWasGoneOnWith(t *testing.T) {
	var out bytes.Buffer
	term := &Terminal{W: &out}
	apply := engine.Event{Kind: engine.EventApply}
	did := engine.Event{Kind: engine.EventEntryEnd, Pass: "apply", Host: "g1", Entry: "p/step.x", Module: "service", Status: "changed"}
	end := engine.Event{Kind: engine.EventHostEnd, Pass: "apply", Host: "g1", Status: "aborted", Error: &engine.EventError{Text: "stopped"}}
	for _, e := range []engine.Event{apply, did, end, apply, {Kind: engine.EventHostEnd, Pass: "apply", Host: "g1", Status: "ok"}} {
		_ = term.Append(e)
	}
	out.Reset()
	_ = term.Append(engine.Event{Kind: engine.EventRunEnd, Status: "ok"})
	if want := "  g1  ok  service x\n"; !strings.Contains(out.String(), want) {
		t.Errorf("got %s\nwant %s", out.String(), want)
	}
}
