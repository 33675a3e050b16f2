package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab"
)

// What was approved is what runs: each line and request that changes something stands in the saved plan, also the one that takes
// the image out, for which there was nothing to do while the plan was made.
func TestToolsPlanHoldsEverythingThatIsSent(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 1, Everyone: true, NoToolsMedia: true})
	e.injectOne("tools-without-introspection", "guest1-1")
	file := filepath.Join(t.TempDir(), "p.plan")
	e.ended(e.dsplay("plan", writeBook(t, toolsBook), "--out", file), exitOK)
	e.acted(map[string][]string{})
	planned := strings.ReplaceAll(process(t, "show", file, "--format", "json").stdout, `\u003e`, ">")
	e.ended(e.dsplay("apply", file), exitOK)
	sent := 0
	for _, lines := range e.mutations() {
		for _, line := range lines {
			line = strings.Replace(line, "VirtualMachine:", "", 1)
			if !strings.Contains(planned, jsonText(t, line)) {
				t.Errorf("sent, and not in the plan: %s\n%s", line, planned)
			}
			sent++
		}
	}
	if g, _ := e.World().Guest("guest1-1"); sent != 6 || g.InstallerStarts != 1 || g.Image != "" {
		t.Errorf("%d changes sent; %+v", sent, g)
	}
	e.healthy()
}

// jsonText is a text as it stands in a JSON document, without its quotes.
func jsonText(t *testing.T, text string) string {
	t.Helper()
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
}

// joinBook adds the feature from the image that is in the drive.
const joinBook = `
play "add" {
  hosts = group.guests
  step "vmware_tools" "add" {
    features = ["VMCI", "FileIntrospection"]
  }
}
`

// A controller that dies while the installer runs leaves it running; the next run joins it and starts no second one.
func TestToolsRunIsKilled(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 1, Everyone: true, Speed: 6}) // the installer takes ten seconds, and three of them until the network goes away: the next run looks before
	e.injectOne("tools-without-introspection", "guest1-1")
	book := writeBook(t, joinBook)
	first := command(t, "run", book, "--yes", "-i", filepath.Join(e.Dir(), "inventory.hcl"))
	var out bytes.Buffer
	first.Stdout, first.Stderr = &out, &out
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if g, _ := e.World().Guest("guest1-1"); g.InstallerRuns == 1 {
			break
		}
		if time.Now().After(end) {
			_ = first.Process.Kill()
			_ = first.Wait()
			t.Fatalf("the installer was not started:\n%s", out.String())
		}
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	if g, _ := e.World().Guest("guest1-1"); slices.Contains(g.Features, "FileIntrospection") {
		t.Fatalf("the installer was too fast for this test: %+v", g)
	}
	e.ended(e.dsplay("run", book, "--yes"), exitOK, "guest1-1")
	if g, _ := e.World().Guest("guest1-1"); g.InstallerStarts != 1 || !slices.Contains(g.Features, "FileIntrospection") {
		t.Errorf("%+v", g)
	}
}
