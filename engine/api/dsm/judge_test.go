package dsm

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each testdata/*.json is one Computer of REST v1, each testdata/*.xml one hostGetStatusReturn; the name begins
// with the state that it means. A new case is a new file.
func TestStates(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e := readEvidence(t, filepath.Ext(file), text)
			want, _, _ := strings.Cut(filepath.Base(file), "-")
			if got := e.judge(); string(got) != want {
				t.Errorf("state %s, want %s: %+v", got, want, e)
			}
		})
	}
}

func readEvidence(t *testing.T, kind string, text []byte) evidence {
	t.Helper()
	if kind == ".xml" {
		var n node
		if err := xml.Unmarshal(text, &n); err != nil {
			t.Fatal(err)
		}
		e, _ := readStatus(n)
		return e
	}
	var r restComputer
	var odd *json.UnmarshalTypeError
	if err := json.Unmarshal(text, &r); err != nil && !errors.As(err, &odd) {
		t.Fatal(err)
	}
	return r.evidence()
}

func TestParseTime(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	want := time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)
	for _, text := range []string{"2024-05-01T08:00:00.000Z", "2024-05-01T17:00:00+09:00", "1714550400000",
		"2024-05-01T17:00:00", "May 1, 2024 17:00:00", "2024/05/01 17:00:00", "2024年5月1日 17:00:00"} {
		if got := parseTime(text, tokyo); !got.Equal(want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{"", "N/A", "2024/05/01 17:00:00"} {
		if got := parseTime(text, nil); !got.IsZero() {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestZoneIsNotGuessed(t *testing.T) {
	if z := zoneOf("2024-05-01T17:00:00.000+09:00"); z == nil {
		t.Error("an offset is a zone")
	}
	for _, text := range []string{"2024-05-01T08:00:00.000Z", "", "17:00"} {
		if z := zoneOf(text); z != nil {
			t.Errorf("%q: %v", text, z)
		}
	}
}
