package lang_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/graph"
)

const wired = `
variable "who" { default = "x" }
play "a" {
  hosts        = group.guests
  max_failures = length(var.who)
  probe "vm" "look" { uuid = self.name }
  step "service" "do" {
    name  = probe.look.power
    state = "started"
    when  = host["vm1"].name == self.name
    retry { until = contains([for r in [result] : var.who], "x") }
  }
}
locals {
  one = [for h in play.a.hosts : h.name if h.probe.look.found]
  two = [for h in play.a.missing : h.name if contains(local.one, h.name)]
}
check "c" {
  condition     = length(local.two) == 0
  error_message = "no"
}
play "b" {
  hosts = local.one
  recover "r" {
    goal {
      probe "vm" "now" { uuid = var.who }
      condition = probe.now.found
    }
    attempt "the first" {
      step "service" "do" {
        name  = var.who
        state = "started"
      }
    }
  }
}
`

// TestGraph: for every node its needs; names are those of the play in which they stand.
func TestGraph(t *testing.T) {
	program, problems := load(t, wired, options())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	got := map[string]string{}
	ids := map[string]bool{}
	g := program.Graph()
	g.Walk(func(n *graph.Node, _ int) {
		ids[n.ID] = true
		var needs []string
		for _, need := range n.Needs {
			needs = append(needs, need.Name+"="+need.To+"("+strings.Join(need.By, " ")+")")
		}
		got[n.ID] = strings.Join(needs, " ")
	})
	for id, want := range map[string]string{
		"var.who": "", "locals": "",
		"play.a":            "group.guests=(hosts) var.who=var.who(max_failures)",
		"play.a/probe.look": "",
		"play.a/step.do":    "host.vm1=(when) probe.look=play.a/probe.look(name) var.who=var.who(retry.until)",
		"local.one":         "play.a.hosts=play.a()",
		"local.two":         "local.one=local.one() play.a.missing=play.a()",
		"check.c":           "local.two=local.two(condition)",
		"play.b":            "local.one=local.one(hosts)",
		"play.b/recover.r":  "", "play.b/recover.r/attempt.the first": "",
		"play.b/recover.r/goal":                      "probe.now=play.b/recover.r/goal/probe.now(condition)",
		"play.b/recover.r/goal/probe.now":            "var.who=var.who(uuid)",
		"play.b/recover.r/attempt.the first/step.do": "var.who=var.who(name)",
	} {
		if value, ok := got[id]; !ok || value != want {
			t.Errorf("%s (there: %t) needs %q, want %q", id, ok, value, want)
		}
	}
	g.Walk(func(n *graph.Node, _ int) {
		for _, need := range n.Needs {
			if need.To != "" && !ids[need.To] {
				t.Errorf("%s needs %s, which is not in the graph", n.ID, need.To)
			}
		}
	})
}
