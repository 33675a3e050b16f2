package inventory_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/inventory"
)

func load(t testing.TB, src string, opts inventory.Options) *inventory.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inventory.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	m, problems := inventory.Load(path, opts)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return m
}

const estateHCL = `
group "all" {
  site = "hq"
}
group "guests" {
  connection "ssh" {
    user     = "ops"
    password = secret("env:DSPLAY_TEST_PW")
  }
  sudo {}
  esxi = "by the group"
  cpus = 1
}
group "special" {}
host "vc1" { address = "192.0.2.1" }
host "g2" {
  groups = ["special"]
  esxi   = "by the file"
  connection "ssh" { port = 2222 }
}
source "estate" "vc1" {
  from   = "vc1"
  groups = { guests = "guests" }
}
`

type conn struct{ host *engine.Host }

func (conn) Identity() string { return "none" }
func (conn) Close() error     { return nil }

func open(_ context.Context, h *engine.Host) (engine.Conn, error) { return conn{h}, nil }

// gives makes options whose source gives these hosts.
func gives(found ...inventory.Found) inventory.Options {
	opts := options()
	opts.Sources = map[string]inventory.Source{"estate": &estate{func(context.Context, *estateSettings, func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
		return found, nil
	}}}
	return opts
}

func guest(name, address string) inventory.Found {
	return inventory.Found{Name: name, Address: address, Groups: []string{"guests"}, Attrs: map[string]cty.Value{
		"uuid": cty.StringVal("uuid of " + name), "esxi": cty.StringVal("esx1"), "cpus": cty.NullVal(cty.Number)}}
}

func TestResolve(t *testing.T) {
	t.Setenv("DSPLAY_TEST_PW", "hunter2")
	opts := gives()
	var asked string
	opts.Sources["estate"].(*estate).fetch = func(ctx context.Context, s *estateSettings, open func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
		c, err := open(ctx, s.From)
		if err != nil {
			return nil, err
		}
		asked = c.(conn).host.Address
		return []inventory.Found{guest("g1", "192.0.2.11"), guest("g2", "192.0.2.12")}, nil
	}
	m := load(t, estateHCL, opts)
	if names := m.Inventory().Names(); !slices.Equal(names, []string{"g2", "vc1"}) {
		t.Errorf("written: %v", names)
	}
	if ty := m.Inventory().Attrs["uuid"]; ty != cty.String {
		t.Errorf("uuid is %#v before the source was asked", ty)
	}
	inv, problems := m.Resolve(t.Context(), open)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if asked != "192.0.2.1" {
		t.Errorf("the source asked %q", asked)
	}
	g1, g2 := inv.Hosts["g1"], inv.Hosts["g2"]
	if g1.Address != "192.0.2.11" || g1.Source != "vc1" || g1.Range.Line != 21 || g1.Connection.Type != "ssh" || g1.Sudo == nil || !slices.Equal(g1.Groups, []string{"guests"}) {
		t.Errorf("g1: %+v", g1)
	}
	if s := g1.Connection.Settings.(*sshSettings); s.User != "ops" || s.Port != 22 || s.Password.Reveal() != "hunter2" {
		t.Errorf("g1: %+v", s)
	}
	for attr, want := range map[string]cty.Value{"uuid": cty.StringVal("uuid of g1"), "esxi": cty.StringVal("esx1"), "cpus": cty.NumberIntVal(1), "site": cty.StringVal("hq")} {
		if !g1.Attrs[attr].RawEquals(want) {
			t.Errorf("g1.%s = %#v, want %#v", attr, g1.Attrs[attr], want)
		}
	}
	if s := g2.Connection.Settings.(*sshSettings); g2.Source != "" || g2.Address != "192.0.2.12" || s.Port != 2222 || s.User != "ops" || !slices.Equal(g2.Groups, []string{"guests", "special"}) {
		t.Errorf("g2: %+v, %+v", g2, s)
	}
	if !g2.Attrs["esxi"].RawEquals(cty.StringVal("by the file")) || !g2.Attrs["uuid"].RawEquals(cty.StringVal("uuid of g2")) {
		t.Errorf("g2: %#v", g2.Attrs)
	}
	if !slices.Equal(inv.Groups["guests"], []string{"g1", "g2"}) || !slices.Equal(inv.Groups["all"], []string{"g1", "g2", "vc1"}) {
		t.Errorf("groups %v", inv.Groups)
	}
	if local := inv.Hosts[engine.Localhost]; local.Connection.Type != "local" || local.Connection.Settings == nil || len(local.Groups) != 0 {
		t.Errorf("localhost: %+v", local)
	}
	by := map[string]string{}
	for _, o := range m.Explain("g2") {
		by[o.Name] = o.By
		if strings.Contains(o.Value, "hunter2") {
			t.Errorf("a secret is shown: %v", o)
		}
	}
	for name, want := range map[string]string{"address": `source "vc1"`, "uuid": `source "vc1"`, "esxi": `host "g2"`, "cpus": `group "guests"`, "site": `group "all"`, "connection.port": `host "g2"`, "connection.user": `group "guests"`} {
		if by[name] != want {
			t.Errorf("Explain: %s comes from %s, want %s", name, by[name], want)
		}
	}
	if again, problems := m.Resolve(t.Context(), open); len(problems) > 0 || len(again.Hosts) != 4 {
		t.Errorf("resolved again: %d hosts, %v", len(again.Hosts), problems)
	}
}

func TestResolveProblems(t *testing.T) {
	t.Setenv("DSPLAY_TEST_PW", "hunter2")
	failing := options()
	failing.Sources = map[string]inventory.Source{"estate": &estate{func(ctx context.Context, _ *estateSettings, open func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
		return nil, &engine.Error{Kind: engine.KindAuth, Host: "vc1", Op: "log in", Msg: "wrong password", Hint: "Look at the account's lock."}
	}}}
	lonely := options()
	lonely.Sources = map[string]inventory.Source{"estate": &estate{func(ctx context.Context, _ *estateSettings, open func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
		_, err := open(ctx, "vc2")
		return nil, err
	}}}
	strange := guest("g1", "")
	strange.Attrs = map[string]cty.Value{"color": cty.StringVal("red")}
	unknown := guest("g1", "")
	unknown.Attrs = map[string]cty.Value{"esxi": cty.UnknownVal(cty.String)}
	wrong := guest("g1", "")
	wrong.Attrs = map[string]cty.Value{"cpus": cty.StringVal("many")}
	lost := guest("g1", "")
	lost.Groups = []string{"gests"}
	for name, c := range map[string]struct {
		opts inventory.Options
		want string
	}{
		"fails":         {failing, `The source "vc1" (estate) could not be asked`},
		"blames":        {failing, `host vc1: log in: wrong password.`},
		"hints":         {failing, "Look at the account's lock."},
		"opens unknown": {lonely, `connect to vc2: no such host is written`},
		"twice":         {gives(guest("g1", ""), guest("g1", "")), `found a host "g1", which the source "vc1"`},
		"name":          {gives(guest("a\nb", "")), `found a host "a\nb"`},
		"localhost":     {gives(guest("localhost", "")), `localhost is built in`},
		"unannounced":   {gives(strange), `"color" that it did not announce`},
		"unknown":       {gives(unknown), `secret or not known`},
		"type":          {gives(wrong), `a number is required`},
		"group":         {gives(lost), `No group "gests" is declared. Did you mean "guests"? A group`},
	} {
		t.Run(name, func(t *testing.T) {
			m := load(t, estateHCL, c.opts)
			inv, problems := m.Resolve(t.Context(), open)
			if inv != nil || !strings.Contains(problems.Error(), c.want) {
				t.Errorf("%q is not in %v", c.want, problems)
			}
			if !strings.Contains(problems.Error(), "inventory.hcl:21:1") || !strings.Contains(problems.Error(), `source "estate" "vc1" {`) {
				t.Errorf("not placed at the source: %v", problems)
			}
			if _, again := m.Resolve(t.Context(), open); again.Error() != problems.Error() {
				t.Errorf("asked again it says %v", again)
			}
		})
	}
}

func TestSourcesAreAskedTogether(t *testing.T) {
	opts := options()
	meet := make(chan string)
	opts.Sources = map[string]inventory.Source{"estate": &estate{func(ctx context.Context, s *estateSettings, _ func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
		select { // each waits for the other
		case meet <- s.From:
		case <-meet:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return nil, nil
	}}}
	m := load(t, "host \"a\" {}\nhost \"b\" {}\nsource \"estate\" \"a\" { from = \"a\" }\nsource \"estate\" \"b\" { from = \"b\" }\n", opts)
	if _, problems := m.Resolve(t.Context(), open); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{filepath.Join(dir, "none"): "-i FILE", dir: "No file in this folder ends in .hcl"} {
		if m, problems := inventory.Load(path, options()); m != nil || !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %v", path, problems)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := "host \"a\" {\n  connection \"ssh\" {\n    user = \"u\"\n    password = secret(\"file:pw\")\n  }\n}\n" +
		"host \"b\" {\n  connection \"https\" { password = \"in the file\" }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "i.hcl"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := options()
	m, problems := inventory.Load(dir, opts)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if s := m.Inventory().Hosts["a"].Connection.Settings.(*sshSettings); s.Password.Reveal() != "hunter2" || s.Password.Name != "file:pw" {
		t.Errorf("%+v", s)
	}
	if all := opts.Secrets.All(); all["hunter2"] != "file:pw" || all["in the file"] != "plain text" {
		t.Errorf("registered: %v", all)
	}
	if files := m.Files(); len(files) != 1 || string(files[0].Data) != src {
		t.Errorf("%v", files)
	}
}

func BenchmarkLoad(b *testing.B) {
	var src strings.Builder
	src.WriteString("group \"dsva\" {\n  connection \"ssh\" { user = \"u\" }\n  sudo {}\n  vcenter = \"vc1\"\n}\ngroup \"tokyo\" {\n  groups = [\"dsva\"]\n}\n")
	for i := range 10_000 {
		fmt.Fprintf(&src, "host \"h%d\" {\n  address = \"192.0.2.1\"\n  groups  = [\"tokyo\"]\n  esxi    = \"esx%d\"\n  uuid    = \"%036d\"\n", i, i%100, i)
		if i%10 == 0 {
			src.WriteString("  connection \"ssh\" { port = 2222 }\n")
		}
		src.WriteString("}\n")
	}
	path := filepath.Join(b.TempDir(), "inventory.hcl")
	if err := os.WriteFile(path, []byte(src.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if m, problems := inventory.Load(path, options()); m == nil || len(m.Inventory().Hosts) != 10_001 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	b.Setenv("DSPLAY_TEST_PW", "hunter2")
	found := make([]inventory.Found, 10_000)
	for i := range found {
		found[i] = guest(fmt.Sprintf("guest%d", i), "192.0.2.1")
	}
	found[0].Name = "g2"
	m := load(b, estateHCL, gives(found...))
	for b.Loop() {
		if inv, problems := m.Resolve(b.Context(), open); inv == nil || len(inv.Hosts) != 10_002 {
			b.Fatal(problems)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(estateHCL)
	for _, folder := range []string{"testdata/good", "testdata/bad"} {
		paths, _ := filepath.Glob(folder + "/*.hcl")
		for _, path := range paths {
			if data, err := os.ReadFile(path); err == nil {
				f.Add(string(data))
			}
		}
	}
	f.Setenv("DSPLAY_TEST_PW", "hunter2")
	path := filepath.Join(f.TempDir(), "fuzz.hcl")
	f.Fuzz(func(t *testing.T, src string) {
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		m, problems := inventory.Load(path, gives(guest("g1", "")))
		if text := problems.Error(); strings.Contains(text, "hunter2") && !strings.Contains(src, "hunter2") {
			t.Errorf("a secret is in\n%s", text)
		}
		if m != nil {
			_, _ = m.Resolve(t.Context(), open)
			for _, name := range m.Inventory().Names() {
				m.Explain(name)
			}
		}
	})
}
