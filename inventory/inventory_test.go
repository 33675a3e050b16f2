package inventory_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/inventory"
)

var update = flag.Bool("update", false, "write the golden files anew")

type sshSettings struct {
	User     string        `hcl:"user"`
	Port     int           `hcl:"port,optional"`
	Password engine.Secret `hcl:"password,optional"`
	HostKeys string        `hcl:"host_keys,optional" oneof:"strict accept-new"`
	Key      string        `hcl:"key,optional"`
	Jumps    []jump        `hcl:"jump,block"`
}

type jump struct {
	Address string `hcl:"address,label"`
	User    string `hcl:"user,optional"`
}

// Validate refuses a key that is no path, as a real transport may.
func (s *sshSettings) Validate() error {
	if strings.Contains(s.Key, "PRIVATE KEY") {
		return engine.BadArg{Arg: "key", Problem: "must be the path of a file, not the key itself"}
	}
	return nil
}

// guestSettings lead through another host.
type guestSettings struct {
	VCenter string `hcl:"vcenter"`
	Jump    string `hcl:"jump,optional"`
}

func (g *guestSettings) Needs() []engine.Need {
	needs := []engine.Need{{Arg: "vcenter", Host: g.VCenter, Written: true, Type: "https"}}
	if g.Jump != "" {
		needs = append(needs, engine.Need{Arg: "jump", Host: g.Jump})
	}
	return needs
}

type httpsSettings struct {
	Kind     string        `hcl:"kind,optional" oneof:"vsphere dsm"`
	Password engine.Secret `hcl:"password,optional"`
}

type transport struct{ settings func() any }

func (t transport) Settings() any { return t.settings() }
func (t transport) Open(context.Context, *engine.Host) (engine.Conn, error) {
	return nil, errors.New("the tests of the inventory open nothing")
}

// estate is a source that gives what its function gives.
type estate struct {
	fetch func(ctx context.Context, s *estateSettings, open func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error)
}

type estateSettings struct {
	From   string            `hcl:"from"`
	Groups map[string]string `hcl:"groups,optional"`
	UUIDs  bool              `hcl:"uuids,optional"`
}

func (e *estate) Settings() any { return &estateSettings{UUIDs: true} }

func (e *estate) Attrs(settings any) map[string]cty.Type {
	attrs := map[string]cty.Type{"esxi": cty.String, "cpus": cty.Number}
	if settings.(*estateSettings).UUIDs {
		attrs["uuid"] = cty.String
	}
	return attrs
}

func (e *estate) Fetch(ctx context.Context, settings any, open func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
	return e.fetch(ctx, settings.(*estateSettings), open)
}

func options() inventory.Options {
	return inventory.Options{
		Transports: map[string]engine.Transport{
			"ssh":   transport{func() any { return &sshSettings{Port: 22, HostKeys: "strict"} }},
			"https": transport{func() any { return &httpsSettings{} }},
			"local": transport{func() any { return &struct{}{} }},
			"guest": transport{func() any { return &guestSettings{} }},
		},
		Sources: map[string]inventory.Source{"estate": &estate{}},
		Secrets: &engine.Secrets{},
	}
}

func cases(t *testing.T, folder string, least int) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".hcl") {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	if len(out) < least {
		t.Errorf("only %d cases in %s", len(out), folder)
	}
	return out
}

// The problems of each file (or folder of files) in testdata/bad are exactly those announced by
// "# ERROR: part of the text" at the end of their lines. More than one on a line are separated by "|".
func TestBad(t *testing.T) {
	t.Setenv("DSPLAY_TEST_PW", "hunter2")
	for _, path := range cases(t, "testdata/bad", 25) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m, problems := inventory.Load(path, options())
			if m != nil || problems.Err() == nil {
				t.Fatal("it was loaded without an error")
			}
			announced := announcements(t, path)
			for _, p := range problems {
				place := fmt.Sprintf("%s:%d", p.Range.File, p.Range.Line)
				i := slices.IndexFunc(announced[place], func(want string) bool { return strings.Contains(p.String(), want) })
				if i < 0 {
					t.Errorf("not announced:\n%s", p)
					continue
				}
				announced[place] = slices.Delete(announced[place], i, i+1)
				if p.Source == "" {
					t.Errorf("without its source line:\n%s", p)
				}
			}
			for place, rest := range announced {
				for _, want := range rest {
					t.Errorf("%s: no problem %q", place, want)
				}
			}
			if strings.Contains(problems.Error(), "hunter2") {
				t.Errorf("a secret is in\n%s", problems)
			}
		})
	}
}

func announcements(t *testing.T, path string) map[string][]string {
	t.Helper()
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files, _ = filepath.Glob(filepath.Join(path, "*.hcl"))
	}
	out := map[string][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scan := bufio.NewScanner(bytes.NewReader(data))
		for n := 1; scan.Scan(); n++ {
			if _, texts, ok := strings.Cut(scan.Text(), "# ERROR: "); ok {
				for text := range strings.SplitSeq(texts, "|") {
					place := fmt.Sprintf("%s:%d", file, n)
					out[place] = append(out[place], strings.TrimSpace(text))
				}
			}
		}
	}
	return out
}

// Each file or folder in testdata/good is loaded and compared with the .golden file beside it
// (go test ./inventory -update writes them).
func TestGood(t *testing.T) {
	t.Setenv("DSPLAY_TEST_PW", "hunter2")
	for _, path := range cases(t, "testdata/good", 10) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m, problems := inventory.Load(path, options())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got := describe(t, m)
			golden := strings.TrimSuffix(path, ".hcl") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is in\n%s", got)
			}
		})
	}
}

// describe writes the types, groups and hosts of an inventory, and what Explain says of each host.
func describe(t *testing.T, m *inventory.Model) string {
	t.Helper()
	inv := m.Inventory()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(inv.Attrs)) {
		fmt.Fprintf(&b, "attribute %s: %s\n", name, inv.Attrs[name].FriendlyName())
	}
	for _, name := range slices.Sorted(maps.Keys(inv.Groups)) {
		fmt.Fprintf(&b, "group %s: %s\n", name, strings.Join(inv.Groups[name], " "))
	}
	for _, name := range inv.Names() {
		h := inv.Hosts[name]
		fmt.Fprintf(&b, "\nhost %s at %s, groups %v, %s\n", h.Name, h.Address, h.Groups, h.Range)
		for _, attr := range slices.Sorted(maps.Keys(h.Attrs)) {
			fmt.Fprintf(&b, "  %s = %s\n", attr, decode.Show(h.Attrs[attr]))
		}
		if h.Connection.Type != "" {
			settings, err := json.Marshal(h.Connection.Settings)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %s %s\n", h.Connection.Type, settings)
		}
		if h.Sudo != nil {
			fmt.Fprintf(&b, "  sudo %+v\n", *h.Sudo)
		}
		for _, o := range m.Explain(name) {
			fmt.Fprintf(&b, "    %s: %s  (%s %s)\n", o.Name, o.Value, o.By, o.Place)
		}
	}
	return b.String()
}
