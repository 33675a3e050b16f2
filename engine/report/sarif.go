package report

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/dsplay/dsplay/engine"
)

// The parts of SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) that problems fill. A pointer is left out when it is nil.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// SARIF writes problems as a SARIF 2.1.0 log, which code hosts show beside the lines. A rule is what problems with the
// same summary have in common.
func SARIF(w io.Writer, version string, problems engine.Problems) error {
	rules := rulesOf(problems)
	run := sarifRun{Tool: sarifTool{sarifDriver{"dsplay", version, rules}}, ColumnKind: "unicodeCodePoints", Results: make([]sarifResult, len(problems))}
	for i, p := range problems {
		text := p.Summary + "."
		if p.Detail != "" {
			text += " " + p.Detail
		}
		at := slices.IndexFunc(rules, func(r sarifRule) bool { return r.ID == ruleID(p.Summary) })
		run.Results[i] = sarifResult{rules[at].ID, at, severity(p), sarifText{text}, []sarifLocation{{physical(p.Range)}}}
	}
	return indented(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func rulesOf(problems engine.Problems) []sarifRule {
	rules := []sarifRule{}
	for _, p := range problems {
		rules = append(rules, sarifRule{ruleID(p.Summary), sarifText{p.Summary}})
	}
	slices.SortStableFunc(rules, func(a, b sarifRule) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(rules, func(a, b sarifRule) bool { return a.ID == b.ID })
}

// ruleID makes "unknown-module" of "Unknown module".
func ruleID(summary string) string {
	words := strings.FieldsFunc(strings.ToLower(summary), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "problem"
	}
	return strings.Join(words, "-")
}

func physical(r engine.Range) sarifPhysical {
	u := url.URL{Path: filepath.ToSlash(r.File)}
	if filepath.IsAbs(r.File) {
		u.Scheme = "file"
		u.Path = "/" + strings.TrimPrefix(u.Path, "/") // also where a path begins with a drive
	}
	p := sarifPhysical{Artifact: sarifArtifact{URI: u.String()}}
	if r.Line > 0 {
		p.Region = &sarifRegion{r.Line, r.Col, r.EndLine, r.EndCol}
	}
	return p
}
