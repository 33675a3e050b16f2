package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/plan"
)

// How many of a group may be acted on is judged by the inventory, whatever the file of a plan says of its hosts.
func TestGroupsAreThoseOfTheInventory(t *testing.T) {
	s := &session{inv: &engine.Inventory{Hosts: map[string]*engine.Host{"vc": {Name: "vc", Groups: []string{"vcenter"}, Connection: engine.Connection{Type: "https"}}}}}
	d := &plan.Document{Hosts: []plan.Host{{Name: "vc", Groups: []string{"guests"}, Connection: "ssh", Identity: "x"}, {Name: "gone", Groups: []string{"esxi"}}}}
	now := s.inGroups(d)
	if h := now.Hosts[0]; !slices.Equal(h.Groups, []string{"vcenter"}) || h.Connection != "https" || h.Identity != "x" || now.Hosts[1].Groups[0] != "esxi" {
		t.Errorf("%+v", now.Hosts)
	}
	if d.Hosts[0].Groups[0] != "guests" {
		t.Error("the document was changed")
	}
}

// What cron may do it does; what comes again too soon, and what is more than the policy permits, is left for a person, who does
// it with the line that the output gives.
func TestPolicyOnTheLab(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir()) // what other tests did is not its past
	e := newSerialEstate(t, lab.Options{ESXi: 3, Guests: 4})
	dir := t.TempDir()
	write(t, dir, "night.hcl", `policy "night" {
  playbooks = ["playbooks/engine-offline.hcl"]
  modules   = ["ds_agent", "esxi_mux"]
  max_hosts = { esxi = 1, dsva = 1 }
  deny      = ["reboot", "power"]
  cooldown  = "6h"
  per_hour  = 20
  breaker   = { host = 2, estate = 3 }
}
`)
	night := func() outcome {
		t.Helper()
		return e.dsplay("run", "playbooks/engine-offline.hcl", "--policy", filepath.Join(dir, "night.hcl"), "--var", "poll=100ms", "--var", "patience=20s")
	}
	e.ended(night(), exitOK) // nothing is wrong

	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"})
	e.ended(night(), exitOK, "policy night: permits it")
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}})
	e.healthy()
	e.forget()

	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"})
	o := night()
	e.ended(o, exitRefused, "night: cooldown: within 6h0m0s 1 action of the plan was done already", "Left for a person: ")
	e.acted(map[string][]string{})

	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx3"})
	e.ended(night(), exitRefused, "night: max_hosts: dsva: 2 hosts are acted on at the worst, permitted are 1: dsva2, dsva3", "night: max_hosts: esxi: 2 hosts")
	e.acted(map[string][]string{})

	// the plan that was left is of the estate before esx3 went dark: it is refused as it would be different today
	left := regexp.MustCompile(`dsplay apply (\S+\.plan) --expect (sha256:\w+)`).FindStringSubmatch(o.String())
	if left == nil {
		t.Fatalf("nothing was left:\n%s", o)
	}
	e.ended(process(t, "apply", left[1], "--expect", left[2]), exitRefused, "would be different today")
	o = night()
	if left = regexp.MustCompile(`dsplay apply (\S+\.plan) --expect (sha256:\w+)`).FindStringSubmatch(o.String()); left == nil {
		t.Fatalf("nothing was left:\n%s", o)
	}
	e.ended(process(t, "apply", left[1], "--expect", left[2]), exitOK)
	e.healthy()
}
