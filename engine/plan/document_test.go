package plan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

func sample(t testing.TB) []byte {
	t.Helper()
	p := forecast(step("a", "p/step.x", WillRun, "echo '<ü>'"), probe("a", "p/probe.v", Probed, `{"x":1}`))
	p.Target(Play{Name: "p", Hosts: []string{"a"}})
	p.Identify("a", "ssh SHA256:x")
	p.Look("a", "cat /proc/uptime")
	p.Look("a", "cat /proc/uptime")
	data, err := p.Document(Document{
		Dsplay: "1", Until: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Planner: Planner{User: "ann"},
		Playbook: Playbook{Path: "p.hcl", Files: []File{NewFile(engine.File{Path: "p.hcl", Data: []byte("play")})}},
		Hosts:    []Host{{Name: "a"}},
	}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDocumentIsReadAsItWasWritten(t *testing.T) {
	data := sample(t)
	d, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Encode()
	if err != nil || string(again) != string(data) {
		t.Errorf("written again it is another one: %v\n%s\n%s", err, data, again)
	}
	h := d.Hosts[0]
	if h.Identity != "ssh SHA256:x" || len(h.Looked) != 1 || h.Looked[0].Times != 2 {
		t.Errorf("%+v", h)
	}
	envelope := d.Envelope(&engine.Playbook{})
	if err := envelope.Allow(step("a", "p/step.x", WillRun, "echo '<ü>'")); err != nil {
		t.Error(err)
	}
	if err := envelope.Allow(step("a", "p/step.x", WillRun, "echo '<u>'")); err == nil {
		t.Error("another command is allowed")
	}
	other := step("a", "p/step.x", WillRun, "echo '<ü>'")
	if other.Module = "shell"; envelope.Allow(other) == nil {
		t.Error("another module is allowed")
	}
}

func TestReadRefuses(t *testing.T) {
	data := string(sample(t))
	fake := func(doc string) string { return `{"id":"` + idOf([]byte(doc)) + `","plan":` + doc + "}\n" }
	for name, c := range map[string]struct{ file, want string }{
		"nothing":          {"", "no plan"},
		"half":             {data[:len(data)/2], "no plan"},
		"no line end":      {strings.TrimSuffix(data, "\n"), "no plan"},
		"something behind": {data + "x", "no plan"},
		"spaces":           {strings.Replace(data, `","plan":`, `", "plan":`, 1), "no plan"},
		"another command":  {strings.Replace(data, "echo", "rm -", 1), "altered"},
		"another major":    {fake(`{"format":"2.0","dsplay":"9.9"}`), "format 2.0, made by dsplay 9.9"},
		"no format":        {fake(`{"dsplay":"9.9"}`), "no plan"},
		"no JSON":          {fake(`{"format":"1.0"`), "no plan"},
		"another playbook under the old hash": {
			fake(`{"format":"1.0","playbook":{"path":"p.hcl","files":[{"path":"p.hcl","sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","data":"eQ=="}]}}`), "p.hcl has the hash 2d71",
		},
		"a number for a string": {fake(`{"format":"1.0","hosts":[{"name":1}]}`), "cannot"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if d, err := Read([]byte(fake(`{"format":"1.7","later":true}`))); err != nil || d.Format != "1.7" {
		t.Errorf("a later minor format must be read: %v", err)
	}
}

// The id is the SHA-256 of what any JSON tool takes out of the file, byte by byte.
func TestIDCanBeCheckedWithoutDsplay(t *testing.T) {
	var file struct {
		ID   string          `json:"id"`
		Plan json.RawMessage `json:"plan"`
	}
	if err := json.Unmarshal(sample(t), &file); err != nil || idOf(file.Plan) != file.ID {
		t.Errorf("%v %s", err, file.ID)
	}
}

// A plan in which any byte is another, or missing, or that has one more, is refused.
func TestEveryByteCounts(t *testing.T) {
	data := sample(t)
	refused := func(what string, at int, file []byte) {
		t.Helper()
		if _, err := Read(file); err == nil {
			t.Errorf("%s at byte %d (%q): it is read", what, at, data[max(0, at-20):min(len(data), at+20)])
		}
	}
	for i := range data {
		for bit := range 8 {
			bent := append([]byte(nil), data...)
			bent[i] ^= 1 << bit
			refused("another bit", i, bent)
		}
		refused("cut", i, data[:i])
		refused("one byte less", i, append(append([]byte(nil), data[:i]...), data[i+1:]...))
		refused("one byte more", i, append(append(append([]byte(nil), data[:i]...), ' '), data[i:]...))
	}
}

// Who swaps parts of two plans gets a plan with another id: an id that somebody expects, and signatures, do not fit it.
func TestSwappedPartsAreAnotherPlan(t *testing.T) {
	one, err := Read(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	id := one.ID
	for name, swap := range map[string]func(d *Document){
		"items":     func(d *Document) { d.Items = d.Items[:1] },
		"until":     func(d *Document) { d.Until = d.Until.AddDate(1, 0, 0) },
		"planner":   func(d *Document) { d.Planner.User = "bob" },
		"playbook":  func(d *Document) { d.Playbook.Files[0] = NewFile(engine.File{Path: "p.hcl", Data: []byte("other")}) },
		"identity":  func(d *Document) { d.Hosts[0].Identity = "none" },
		"batches":   func(d *Document) { d.Plays[0].Batches = []int{9} },
		"variables": func(d *Document) { d.Variables = []Variable{{Name: "reboot", Value: json.RawMessage("true")}} },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Read(sample(t))
			if err != nil {
				t.Fatal(err)
			}
			swap(d)
			file, err := d.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Read(file); err != nil || again.ID == id {
				t.Errorf("%v: the id is still %s", err, id)
			}
		})
	}
}
