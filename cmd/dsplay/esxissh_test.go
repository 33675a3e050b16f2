package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

func (e *estate) esxi(name string) lab.ESXiHost {
	e.t.Helper()
	for _, h := range e.World().ESXi {
		if h.Name == name {
			return h
		}
	}
	e.t.Fatalf("no ESXi host %s", name)
	return lab.ESXiHost{}
}

var (
	backList = regexp.MustCompile(`--var '(back=[^']+)'`)
	objects  = regexp.MustCompile(`^(\w+) \w+:`)
)

// SSH is turned on where it was off, by the requests that the plan shows, and the command that the run tells puts everything
// back as it was. What runs, and what lockdown mode would keep shut, is left alone.
func TestESXiSSHThereAndBack(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 4, Guests: 1, Speed: 6000})
	e.inject(lab.Fault{Name: "ssh-off", Target: "esx2"}, lab.Fault{Name: "ssh-off", Target: "esx3"}, lab.Fault{Name: "ssh-off", Target: "esx4"}, lab.Fault{Name: "lockdown", Target: "esx4"})
	book := "playbooks/esxi-ssh.hcl"
	on := e.dsplay("run", book, "--yes", "--var", `on=["esx1","esx2","esx3","esx4"]`)
	e.ended(on, exitOK, "esx4 is in lockdown mode")
	e.sshRuns(true, true, true, false)
	e.planned(on, "StartService id=TSM-SSH (esx2)", "StartService id=TSM-SSH (esx3)")
	for _, host := range []string{"esx1", "esx2", "esx3"} { // whoever works there now can come in
		if o := e.dsplay("ping", host); o.code != exitOK {
			t.Errorf("%s does not answer: exit %d\n%s", host, o.code, o)
		}
	}
	told := backList.FindStringSubmatch(on.String())
	if told == nil {
		t.Fatalf("nobody says how to go back:\n%s", on)
	}
	e.forget()
	back := e.dsplay("run", book, "--yes", "--var", told[1])
	e.ended(back, exitOK)
	e.sshRuns(true, false, false, false)
	e.planned(back, "StopService id=TSM-SSH (esx2)", "StopService id=TSM-SSH (esx3)")
	e.forget()
	e.ended(e.dsplay("run", book, "--yes", "--var", `back=["esx1","esx2"]`), exitOK, "meant to: esx1")
	e.planned(back)
	e.sshRuns(true, false, false, false)
}

func (e *estate) sshRuns(want ...bool) {
	e.t.Helper()
	for i, h := range e.World().ESXi {
		if h.SSH != want[i] {
			e.t.Errorf("SSH of %s runs: %v, want %v", h.Name, h.SSH, want[i])
		}
	}
}

// planned: what changes something at the vCenter is this, in any order, and stands in what a reader was shown.
func (e *estate) planned(shown outcome, want ...string) {
	e.t.Helper()
	left := map[string]int{}
	for _, text := range want {
		left[text]++
	}
	for _, r := range e.Received()[e.seen:] {
		if !r.Mutates || r.Host != "vc1" {
			continue
		}
		line := objects.ReplaceAllString(r.Text, "$1 ")
		if !strings.Contains(shown.String(), line) {
			e.t.Errorf("the plan does not show %q", line)
		}
		words := strings.Fields(line)
		left[strings.Join(append(words[:1:1], words[2:]...), " ")]--
	}
	for text, n := range left {
		if n != 0 {
			e.t.Errorf("%+d × %s", -n, text)
		}
	}
}

// In lockdown mode every login of root is refused, and after five of them ESXi locks the account. Healing what needs a shell
// there fails honestly, and leaves root some tries, also the second time.
func TestLockdownLocksNobodyOut(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 4, Speed: 6000})
	file := filepath.Join(e.Dir(), "inventory.hcl")
	text := read(t, file)
	group, rest, _ := strings.Cut(text, "group \"dsva\"")
	group = regexp.MustCompile(`key +=.*`).ReplaceAllString(group, `password = secret("file:`+filepath.Join(e.Dir(), "secrets", "esxi")+`")`)
	if err := os.WriteFile(file, []byte(group+"group \"dsva\""+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	e.inject(lab.Fault{Name: "mux-stuck", Target: "esx1"}, lab.Fault{Name: "lockdown", Target: "esx1"})
	for range 2 { // whether it looks into lockdown mode before it connects, or not
		if o := e.heal("--var", "patience=1s"); o.code == exitOK {
			t.Errorf("exit %d\n%s", o.code, o)
		}
	}
	if h := e.esxi("esx1"); h.RefusedLogins > 2 {
		t.Errorf("two runs that heal: %+v", h)
	}
	for range 2 { // this one certainly connects
		if o := e.dsplay("ping", "esx1"); o.code == exitOK || !strings.Contains(o.String(), "password") {
			t.Errorf("exit %d\n%s", o.code, o)
		}
	}
	if h := e.esxi("esx1"); h.RootLocked || h.RefusedLogins == 0 || h.RefusedLogins > 4 {
		t.Errorf("%+v", h)
	}
}

// Where SSH is off, the Mux is restarted through vCenter, if that lists it; SSH stays off.
func TestMuxThroughVCenter(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 3, Guests: 2, Speed: 6000, MuxListed: true})
	e.inject(lab.Fault{Name: "mux-stuck", Target: "esx2"}, lab.Fault{Name: "ssh-off", Target: "esx2"})
	o := e.heal("--var", "patience=2s")
	e.ended(o, exitOK)
	e.healthy()
	if h := e.esxi("esx2"); h.MuxRestarts != 1 || h.SSH {
		t.Errorf("%+v", h)
	}
	e.planned(o, "RestartService id=nsx-context-mux (esx2)")
}
