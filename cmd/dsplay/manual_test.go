package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	manualLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced     = regexp.MustCompile("(?ms)^```.*?^```$")
	notAnchor  = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// TestManualLinks: a link of the manual leads somewhere, and to a heading that is there.
func TestManualLinks(t *testing.T) {
	headings := map[string][]string{}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatalf("no pages at %s: %v", pattern, err)
		}
		for _, page := range pages {
			headings[page] = anchors(read(t, page))
		}
	}
	for _, page := range slices.Sorted(maps.Keys(headings)) {
		for _, link := range manualLink.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, page), ""), -1) {
			file, heading, _ := strings.Cut(link[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, link[1])
			} else if heading != "" && !slices.Contains(headings[target], heading) {
				t.Errorf("%s links to %s; the page has no such heading", page, link[1])
			}
		}
	}
}

// anchors are the headings of a page as links name them.
func anchors(page string) []string {
	var all []string
	for line := range strings.Lines(page) {
		if text, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			all = append(all, strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), ""), " ", "-"))
		}
	}
	return all
}
