package show

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shown is a document in a format, as it is shown in Tokyo.
func shown(t testing.TB, d *plan.Document, format, lang string) string {
	t.Helper()
	var b bytes.Buffer
	o := Options{Lang: lang, Zone: time.FixedZone("JST", 9*3600), Now: made.Add(time.Hour)}
	if err := Write(&b, encoded(t, d), format, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	docs := map[string]*plan.Document{"rich": rich(), "stopped": stopped()}
	for name, d := range docs {
		for _, lang := range Languages {
			for _, format := range []string{"text", "markdown", "html"} {
				file := name + "." + lang + map[string]string{"text": ".txt", "markdown": ".md", "html": ".html"}[format]
				t.Run(file, func(t *testing.T) { golden(t, filepath.Join("testdata", file), shown(t, d, format, lang)) })
			}
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", file, got)
	}
}

// TestJSON holds that the JSON is the plan: read back it has the same id. No character of it can drive a terminal.
func TestJSON(t *testing.T) {
	d := encoded(t, rich())
	var b bytes.Buffer
	if err := JSON(&b, d); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(b.String(), unseen); i >= 0 {
		t.Errorf("an invisible character at %d: %q", i, b.String()[i:i+20])
	}
	var again struct {
		ID   string
		Plan *plan.Document
	}
	if err := json.Unmarshal(b.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if encoded(t, again.Plan).ID != d.ID || again.ID != d.ID {
		t.Errorf("id %s became %s", d.ID, again.ID)
	}
}

func TestRefusals(t *testing.T) {
	d := encoded(t, head())
	for _, c := range []struct{ format, lang string }{{"pdf", "en"}, {"text", "de"}, {"", ""}} {
		if err := Write(&bytes.Buffer{}, d, c.format, Options{Lang: c.lang}); err == nil {
			t.Errorf("%+v was shown", c)
		}
	}
	full := errors.New("disk full")
	for _, format := range Formats {
		if err := Write(broken{full}, d, format, Options{}); !errors.Is(err, full) {
			t.Errorf("%s: the error of the writer was lost: %v", format, err)
		}
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
