package decode

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine"
)

// Problems makes problems of diagnostics, with the source lines from files (by name). Unlike HCL's own writer it
// shows no variable's value; and a function's complaint about a secret is replaced, for it may quote it.
func Problems(diags hcl.Diagnostics, files map[string]*hcl.File) engine.Problems {
	var out engine.Problems
	lines := map[string][][]byte{}
	for _, d := range diags {
		p := engine.Problem{Warning: d.Severity == hcl.DiagWarning, Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			p.Range = Range(*d.Subject)
			name := d.Subject.Filename
			if f := files[name]; f != nil && lines[name] == nil {
				lines[name] = bytes.Split(f.Bytes, []byte("\n"))
			}
			if i := p.Range.Line - 1; i >= 0 && i < len(lines[name]) {
				p.Source = strings.TrimSuffix(string(lines[name][i]), "\r")
			}
		}
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
			p.Detail = ofCall(call.CalledFunctionName(), d.Detail)
		}
		if quotesSecret(d) {
			p.Detail = "What is wrong is not shown, because a secret is in it."
		}
		out = append(out, p)
	}
	return out
}

// ofCall is what a function complains of, with its name and the parameter's.
func ofCall(name, detail string) string {
	if rest, ok := strings.CutPrefix(detail, "Invalid value for "); ok {
		param, why, _ := strings.Cut(rest, " parameter: ")
		return fmt.Sprintf("Argument %s of %s() does not fit: %s", param, name, Complaint(why))
	}
	if why, ok := strings.CutPrefix(detail, fmt.Sprintf("Call to function %q failed: ", name)); ok {
		return fmt.Sprintf("%s() fails: %s", name, Complaint(why))
	}
	return detail
}

// Complaint is what a function says of an argument, in words for the author of a playbook.
func Complaint(text string) string {
	return strings.NewReplacer(
		"argument must not be null", "it must not be null",
		"value must be a whole number, between -9223372036854775808 and 9223372036854775807", "a whole number is required",
		" of dynamic", "",
	).Replace(text)
}

// Range is r in the engine's words.
func Range(r hcl.Range) engine.Range {
	return engine.Range{File: r.Filename, Line: r.Start.Line, Col: r.Start.Column, EndLine: r.End.Line, EndCol: r.End.Column}
}

// quotesSecret tells whether the text of d may hold a secret: functions quote their arguments, and so
// does the complaint about keys that come twice.
func quotesSecret(d *hcl.Diagnostic) bool {
	_, call := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if d.Expression == nil || !call && d.Summary != "Duplicate object key" {
		return false
	}
	root, ok := d.Expression.(hclsyntax.Expression)
	if !ok {
		return false
	}
	found := false
	hclsyntax.VisitAll(root, func(n hclsyntax.Node) hcl.Diagnostics { //nolint:errcheck // it gives back what the func gives
		if e, ok := n.(hclsyntax.Expression); ok && !found {
			v, _ := e.Value(d.EvalContext)
			found = v.ContainsMarked()
		}
		return nil
	})
	return found
}

// Suggest is ` Did you mean "x"?`, to stand after a full stop, with the name of known that is nearest to name, or "" when none is near.
func Suggest(name string, known []string) string {
	best, least := "", max(len([]rune(name))/3, 1)+1
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(k), nil); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}
