package engine_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/dsplay/dsplay/engine"
)

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		window, at string
		open       bool
	}{
		{"Sat,Sun 01:00-05:00 Asia/Tokyo", "2026-11-20T16:00:00Z", true}, // Saturday 01:00 in Tokyo
		{"Sat,Sun 01:00-05:00 Asia/Tokyo", "2026-11-20T15:59:00Z", false},
		{"Sat,Sun 01:00-05:00 Asia/Tokyo", "2026-11-21T20:00:00Z", false}, // Sunday 05:00: its end is outside
		{"Mon-Fri 22:00-02:00 UTC", "2026-11-20T23:00:00Z", true},         // Friday
		{"Mon-Fri 22:00-02:00 UTC", "2026-11-21T01:59:00Z", true},         // still Friday's
		{"Mon-Fri 22:00-02:00 UTC", "2026-11-21T23:00:00Z", false},        // Saturday
		{"Mon-Fri 22:00-02:00 UTC", "2026-11-23T01:00:00Z", false},        // Sunday's has none
		{"Fri-Mon 00:00-24:00 UTC", "2026-11-22T12:00:00Z", true},
		{"Fri-Mon 00:00-24:00 UTC", "2026-11-24T00:00:00Z", false},
		{"Sun 02:15-02:45 Europe/Berlin", "2026-03-29T01:30:00Z", false}, // 03:30: this half hour does not exist
		{"Sun 03:00-04:00 Europe/Berlin", "2026-03-29T01:00:00Z", true},  // right after the gap
		{"Sun 02:15-02:45 Europe/Berlin", "2026-10-25T00:30:00Z", true},  // before the clock is set back
		{"Sun 02:15-02:45 Europe/Berlin", "2026-10-25T01:30:00Z", true},  // and after it
		{"Sun 02:15-02:45 Europe/Berlin", "2026-10-25T02:30:00Z", false},
	} {
		w, err := engine.ParseWindow(c.window)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if w.Open(at) != c.open || w.String() != c.window {
			t.Errorf("%s at %s: want %v", w, c.at, c.open)
		}
	}
}

func TestNoWindow(t *testing.T) {
	for _, text := range []string{"", "Sat", "Sat 01:00-05:00", "Sat 01:00 UTC", "Sonntag 01:00-02:00 UTC", "Sat 25:00-26:00 UTC", "Sat 01:00-01:00 UTC",
		"Sat 01:00-02:00 Mars/Olympus", "Sat 01:00-02:00 Local", "Sat, 01:00-02:00 UTC"} {
		if w, err := engine.ParseWindow(text); err == nil {
			t.Errorf("%q: %v", text, w)
		}
	}
}

func TestWindowOpensAndCloses(t *testing.T) {
	for _, c := range []struct{ window, at, opens, closes string }{
		{"Sat,Sun 01:00-05:00 Asia/Tokyo", "2026-11-20T12:00:00Z", "2026-11-20T16:00:00Z", ""},
		{"Sat,Sun 01:00-05:00 Asia/Tokyo", "2026-11-20T16:30:30Z", "2026-11-20T16:30:30Z", "2026-11-20T20:00:00Z"},
		{"Mon-Fri 22:00-02:00 UTC", "2026-11-20T23:00:00Z", "2026-11-20T23:00:00Z", "2026-11-21T02:00:00Z"},       // over midnight
		{"Mon-Fri 22:00-02:00 UTC", "2026-11-21T02:00:00Z", "2026-11-23T22:00:00Z", ""},                           // the next is Monday's
		{"Mon-Sun 00:00-24:00 UTC", "2026-11-20T23:00:00Z", "2026-11-20T23:00:00Z", ""},                           // it never closes
		{"Sun 02:15-02:45 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-04-05T00:15:00Z", ""},                     // that Sunday has no half past two
		{"Sun 01:30-03:30 Europe/Berlin", "2026-03-29T00:45:00Z", "2026-03-29T00:45:00Z", "2026-03-29T01:30:00Z"}, // an hour shorter
		{"Sun 02:15-02:45 Europe/Berlin", "2026-10-25T00:20:00Z", "2026-10-25T00:20:00Z", "2026-10-25T00:45:00Z"}, // twice: the first time
		{"Sun 02:15-02:45 Europe/Berlin", "2026-10-25T00:50:00Z", "2026-10-25T01:15:00Z", ""},                     // the second time
		{"Sun 01:30-03:30 Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T02:30:00Z"}, // an hour longer
	} {
		w, err := engine.ParseWindow(c.window)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		text := func(x time.Time) string {
			if x.IsZero() {
				return ""
			}
			return x.UTC().Format(time.RFC3339)
		}
		if opens, closes := text(w.Opens(at)), text(w.Closes(at)); opens != c.opens || closes != c.closes {
			t.Errorf("%s at %s: opens %s, closes %s; want %s, %s", w, c.at, opens, closes, c.opens, c.closes)
		}
	}
}
