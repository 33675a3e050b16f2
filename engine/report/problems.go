package report

import (
	"encoding/json"
	"io"

	"github.com/dsplay/dsplay/engine"
)

// CheckedFile is a file that was looked at, and what it is.
type CheckedFile struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
}

type problemsDoc struct {
	Version  int           `json:"version"` // 1; within a version fields are only added
	Valid    bool          `json:"valid"`   // no problem is an error
	Files    []CheckedFile `json:"files"`
	Problems []problemDoc  `json:"problems"`
}

type problemDoc struct {
	File     string `json:"file"`
	Line     int    `json:"line"` // from 1; 0: the whole file
	Col      int    `json:"col"`  // from 1, in characters
	End      endDoc `json:"end"`  // the first character behind
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
}

type endDoc struct {
	Line int `json:"line"`
	Col  int `json:"col"`
}

// ProblemsJSON writes what was looked at and what was found as one JSON document, as docs/authoring.md describes it.
func ProblemsJSON(w io.Writer, files []CheckedFile, problems engine.Problems) error {
	doc := problemsDoc{Version: 1, Valid: problems.Err() == nil, Files: append([]CheckedFile{}, files...), Problems: make([]problemDoc, len(problems))}
	for i, p := range problems {
		r := p.Range
		doc.Problems[i] = problemDoc{r.File, r.Line, r.Col, endDoc{r.EndLine, r.EndCol}, severity(p), p.Summary, p.Detail}
	}
	return indented(w, doc)
}

func severity(p engine.Problem) string {
	if p.Warning {
		return "warning"
	}
	return "error"
}

func indented(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
