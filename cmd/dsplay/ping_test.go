package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/ping"
)

var updatePing = flag.Bool("update-ping", false, "write testdata/ping/* and the example in docs/ping.md anew")

// pinged is one host of every kind, with fixed times.
func pinged() ping.Report {
	ahead := -372.0
	return ping.Report{V: ping.Version, OK: 2, Failed: 1, Unreachable: 1, NotTried: 1, NoWay: 1, Hosts: []ping.Host{
		{Name: "dsva1", Status: ping.OK, Connection: "ssh", Address: "198.51.100.11:22", Via: "socks5 proxy ops@198.51.100.9:1080", User: "dsva by publickey",
			Identity: "ssh ssh-ed25519 SHA256:z5y/XOS+e", Platform: "posix", Sudo: &ping.Sudo{User: "root", Status: ping.Restricted}, ClockAhead: &ahead,
			Offered: []string{"publickey", "password"}, Weakenings: []string{"legacy_algorithms = true"}, Ms: 1240.5,
			Warnings: []ping.Warning{{Text: "its clock is 6m12s behind the one here", Hint: "set NTP right"}},
			Stages: []ping.Stage{
				{Name: "tcp", At: 0.2, Ms: 0.4, Detail: "198.51.100.9:1080 (the proxy)"},
				{Name: "proxy", At: 0.7, Ms: 3.1, Detail: "socks5 proxy ops@198.51.100.9:1080 → 198.51.100.11:22"},
				{Name: "handshake", At: 4, Ms: 210, Detail: "SSH-2.0-OpenSSH_6.6 diffie-hellman-group1-sha1", Weak: []string{"the key exchange diffie-hellman-group1-sha1 is weak"}},
				{Name: "login", At: 215, Ms: 1025, Detail: "dsva by publickey", Offered: []string{"publickey", "password"}},
			}},
		{Name: "evil\x1b[2J", Status: ping.OK, Connection: "winrm", Address: "198.51.100.31:5986", System: "Microsoft\rWindows\x1b]0;x\a", Platform: "windows", Ms: 3},
		{Name: "guest1", Status: ping.Unreachable, Connection: "winrm", Address: "198.51.100.31:5986", At: "login", Ms: 30.25, Offered: []string{"Negotiate", "Kerberos"},
			ValidUntil: "2027-01-02T03:04:05Z",
			Error:      &engine.EventError{Kind: engine.KindAuth, Host: "guest1", Text: "connect to 198.51.100.31:5986: the host refuses user LAB\\ops", Hint: "check user and password", Unreachable: true},
			Stages:     []ping.Stage{{Name: "tcp", Ms: 0.25}, {Name: "login", At: 0.25, Ms: 30, Offered: []string{"Negotiate", "Kerberos"}, Failed: true}}},
		{Name: "guest2", Status: ping.NotTried, Connection: "winrm", Address: "198.51.100.32"},
		{Name: "image", Status: ping.NoWay, Address: "image"},
		{Name: "vc1", Status: ping.Failed, Connection: "https", Address: "198.51.100.2:443", Identity: "tls sha256:d535 CN=vc1", At: "session", Ms: 12,
			API:   &ping.API{Kind: "vsphere", Login: ping.Failed},
			Error: &engine.EventError{Kind: engine.KindAuth, Host: "vc1", Text: "log in to vSphere: no credentials", Hint: `give user and password in its connection "https"`}},
	}}
}

// TestPingGolden holds what people and programs read.
func TestPingGolden(t *testing.T) {
	r := pinged()
	var js bytes.Buffer
	if err := writePing(&js, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", js.String())
	for name, view := range map[string]*pingView{"report.txt": {}, "report-v.txt": {verbose: true}, "report-color.txt": {color: true}} {
		var b bytes.Buffer
		view.w, view.width, view.total = &b, 7, len(r.Hosts)
		for _, h := range r.Hosts {
			view.done(h)
		}
		view.sum(r, 1250*time.Millisecond)
		text := b.String()
		if name != "report-color.txt" && strings.ContainsAny(text, "\x1b\a\r") {
			t.Errorf("%s: what a host says drives the terminal: %q", name, text)
		}
		golden(t, name, text)
	}
}

// TestPingWaiting holds the line that moves.
func TestPingWaiting(t *testing.T) {
	p := &pingView{total: 50, ended: 12}
	for _, host := range []string{"esx\x1b1", "dsva2"} {
		p.told(host, engine.Stage{Name: engine.StageTCP})
	}
	now := p.under["dsva2"].since.Add(4 * time.Second)
	if got, want := p.waiting(now), "12 of 50 done; esx\uFFFD1: 4s after tcp; dsva2: 4s after tcp"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.told(strings.Repeat("a very long name ", 9), engine.Stage{Name: engine.StageTCP})
	if n := len([]rune(p.waiting(now))); n > 78 {
		t.Errorf("it is %d characters long and would wrap", n)
	}
	p.columns = 50
	if n := len([]rune(p.waiting(now))); n > 48 {
		t.Errorf("it is %d characters long and would wrap in a narrow terminal", n)
	}
}

// TestPingNamesTheUnwell: of many hosts those with a fault are named at the end, for their lines are out of sight.
func TestPingNamesTheUnwell(t *testing.T) {
	r := pinged()
	for i := range manyHosts {
		r.Hosts = append(r.Hosts, ping.Host{Name: fmt.Sprint("more", i), Status: ping.OK})
	}
	var b strings.Builder
	(&pingView{w: &b}).sum(r, time.Second)
	if want := "failed: vc1\nunreachable: guest1\n16 hosts: "; !strings.HasPrefix(b.String(), want) {
		t.Errorf("%q does not begin with %q", b.String(), want)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "ping", name)
	if *updatePing {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update-ping writes it anew); got:\n%s", file, got)
	}
}

// TestPingFieldsAreDocumented: a field of the JSON that docs/ping.md does not have is none that anybody can rely on.
func TestPingFieldsAreDocumented(t *testing.T) {
	page := read(t, "../../docs/ping.md")
	for _, x := range []any{ping.Report{}, ping.Host{}, ping.Sudo{}, ping.API{}, ping.Warning{}, ping.Stage{}} {
		for f := range reflect.TypeOf(x).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("docs/ping.md lacks `%s` of %T", name, x)
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// varying is what differs from one run to the next.
var varying = regexp.MustCompile(`\]:\d+|127(\.\d+){3}(:\d+)?|SHA256:\S+|sha256:[0-9a-f]+|\d{4}-\d\d-\d\d|in \d+ days|\d+(\.\d+)? (ms|s)\b|[a-z]+ \d+(\.\d+)?( s)? [▏▎▍▌▋▊▉█]+`)

// TestPingExample holds the example of docs/ping.md against a lab: what varies may vary, nothing else.
func TestPingExample(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 1})
	for _, f := range [][2]string{{"wrong-host-key", "esx2"}, {"wrong-password", "guest1-1"}, {"unreachable", "dsva2"}} {
		if err := e.Inject(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	o := e.dsplay("ping", "dsva*", "esx2", "guest1-1", "vc1")
	if o.code != exitUnreachable || o.stderr != "" {
		t.Fatalf("exit %d, want %d\n%s", o.code, exitUnreachable, o)
	}
	got := regexp.MustCompile(`/\S+/lab/(known_hosts|id_ed25519)`).ReplaceAllString(o.stdout, "~/.ssh/$1")
	page := read(t, "../../docs/ping.md")
	const open, shut = "inventory.hcl\n", "```"
	before, rest, _ := strings.Cut(page, open)
	example, after, found := strings.Cut(rest, shut)
	if *updatePing {
		if err := os.WriteFile("../../docs/ping.md", []byte(before+open+got+shut+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if plain := func(s string) string { return varying.ReplaceAllString(s, "…") }; !found || plain(example) != plain(got) {
		t.Errorf("the example in docs/ping.md is another one (-update-ping writes it anew); got\n%s", got)
	}
}

// TestPingEstate asks everything of a lab, and every answer in JSON.
func TestPingEstate(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 1})
	report := func(code int, args ...string) ping.Report {
		t.Helper()
		o := e.dsplay(append([]string{"ping", "--json"}, args...)...)
		var r ping.Report
		if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || o.code != code {
			t.Fatalf("exit %d, want %d: %v\n%s", o.code, code, err, o)
		}
		files, err := filepath.Glob(filepath.Join(e.Dir(), "secrets", "*"))
		if err != nil || len(files) == 0 {
			t.Fatal("the lab has no secrets", err)
		}
		for _, file := range files {
			if strings.Contains(o.String(), strings.TrimSpace(read(t, file))) {
				t.Errorf("a secret is shown by ping %s", args)
			}
		}
		return r
	}
	r := report(0, "all")
	if r.OK != 9 || r.NoWay != 2 || len(r.Hosts) != 11 {
		t.Errorf("%+v", r)
	}
	for _, h := range r.Hosts {
		switch {
		case h.Status == ping.NoWay:
		case h.Connection == "https" && (h.API == nil || h.API.Login != ping.OK || h.API.Version == ""),
			h.Connection == "ssh" && (h.Platform == "" || len(h.Offered) == 0),
			strings.HasPrefix(h.Name, "dsva") && (h.Sudo == nil || h.Sudo.Status != ping.OK),
			h.Connection == "winrm" && h.Platform != "windows",
			h.Identity == "", h.ClockAhead == nil, len(h.Stages) < 3, h.Ms <= 0:
			t.Errorf("%+v", h)
		}
	}
	if r := report(0, "all", "--limit", "dsva"); len(r.Hosts) != 2 {
		t.Errorf("--limit: %d hosts, want 2", len(r.Hosts))
	}
	if err := e.Inject("unreachable", "vc1"); err != nil {
		t.Fatal(err)
	}
	if r := report(0, "esx1"); r.OK != 1 {
		t.Errorf("a host that is written needs no source: %+v", r)
	}
	o := e.dsplay("ping", "all")
	if o.code != exitUnreachable || !strings.Contains(o.stderr, "only the hosts that are written") || !strings.Contains(o.stdout, "9 hosts: 8 ok, 1 unreachable") {
		t.Errorf("a source that does not answer keeps the others from being tried: exit %d\n%s", o.code, o)
	}
}
