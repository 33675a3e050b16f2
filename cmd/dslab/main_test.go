package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab"
)

// lines is an output that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func dslab(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	c := root(&out, &out)
	c.SetArgs(args)
	err := c.ExecuteContext(ctx)
	return out.String(), err
}

func TestALabFromUpToDown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	var out lines
	c := root(&out, &out)
	c.SetArgs([]string{"up", "--dir", dir, "--esxi", "2", "--guests", "4"})
	ended := make(chan error, 1)
	go func() { ended <- c.ExecuteContext(t.Context()) }()
	for deadline := time.Now().Add(20 * time.Second); out.String() == ""; {
		select {
		case err := <-ended:
			t.Fatalf("up ended: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("up does not get ready")
		}
	}
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, filepath.Join(dir, "inventory.hcl")) {
		t.Errorf("up says %q", text)
	}
	do := func(args ...string) string {
		t.Helper()
		text, err := dslab(t.Context(), append(args, "--dir", dir)...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return text
	}
	do("inject", "dsva-stuck", "esx2")
	do("inject", "dsm-stale")
	if text := do("world"); !strings.Contains(text, "dsva2      stuck") || !strings.Contains(text, "injected: dsva-stuck esx2") {
		t.Errorf("world says\n%s", text)
	}
	var w lab.World
	if err := json.Unmarshal([]byte(do("world", "--json")), &w); err != nil || w.Count(lab.EngineOffline) != 2 || !w.DSM.Stale {
		t.Errorf("world --json: %v, %+v", err, w.DSM)
	}
	do("inject", "appliance-moved", "esx1")
	if text := do("world"); !strings.Contains(text, "dsva1     runs on another ESXi host than esx1") {
		t.Errorf("an appliance has moved, and the world says\n%s", text)
	}
	do("clear")
	if text := do("world"); strings.Contains(text, "another ESXi host") || strings.Contains(text, "stuck") || strings.Contains(text, "injected") {
		t.Errorf("after clear the world says\n%s", text)
	}
	if _, err := dslab(t.Context(), "inject", "--dir", dir, "mux-stuck", "esx9"); err == nil || !strings.Contains(err.Error(), "no ESXi host") {
		t.Errorf("a host that is not there: %v", err)
	}
	do("down")
	if err := <-ended; err != nil {
		t.Errorf("up ended with %v", err)
	}
	if _, err := dslab(t.Context(), "world", "--dir", dir); err == nil || !strings.Contains(err.Error(), "no lab runs in") {
		t.Errorf("after down: %v", err)
	}
}

func TestHelpTeaches(t *testing.T) {
	text, err := dslab(t.Context(), "inject", "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range lab.Faults() {
		if !strings.Contains(text, "  "+f.Name+" (") || !strings.Contains(text, "healed by: "+f.Remedy) {
			t.Errorf("inject --help does not explain %s", f.Name)
		}
	}
	for _, args := range [][]string{{"inject"}, {"up"}, {"inject", "--dir", "x"}, {"up", "--dir", "x", "y"}} {
		if _, err := dslab(t.Context(), args...); err == nil {
			t.Errorf("dslab %v is accepted", args)
		}
	}
}

func TestUpRefusesWhatIsNoLab(t *testing.T) {
	for flag, values := range map[string][]string{"--esxi": {"0", "-1"}, "--guests": {"0"}, "--speed": {"0", "-2", "NaN", "+Inf"}} {
		for _, value := range values {
			dir := filepath.Join(t.TempDir(), "lab")
			_, err := dslab(t.Context(), "up", "--dir", dir, flag+"="+value)
			if err == nil || !strings.Contains(err.Error(), flag+" ") {
				t.Errorf("%s %s: %v", flag, value, err)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Errorf("%s %s: a directory was made", flag, value)
			}
		}
	}
}
