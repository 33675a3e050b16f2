package journal_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

func TestIntentIsOnDiskWhenAppendReturns(t *testing.T) {
	f, err := journal.Open(t.TempDir(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, kind := range []engine.EventKind{engine.EventEntryStart, engine.EventIntent} {
		if err := f.Append(engine.Event{Kind: kind, Entry: "p/step.x"}); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var kinds []engine.EventKind
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e engine.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.Kind)
	}
	if len(kinds) != 2 || kinds[1] != engine.EventIntent {
		t.Errorf("on disk are %v", kinds)
	}
	if info, _ := os.Stat(f.Path()); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestAppendFailsWhenTheDiskDoes(t *testing.T) {
	f, err := journal.Open(t.TempDir(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(engine.Event{Kind: engine.EventIntent}); err == nil {
		t.Error("an intent that cannot be kept must be an error")
	}
}

func TestPlanIsSpentOnce(t *testing.T) {
	dir := t.TempDir()
	if by, err := journal.SpentBy(dir, "sha256:ab"); by != nil || err != nil {
		t.Fatalf("%v %v", by, err)
	}
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for range 8 {
		wg.Go(func() { results <- journal.Spend(dir, journal.Spent{Plan: "sha256:ab", Run: "r", When: time.Now()}) })
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		var spent *journal.Spent
		switch {
		case err == nil:
			won++
		case !errors.As(err, &spent):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d runs used the plan", won)
	}
	if by, err := journal.SpentBy(dir, "sha256:ab"); err != nil || by.Run == "" {
		t.Errorf("%v %v", by, err)
	}
}
