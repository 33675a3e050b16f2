package lang_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
)

const desk = `
play "look" {
  hosts        = group.guests
  max_failures = "50%"
  probe "vm" "vm" {
    on   = self.vcenter
    uuid = self.uuid
  }
  step "service" "fix" {
    when  = !probe.vm.awake
    name  = "x"
    state = "started"
  }
}
locals {
  first  = play.look.hosts[0].name
  third  = play.look.hosts[2].name
  beside = [for h in play.look.missing : h.error]
  after  = upper(local.third)
}
play "act" {
  hosts = [local.first]
  recover "r" {
    goal {
      probe "vm" "now" {
        on   = self.vcenter
        uuid = self.uuid
      }
      condition = probe.now.awake
    }
    attempt "one" {
      step "service" "one" {
        name  = "x"
        state = "restarted"
      }
    }
  }
}
`

// console loads desk, and tells it that vm1 was looked at, that vm2 was silent, and nothing of play act.
func console(t *testing.T) *lang.Console {
	t.Helper()
	path := filepath.Join(t.TempDir(), "desk.hcl")
	if err := os.WriteFile(path, []byte(desk), 0o600); err != nil {
		t.Fatal(err)
	}
	c, problems := lang.LoadConsole(path, options())
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	c.Start(testInventory(), "", nil)
	items := c.Playbook().Items
	look := items[0].Play
	h := c.Begin(look).Host("vm1")
	h.Set(look.Entries[0], did(t, engine.StatusOK, vmResult{Found: true, Awake: true, ESXi: "esx1"}))
	h.Set(look.Entries[1], skipped(look.Entries[1]))
	c.End(look, append(ok("vm1"), engine.Outcome{Host: "vm2", Status: engine.HostUnreachable, Err: errors.New("silent")}))
	if err := c.Locals(items[1].Locals); err == nil || !strings.Contains(err.Error(), "desk.hcl:17") {
		t.Errorf("local.third: %v", err)
	}
	c.Explain(map[string]string{"act": "it was not begun"})
	return c
}

func TestConsole(t *testing.T) {
	vm1 := lang.At{Play: "look", Host: "vm1"}
	for _, tt := range []struct {
		src  string
		at   lang.At
		want string // the answer with its reasons, or a part of what is wrong
	}{
		{`local.first`, lang.At{}, `"vm1"`},
		{`local.beside`, lang.At{}, `["silent"]`},
		{`local.third`, lang.At{}, "(unknown)\n# local.third: "},
		{`[local.first, local.after]`, lang.At{}, "[\"vm1\", (unknown)]\n# local.third: "},
		{`play.act.hosts`, lang.At{}, "(unknown)\n# play.act: it was not begun"},
		{`play.act.hosts[*].nam`, lang.At{}, `Did you mean "name"`},
		{`type(play.act.hosts[0].probe.now.awake)`, lang.At{}, "bool"},
		{`type(local.beside)`, lang.At{}, "list(string)"},
		{`probe.vm.esxi`, vm1, `"esx1"`},
		{`step.fix.status`, vm1, `"skipped"`},
		{`self.name`, lang.At{Host: "vm2"}, `"vm2"`},
		{`probe.vm`, lang.At{Host: "vm2"}, "Choose a play: .play NAME"},
		{`self.name`, lang.At{Play: "look"}, "Choose one: .host NAME"},
		{`probe.vm.esxi`, lang.At{Play: "look", Host: "vm2"}, "(unknown)\n# probe.vm: the record has no result of it on vm2"},
		{`step.one.changed`, lang.At{Play: "act", Host: "vm1"}, "(unknown)\n# step.one: it was not begun"},
		{`step.on`, lang.At{Play: "act", Host: "vm1"}, `Did you mean "one"`},
		{`run.id`, lang.At{}, "(unknown)\n# run.id: "},
		{`self.rack == null && probe.vm.awake`, vm1, "true"},
		{`null && true`, lang.At{}, "Neither true nor false"}, // as in a playbook, not as in HCL
		{`each.key`, vm1, "No item here"},
		{`result.x`, vm1, "No result here"},
		{`input.x`, vm1, "No input here"},
		{`inventory_hostname`, vm1, "Write self.name"},
		{`upper(`, lang.At{}, "Missing expression"},
		{``, lang.At{}, "Missing expression"},
	} {
		answer, problems := console(t).Eval(tt.src, tt.at)
		got := answer.Text
		for _, why := range answer.Unknown {
			got += "\n# " + why
		}
		if problems.Err() != nil {
			got = problems.Error()
		}
		if got != tt.want && (!strings.Contains(got, tt.want) || problems.Err() == nil && answer.Unknown == nil) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.src, got, tt.want)
		}
	}
}

// One expression leaves nothing behind that changes the next, and places are those of everything that was typed.
func TestConsoleGoesOn(t *testing.T) {
	c := console(t)
	c.Skip("# a comment")
	for range 3 {
		if answer, problems := c.Eval("[for h in play.look.hosts :\nlocal.first == h.name && h.probe.vm.awake]", lang.At{}); problems != nil || answer.Text != "[true]" {
			t.Errorf("got %v, %v", answer, problems)
		}
	}
	_, problems := c.Eval("  local.frist", lang.At{})
	if len(problems) != 1 || problems[0].Range.Line != 8 || problems[0].Range.Col != 8 || problems[0].Source != "  local.frist" {
		t.Errorf("got %+v", problems)
	}
}

func TestIncomplete(t *testing.T) {
	for src, want := range map[string]bool{
		"": false, "1 +": false, "[": true, "[1,\n2]": false, "{ a = (": true, `"${`: true, `"${1}"`: false, `"["`: false, "<<EOT": true, "<<EOT\nx\nEOT": false, "]": false, "# [": false,
	} {
		if got := lang.Incomplete(src); got != want {
			t.Errorf("%q: %v", src, got)
		}
	}
}

func TestConsoleComplete(t *testing.T) {
	c := console(t)
	vm1 := lang.At{Play: "look", Host: "vm1"}
	for _, tt := range []struct {
		line, want string
		at         lang.At
	}{
		{"local.", "after beside first third", lang.At{}},
		{"[for h in play.", "act look", lang.At{}},
		{"length(play.look.", "hosts missing", lang.At{}},
		{"play.look.hosts[0].probe.", "vm", lang.At{}},
		{"probe.vm.a", "awake", vm1},
		{"probe.", "", lang.At{}},
		{"upp", "upper", lang.At{}},
		{"1 + loc", "local", lang.At{}},
		{"nonsense.", "", lang.At{}},
	} {
		names, _ := c.Complete(tt.line, tt.at)
		if !slices.Equal(names, strings.Fields(tt.want)) {
			t.Errorf("%q: %v", tt.line, names)
		}
	}
}
