package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
	"golang.org/x/crypto/ssh"
)

// small is an estate that is quick to look at.
var small = lab.Options{ESXi: 3, Guests: 4}

// ending is how apply has to end, and what it may have changed.
type ending struct {
	code  int
	says  []string
	acted map[string][]string
}

func ill(names ...string) []lab.Fault {
	var faults []lab.Fault
	for _, n := range names {
		faults = append(faults, lab.Fault{Name: "driver-stopped", Target: n})
	}
	return faults
}

func dark(names ...string) []lab.Fault {
	var faults []lab.Fault
	for _, n := range names {
		faults = append(faults, lab.Fault{Name: "dsva-stuck", Target: n})
	}
	return faults
}

// The world between plan and apply: what each mode makes of it. What is refused has changed nothing.
func TestDrift(t *testing.T) {
	t.Parallel()
	nothing := map[string][]string{}
	refused := func(says ...string) ending {
		return ending{exitRefused, append([]string{"nothing was executed"}, says...), nothing}
	}
	for _, c := range []struct {
		name           string
		lab            lab.Options
		faults         []lab.Fault
		then           func(e *estate)
		refuse, narrow ending
	}{
		{
			"values change, and no decision", small, append(dark("esx2"), ill("guest1-2")...),
			func(e *estate) { e.inject(lab.Fault{Name: "off", Target: "guest2-1"}) },
			ending{exitOK, nil, map[string][]string{"dsva2": {restartAgent, heartbeat}, "guest1-2": {startDriver}}},
			ending{exitOK, nil, map[string][]string{"dsva2": {restartAgent, heartbeat}, "guest1-2": {startDriver}}},
		}, {
			"a guest healed itself", small, ill("guest1-2", "guest3-1"), func(e *estate) { e.heals("guest1-2") },
			refused("drift: case_a · guest1-2", "2 decisions would be different today (guest1-2)", "--on-drift narrow", "drifted"),
			ending{exitOK, []string{"dropped from the plan: case_a · guest1-2"}, map[string][]string{"guest3-1": {startDriver}}},
		}, {
			"everything healed itself", small, dark("esx2"), func(e *estate) { e.heals("esx2") },
			refused("2 decisions would be different today", "--on-drift narrow"),
			ending{exitOK, []string{"dropped from the plan: case_b · esx2", "nothing that the plan says is needed any more; nothing was changed"}, nothing},
		}, {
			"a guest fell ill", small, ill("guest1-2"), func(e *estate) { e.inject(ill("guest3-1")...) },
			refused("drift: case_a · guest3-1", "the plan does not have it", "plan again"),
			refused("drift: case_a · guest3-1", "the plan does not have it", "plan again"),
		}, {
			"one healed itself, another fell ill", small, ill("guest1-2"), func(e *estate) { e.heals("guest1-2"); e.inject(ill("guest3-1")...) },
			refused("4 decisions would be different today (guest1-2, guest3-1); plan again;"),
			refused("4 decisions would be different today (guest1-2, guest3-1); plan again;"),
		}, {
			"an ill guest moved to another ESXi host", small, ill("guest1-2"), func(e *estate) { e.inject(lab.Fault{Name: "moved", Target: "guest1-2"}) },
			ending{exitOK, nil, map[string][]string{"guest1-2": {startDriver}}},
			ending{exitOK, nil, map[string][]string{"guest1-2": {startDriver}}},
		}, {
			"an ill guest moved to an ESXi host that is dark", small, append(dark("esx2"), ill("guest1-2")...), func(e *estate) { e.inject(lab.Fault{Name: "moved", Target: "guest1-2"}) },
			refused("case_a · guest1-2", "not needed any more", "--on-drift narrow"),
			ending{exitOK, []string{"dropped from the plan: case_a · guest1-2", "run again for case A: guest1-2"}, map[string][]string{"dsva2": {restartAgent, heartbeat}}},
		}, {
			"a host key changed", small, append(dark("esx2"), ill("guest1-2")...), func(e *estate) { e.inject(lab.Fault{Name: "wrong-host-key", Target: "dsva2"}) },
			refused("dsva2", "host key", "cannot be judged now"),
			refused("dsva2", "host key", "cannot be judged now"),
		}, {
			"a host key changed, and somebody accepted it", small, append(dark("esx2"), ill("guest1-2")...), func(e *estate) {
				e.inject(lab.Fault{Name: "wrong-host-key", Target: "dsva2"})
				e.accept("dsva2")
			},
			refused("dsva2", "when the plan was made", "was it rebuilt meanwhile"),
			refused("dsva2", "when the plan was made", "was it rebuilt meanwhile"),
		}, {
			"somebody restarted the service, and it helped", small, dark("esx2"), func(e *estate) { e.restarts("dsva2") },
			refused("case_b · esx2", "--on-drift narrow"),
			ending{exitOK, []string{"nothing was changed"}, nothing},
		}, {
			"somebody restarted the service in vain", small, []lab.Fault{{Name: "mux-stuck", Target: "esx2"}}, func(e *estate) { e.restarts("dsva2") },
			ending{exitOK, nil, map[string][]string{"dsva2": {restartAgent, heartbeat}, "esx2": {restartMux}}},
			ending{exitOK, nil, map[string][]string{"dsva2": {restartAgent, heartbeat}, "esx2": {restartMux}}},
		}, {
			"a comment in the inventory", small, ill("guest1-2"), func(e *estate) { e.inventory("# Written by", "# Now written by") },
			ending{exitOK, []string{"inventory.hcl", "is not the file that it was"}, map[string][]string{"guest1-2": {startDriver}}},
			ending{exitOK, []string{"is not the file that it was"}, map[string][]string{"guest1-2": {startDriver}}},
		}, {
			"another user for a host that is acted on", small, append(dark("esx2"), ill("guest1-2")...), func(e *estate) { e.inventory(`= "dsva"`, `= "root"`) },
			refused("dsva2", "reached in another way", "inventory.hcl:", "settings of its connection", "plan again"),
			refused("dsva2", "reached in another way"),
		}, {
			"another address of a host that is acted on", small, ill("guest1-2"), func(e *estate) { e.address("guest1-2", "127.0.0.1") },
			refused("guest1-2", "reached in another way", "inventory.hcl:", "now it has 127.0.0.1 over winrm"),
			refused("guest1-2", "reached in another way"),
		}, {
			"another address of a host that is left alone", small, ill("guest1-2"), func(e *estate) { e.address("guest2-1", "127.0.0.1") },
			ending{exitOK, []string{"is not the file that it was"}, map[string][]string{"guest1-2": {startDriver}}},
			ending{exitOK, nil, map[string][]string{"guest1-2": {startDriver}}},
		}, {
			"a host is not in the inventory any more", lab.Options{ESXi: 3, Guests: 4, Static: true}, ill("guest1-2", "guest3-1"), func(e *estate) { e.unlisted("guest1-2") },
			refused("case_a · guest1-2", "--on-drift narrow"),
			ending{exitOK, []string{"dropped from the plan: case_a · guest1-2"}, map[string][]string{"guest3-1": {startDriver}}},
		}, {
			"a host that does it for another is not in the inventory any more", small, append(dark("esx2"), ill("guest1-2")...), func(e *estate) { e.unlisted("dsva2") },
			refused("esx2", "dsva2"),
			refused("esx2", "dsva2"),
		}, {
			"a host does not answer any more", small, ill("guest1-2", "guest3-1"), func(e *estate) { e.inject(lab.Fault{Name: "unreachable", Target: "guest1-2"}) },
			refused("guest1-2", "cannot be judged now"),
			refused("guest1-2", "cannot be judged now"),
		}, {
			"everything is dark now", small, ill("guest1-2"), func(e *estate) { e.inject(lab.Fault{Name: "everything-dark"}) },
			refused("No engine is online", "the playbook stops there now", "step.start: the playbook stops before it now"),
			refused("No engine is online", "the playbook stops there now", "step.start: the playbook stops before it now"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shared := c.refuse.code == exitRefused // a plan that was refused is not used up
			for i, mode := range []string{driftRefuse, driftNarrow} {
				want := []ending{c.refuse, c.narrow}[i]
				if !shared {
					t.Run(mode, func(t *testing.T) { drift(newEstate(t, c.lab), c.faults, c.then).ends(mode, want) })
				}
			}
			if shared {
				d := drift(newSerialEstate(t, c.lab), c.faults, c.then)
				d.ends(driftRefuse, c.refuse)
				d.ends(driftNarrow, c.narrow)
			}
		})
	}
}

// drifting is a plan in a world that has moved since.
type drifting struct {
	*estate
	filed
}

func drift(e *estate, faults []lab.Fault, then func(e *estate)) drifting {
	e.t.Helper()
	e.inject(faults...)
	d := drifting{e, e.plan(exitOK, "--var", "patience=4s")}
	e.acted(map[string][]string{})
	then(e)
	e.forget()
	return d
}

func (d drifting) ends(mode string, want ending) {
	d.t.Helper()
	o := d.apply(d.filed, "--on-drift", mode)
	if d.t.Failed() {
		return
	}
	d.ended(o, want.code, want.says...)
	d.acted(want.acted)
	if d.t.Failed() {
		d.t.Logf("--on-drift %s:\n%s", mode, o)
	} else if testing.Verbose() {
		d.t.Logf("--on-drift %s: %d\n%s", mode, o.code, o)
	}
}

// heals is somebody else who repairs a system, and the DSM has heard of it.
func (e *estate) heals(target string) {
	e.t.Helper()
	if err := e.Heal(target); err != nil {
		e.t.Fatal(err)
	}
	e.Heartbeat()
}

// restarts is somebody else who restarts ds_agent of an appliance by hand.
func (e *estate) restarts(appliance string) {
	e.t.Helper()
	book := bookOf(e.t, "restart.hcl", `play "by_hand" {
  hosts = ["`+appliance+`"]
  step "service" "agent" {
    name  = "ds_agent"
    state = "restarted"
    sudo {}
  }
}
`)
	e.ended(e.dsplay("run", book, "--yes"), exitOK)
	e.Heartbeat()
}

func bookOf(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// inventory replaces a text everywhere in the inventory.
func (e *estate) inventory(old, now string) {
	e.t.Helper()
	e.rewrite("inventory.hcl", func(text string) string { return strings.ReplaceAll(text, old, now) })
}

func (e *estate) rewrite(name string, f func(text string) string) {
	e.t.Helper()
	path := filepath.Join(e.Dir(), name)
	data, err := os.ReadFile(path)
	if err != nil {
		e.t.Fatal(err)
	}
	now := f(string(data))
	if now == string(data) {
		return
	}
	if err := os.WriteFile(path, []byte(now), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// block is the text of a host in the inventory, with what stands before and after it.
func (e *estate) block(name string, f func(block string) string) {
	e.t.Helper()
	e.rewrite("inventory.hcl", func(text string) string {
		before, rest, ok := strings.Cut(text, "host \""+name+"\" {\n")
		block, after, closed := strings.Cut(rest, "\n}\n")
		if !ok || !closed {
			e.t.Fatalf("the inventory has no %s", name)
		}
		return before + f("host \""+name+"\" {\n"+block+"\n}\n") + after
	})
}

func (e *estate) unlisted(name string) {
	e.block(name, func(string) string { return "" })
}

func (e *estate) address(name, address string) {
	e.block(name, func(block string) string {
		head, rest, _ := strings.Cut(block, "address = ")
		_, rest, _ = strings.Cut(rest, "\n")
		return head + "address = \"" + address + "\"\n" + rest
	})
}

// accept is somebody who believes the host key that an appliance shows now.
func (e *estate) accept(name string) {
	e.t.Helper()
	e.block(name, func(block string) string {
		address, port := between(block, `address = "`, `"`), between(block, "port = ", "\n")
		var shown ssh.PublicKey
		config := &ssh.ClientConfig{User: "nobody", HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error { shown = key; return nil }}
		if c, err := ssh.Dial("tcp", net.JoinHostPort(address, port), config); err == nil {
			_ = c.Close()
		}
		if shown == nil {
			e.t.Fatalf("%s shows no host key", name)
		}
		e.rewrite("known_hosts", func(text string) string {
			var lines []string
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(line, "["+address+"]:"+port+" ") {
					lines = append(lines, line)
				}
			}
			return strings.Join(lines, "") + "[" + address + "]:" + port + " " + string(ssh.MarshalAuthorizedKey(shown))
		})
		return block
	})
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}
