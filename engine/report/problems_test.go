package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

var found = engine.Problems{
	{Summary: "Unknown module", Detail: `There is no module "x".`, Range: engine.Range{File: "a b/p.hcl", Line: 3, Col: 8, EndLine: 3, EndCol: 11}, Source: "secret line"},
	{Warning: true, Summary: "Unused variable", Range: engine.Range{File: "/abs/p.hcl", Line: 1, Col: 1, EndLine: 1, EndCol: 2}},
	{Summary: "Unknown module", Range: engine.Range{File: "q.hcl"}},
}

func TestProblemsJSON(t *testing.T) {
	var b strings.Builder
	if err := ProblemsJSON(&b, []CheckedFile{{"p.hcl", "playbook"}}, found[:2]); err != nil {
		t.Fatal(err)
	}
	want := `{
  "version": 1,
  "valid": false,
  "files": [
    {
      "path": "p.hcl",
      "kind": "playbook"
    }
  ],
  "problems": [
    {
      "file": "a b/p.hcl",
      "line": 3,
      "col": 8,
      "end": {
        "line": 3,
        "col": 11
      },
      "severity": "error",
      "summary": "Unknown module",
      "detail": "There is no module \"x\"."
    },
    {
      "file": "/abs/p.hcl",
      "line": 1,
      "col": 1,
      "end": {
        "line": 1,
        "col": 2
      },
      "severity": "warning",
      "summary": "Unused variable",
      "detail": ""
    }
  ]
}
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	if err := ProblemsJSON(&b, nil, nil); err != nil || !strings.Contains(b.String(), `"valid": true`) || strings.Contains(b.String(), "null") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestSARIF: what the schema of SARIF 2.1.0 requires is there: version, runs, tool.driver.name, the id of rules, the
// message of results; a region has startLine; ruleIndex points to the rule of ruleId; level is one of the four.
func TestSARIF(t *testing.T) {
	for _, problems := range []engine.Problems{found, nil} {
		var b strings.Builder
		if err := SARIF(&b, "1.2", problems); err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		d := json.NewDecoder(strings.NewReader(b.String()))
		d.DisallowUnknownFields()
		if err := d.Decode(&log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name != "dsplay" || strings.Contains(b.String(), "null") {
			t.Errorf("%s", b.String())
		}
		run := log.Runs[0]
		if len(run.Results) != len(problems) {
			t.Errorf("%d results", len(run.Results))
		}
		for i, r := range run.Results {
			if r.Message.Text == "" || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Level != severity(problems[i]) || len(r.Locations) != 1 {
				t.Errorf("%+v", r)
			}
		}
		if len(problems) == 0 {
			continue
		}
		if rules := run.Tool.Driver.Rules; len(rules) != 2 || rules[0].ID != "unknown-module" || rules[1].Short.Text != "Unused variable" {
			t.Errorf("%+v", rules)
		}
		first, abs, whole := run.Results[0].Locations[0].Physical, run.Results[1].Locations[0].Physical, run.Results[2].Locations[0].Physical
		if first.Artifact.URI != "a%20b/p.hcl" || *first.Region != (sarifRegion{3, 8, 3, 11}) || abs.Artifact.URI != "file:///abs/p.hcl" || whole.Region != nil {
			t.Errorf("%+v %+v %+v", first, abs, whole)
		}
	}
}
