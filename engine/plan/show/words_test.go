package show

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// TestVocabulary holds that every key that is used is in the vocabulary in both languages, and that none is there for nothing.
func TestVocabulary(t *testing.T) {
	used := usedKeys(t)
	known := map[string]word{}
	for _, w := range vocabulary {
		if _, twice := known[w.key]; twice {
			t.Errorf("%s is there twice", w.key)
		}
		known[w.key] = w
		if w.en == "" || w.ja == "" {
			t.Errorf("%s is missing in a language", w.key)
		}
		if used[w.key] == "" {
			t.Errorf("%s is not used", w.key)
		}
		if e, j := verbs(w.en), verbs(w.ja); !slices.Equal(e, j) {
			t.Errorf("%s: %v in English and %v in Japanese", w.key, e, j)
		}
		if w.one != "" && !slices.Equal(verbs(w.one), verbs(w.en)) {
			t.Errorf("%s: one and many differ in their arguments", w.key)
		}
	}
	for key, where := range used {
		if _, ok := known[key]; !ok {
			t.Errorf("%s: the key %s is not in the vocabulary", where, key)
		}
	}
	if len(used) < 100 {
		t.Errorf("only %d keys were found: this test does not look where they are", len(used))
	}
}

var (
	verb    = regexp.MustCompile(`%(?:\[(\d+)\])?([sd])`)
	keyHTML = regexp.MustCompile(`[{(]t "([^"]+)"`)
)

// verbs are the arguments that a text takes, in their order as arguments.
func verbs(text string) []string {
	var out []string
	for n, m := range verb.FindAllStringSubmatch(text, -1) {
		at := m[1]
		if at == "" {
			at = strconv.Itoa(n + 1)
		}
		out = append(out, at+m[2])
	}
	slices.Sort(out)
	return out
}

// usedKeys are the keys in the code and in the page. A key is a literal wherever say is called: so this finds all.
func usedKeys(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if fun, ok := call.Fun.(*ast.SelectorExpr); !ok || fun.Sel.Name != "say" {
				return true
			}
			where := set.Position(call.Pos()).String()
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the key is no literal, so nobody can tell whether it is in the vocabulary", where)
				return true
			}
			key, _ := strconv.Unquote(literal.Value)
			used[key] = where
			return true
		})
	}
	page, err := os.ReadFile("page.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range keyHTML.FindAllStringSubmatch(string(page), -1) {
		used[m[1]] = "page.html"
	}
	return used
}

// TestWordsOfTheEngine holds that what the engine can say has a word in both languages.
func TestWordsOfTheEngine(t *testing.T) {
	for _, lang := range Languages {
		s := newSpeaker(Options{Lang: lang})
		for _, e := range engine.Effects() {
			if s.effect(e) == string(e) {
				t.Errorf("%s: the effect %s has no word", lang, e)
			}
		}
		for _, d := range []plan.Disposition{plan.Probed, plan.WillRun, plan.NoOp, plan.Skipped, plan.Depends, plan.Attempt, plan.RescueOnly, plan.Unreachable, plan.Error} {
			if s.disposition(d) == string(d) {
				t.Errorf("%s: the disposition %s has no word", lang, d)
			}
		}
		for _, k := range []string{"check", "threshold", "signal", "error", "unknown"} {
			if s.stop(k) == k {
				t.Errorf("%s: the end %s has no word", lang, k)
			}
		}
		for _, k := range []string{"failed", "warning", "depends"} {
			if s.check(k) == k {
				t.Errorf("%s: the check's status %s has no word", lang, k)
			}
		}
		if s.effect("new") != "new" || s.disposition("new") != "new" || s.stop("new") != "new" || s.check("new") != "new" {
			t.Errorf("%s: a word of a newer dsplay is not shown as it is", lang)
		}
	}
}

func TestDates(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Skip(err)
	}
	at := time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		lang string
		zone *time.Location
		want string
	}{
		{"en", nil, "Mon 2026-11-23 15:30 UTC"},
		{"en", tokyo, "Tue 2026-11-24 00:30 JST (+09:00)"},
		{"ja", tokyo, "2026年11月24日（火）00:30 JST (+09:00)"},
		{"en", time.FixedZone("+0530", 5*3600+1800), "Mon 2026-11-23 21:00 (+05:30)"},
	} {
		if got := newSpeaker(Options{Lang: c.lang, Zone: c.zone}).date(at); got != c.want {
			t.Errorf("%s: %q, want %q", c.lang, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for lang, want := range map[string][2]string{"en": {"1 host", "5,000 hosts"}, "ja": {"1台", "5,000台"}} {
		s := newSpeaker(Options{Lang: lang})
		if got := [2]string{s.say("n.hosts", 1), s.say("n.hosts", 5000)}; got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}
