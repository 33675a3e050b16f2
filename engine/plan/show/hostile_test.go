package show

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine/plan"
)

// TestPageIsSelfContained holds that the page loads nothing, runs nothing but its own script, and says so to the browser.
func TestPageIsSelfContained(t *testing.T) {
	for _, lang := range Languages {
		page := shown(t, rich(), "html", lang)
		policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
		policy = strings.NewReplacer("&#43;", "+", "&#39;", "'").Replace(policy)
		for _, tag := range []string{"style", "script"} {
			bodies := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
			if len(bodies) != 1 || strings.Count(page, "<"+tag) != 1 {
				t.Fatalf("%d elements %s", len(bodies), tag)
			}
			sum := sha256.Sum256([]byte(bodies[0][1]))
			if want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
				t.Errorf("the policy %q does not allow %s", policy, want)
			}
		}
		if !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("policy: %q", policy)
		}
		if loads := regexp.MustCompile(`(?i)<[^>]*\s(src|style|on\w+|action|formaction|ping|srcset)\s*=|<(img|link|iframe|object|embed|base|form)\b|url\(|@import|href="[^#]`).FindString(page); loads != "" {
			t.Errorf("the page has %q", loads)
		}
	}
}

// TestNothingDeceives puts the same malice into every text of a document, and looks for it in what is shown.
func TestNothingDeceives(t *testing.T) {
	const evil = "<script>alert(1)</script>\u202e\x1b[2J\u200b|`*_[x](http://evil)\n== Summary\n# WILL RUN"
	for _, format := range []string{"text", "markdown", "html"} {
		for _, lang := range Languages {
			got := shown(t, poisoned(t, rich(), evil), format, lang)
			if i := strings.IndexFunc(got, unseen); i >= 0 {
				t.Errorf("%s: an invisible character: %q", format, got[max(0, i-40):i+10])
			}
			if !utf8.ValidString(got) {
				t.Errorf("%s: not UTF-8", format)
			}
			if format == "markdown" {
				got = blocks.ReplaceAllString(got, "")
				proseIsQuiet(t, got)
			}
			for _, line := range strings.Split(got, "\n") {
				if format == "text" && strings.HasPrefix(line, "== Summary") && line != "== Summary" || format != "html" && strings.HasPrefix(line, "# WILL RUN") {
					t.Errorf("%s: a line that is not ours: %q", format, line)
				}
			}
			if format == "text" && strings.Count(got, "\n== Summary") > 1 {
				t.Errorf("text: a section that is not ours")
			}
			if format == "html" && strings.Contains(got, "<script>alert") {
				t.Error("html: a script that is not ours")
			}
		}
	}
}

var (
	escapes = regexp.MustCompile(`\\.`)
	blocks  = regexp.MustCompile("(?ms)^(?:```\n.*?\n```|````\n.*?\n````)$")
)

// proseIsQuiet looks at Markdown outside of blocks of code.
func proseIsQuiet(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		bare := regexp.MustCompile("`` ?.*? ?``|`[^`]*`").ReplaceAllString(escapes.ReplaceAllString(line, ""), "")
		for _, bad := range []string{"<script", "](http", "http://evil"} {
			if strings.Contains(bare, bad) {
				t.Errorf("markdown: %q in %q", bad, line)
			}
		}
		if strings.HasPrefix(line, "| ") && strings.Contains(strings.ReplaceAll(line, "\\|", ""), "`|`") {
			t.Errorf("markdown: a bar in a cell: %q", line)
		}
	}
}

// poisoned is a document with a text added to each of its strings that a person or a host chose.
func poisoned(t *testing.T, d *plan.Document, evil string) *plan.Document {
	t.Helper()
	file, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Plan map[string]any }
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	keep := map[string]bool{"format": true, "made": true, "until": true, "kind": true, "disposition": true, "status": true, "data": true, "values": true, "play": true, "host": true, "on": true, "entry": true, "name": true, "hosts": true, "sha256": true}
	raw, err := json.Marshal(poison(all.Plan, evil, keep))
	if err != nil {
		t.Fatal(err)
	}
	out := &plan.Document{}
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatal(err)
	}
	for n := range out.Items { // names that belong together get the same
		i := &out.Items[n]
		i.Host, i.On, i.Play, i.Entry = i.Host+evil, i.On+evil, i.Play+evil, i.Play+evil+i.Entry[len(i.Play):]+evil
		i.Effects = append(i.Effects, "x"+"\"><b>")
	}
	for n := range out.Inventory.Files { // those of the playbook's files must be right
		out.Inventory.Files[n].SHA256 += evil
	}
	for n := range out.Hosts {
		out.Hosts[n].Name += evil
	}
	for n := range out.Plays {
		out.Plays[n].Name += evil
	}
	return out
}

func poison(v any, evil string, keep map[string]bool) any {
	switch x := v.(type) {
	case string:
		return x + evil
	case []any:
		for n := range x {
			x[n] = poison(x[n], evil, keep)
		}
	case map[string]any:
		for k := range x {
			if !keep[k] {
				x[k] = poison(x[k], evil, keep)
			}
		}
	}
	return v
}

// TestPageIsWellFormed holds that every element of the page is closed, whatever is in it.
func TestPageIsWellFormed(t *testing.T) {
	for _, d := range []*plan.Document{rich(), stopped(), poisoned(t, rich(), "</details></section>")} {
		page := shown(t, d, "html", "ja")
		page = regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`).ReplaceAllString(page, "")
		dec := xml.NewDecoder(strings.NewReader(page))
		dec.Strict = false
		dec.AutoClose = []string{"meta", "input"}
		dec.Entity = xml.HTMLEntity
		depth := 0
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch e := token.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				depth--
				_ = e
			}
		}
		if depth != 0 {
			t.Errorf("%d elements are not closed", depth)
		}
	}
}

// TestLinksLead holds that every link of the page has its target, once.
func TestLinksLead(t *testing.T) {
	page := shown(t, estateOf(6, 30, 3, 7), "html", "en")
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		ids[m[1]]++
		if ids[m[1]] > 1 {
			t.Errorf("id %s is there twice", m[1])
		}
	}
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1)
	for _, m := range links {
		if ids[m[1]] == 0 {
			t.Errorf("the link #%s leads nowhere", m[1])
		}
	}
	if len(links) < 180 {
		t.Errorf("%d links", len(links))
	}
}

// TestQuieter holds that runes may come in pieces.
func TestQuieter(t *testing.T) {
	const text = "a\u202eb日本\x1b[0m\r\x7f\ufeffé\xff😀\xe2\x82"
	want := "a⟨U+202E⟩b日本⟨U+001B⟩[0m⟨U+000D⟩⟨U+007F⟩⟨U+FEFF⟩é\ufffd😀\ufffd\ufffd"
	for size := 1; size < len(text); size++ {
		var b bytes.Buffer
		q := &quieter{w: &b}
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := q.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := q.close(); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Fatalf("in pieces of %d: %q, want %q", size, b.String(), want)
		}
	}
}
