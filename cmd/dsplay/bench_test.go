//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// The benchmarks of this package take the ways that the commands take. docs/performance.md says what they are compared with.

const perESXi = 50 // guests

// estateText is an inventory as a person or a script writes it: guests, their ESXi hosts, an appliance on each.
func estateText(guests int) string {
	var b strings.Builder
	b.WriteString(`
host "vc1" {
  address = "vc1.example"
  connection "https" { kind = "vsphere" }
}
host "dsm1" {
  address = "dsm1.example"
  connection "https" { kind = "dsm" }
}
group "guests" {
  vcenter = "vc1"
  dsm     = "dsm1"
  connection "winrm" {
    user     = "CORP\\ops"
    password = "secret of the guests"
  }
}
group "esxi" {
  dsm = "dsm1"
  connection "ssh" { user = "root" }
}
group "dsva" {
  connection "ssh" { user = "dsva" }
}
`)
	for i := range (guests + perESXi - 1) / perESXi {
		fmt.Fprintf(&b, "host \"esx%03d\" {\n  groups = [\"esxi\"]\n  dsva   = \"dsva%03d\"\n}\nhost \"dsva%03d\" {\n  groups = [\"dsva\"]\n}\n", i, i, i)
	}
	for i := range guests {
		fmt.Fprintf(&b, "host \"vm%05d\" {\n  address   = \"10.%d.%d.%d\"\n  groups    = [\"guests\"]\n  esxi      = \"esx%03d\"\n  uuid      = \"u-vm%05d\"\n  bios_uuid = \"b-vm%05d\"\n}\n",
			i, i>>16, i>>8&255, i&255, i/perESXi, i, i)
	}
	return b.String()
}

// longPlaybook has 1,000 entries in 20 plays: probes, steps with conditions over them, checks, recovers.
func longPlaybook() string {
	var b strings.Builder
	for p := range 20 {
		hosts := "group.guests"
		if p > 0 {
			fmt.Fprintf(&b, "locals {\n  awake%d  = [for h in play.p%d.hosts : h.name if h.probe.vm0.awake && h.probe.engine0.state != \"off\"]\n  by_esxi%d = { for h in play.p%d.hosts : h.probe.vm0.esxi => h.bios_uuid... }\n}\n", p, p-1, p, p-1)
			hosts = fmt.Sprintf("local.awake%d", p)
		}
		fmt.Fprintf(&b, "play \"p%d\" {\n  hosts        = %s\n  max_failures = \"5%%\"\n", p, hosts)
		for i := range 10 {
			fmt.Fprintf(&b, "  probe \"vm\" \"vm%d\" {\n    on   = self.vcenter\n    uuid = self.uuid\n  }\n", i)
			fmt.Fprintf(&b, "  probe \"ds_computer\" \"engine%d\" {\n    on        = self.dsm\n    bios_uuid = self.bios_uuid\n  }\n", i)
			fmt.Fprintf(&b, "  probe \"service\" \"driver%d\" {\n    name = \"vsepflt\"\n  }\n", i)
			fmt.Fprintf(&b, "  step \"service\" \"start%d\" {\n    when  = probe.driver%d.exists && !probe.driver%d.running && probe.engine%d.state == \"offline\"\n    name  = \"vsepflt\"\n    state = \"started\"\n  }\n", i, i, i, i)
			fmt.Fprintf(&b, "  check \"c%d\" {\n    condition     = probe.vm%d.found && contains([\"poweredOn\", \"suspended\"], probe.vm%d.power)\n    error_message = \"${self.name} is ${probe.vm%d.power} on ${probe.vm%d.esxi}\"\n  }\n", i, i, i, i, i)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func writeFile(tb testing.TB, name, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func quietApp() *app { return &app{out: io.Discard, err: io.Discard, stop: make(chan struct{})} }

// used is the processor time of this process: what others do on the machine is not in it.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpu reports the processor time of an iteration beside the time of the clock.
func cpu(b *testing.B, began time.Duration) {
	b.ReportMetric((used()-began).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
}

// BenchmarkValidate is "dsplay validate PLAYBOOK -i INVENTORY" with 1,000 entries and 10,000 guests.
func BenchmarkValidate(b *testing.B) {
	const guests = 10_000
	inventory, playbook := writeFile(b, "inventory.hcl", estateText(guests)), writeFile(b, "long.hcl", longPlaybook())
	b.ReportAllocs()
	began := used()
	for b.Loop() {
		v := validator{app: quietApp(), load: loadFlags{inventory: inventory}}
		v.add([]string{playbook})
		v.run()
		if v.problems != nil || len(v.said) != 1 {
			b.Fatal(v.problems)
		}
	}
	cpu(b, began)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/entry")
}

// TestLongPlaybook: the benchmark measures what it says.
func TestLongPlaybook(t *testing.T) {
	a := quietApp()
	l, err := a.load(writeFile(t, "long.hcl", longPlaybook()), loadFlags{inventory: writeFile(t, "inventory.hcl", estateText(100))})
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for _, item := range l.program.Playbook().Items {
		if item.Play != nil {
			for range engine.Walk(item.Play.Entries) {
				entries++
			}
		}
	}
	if entries != 1000 || len(l.model.Inventory().Groups["guests"]) != 100 {
		t.Errorf("%d entries, %d guests", entries, len(l.model.Inventory().Groups["guests"]))
	}
}

// BenchmarkTests is "dsplay test playbooks/".
func BenchmarkTests(b *testing.B) {
	b.ReportAllocs()
	began := used()
	for b.Loop() {
		if err := quietApp().test(b.Context(), []string{"../../playbooks"}, testFlags{}); err != nil {
			b.Fatal(err)
		}
	}
	cpu(b, began)
}
