package decode

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// FunctionDoc is a function as a person looks it up.
type FunctionDoc struct {
	Name      string
	Group     string // one of FunctionGroups
	Signature string // "join(separator string, lists list(string)...) string"
	Doc       string // one sentence
	Example   string // a call
	Result    string // what the example gives, as Show writes it
	Differs   string // where Terraform's function of this name does something else; "": no case is known
}

// FunctionGroups are the groups of functions, in the order of the manual.
var FunctionGroups = []string{"dsplay", "files", "text", "collections", "conversion", "numbers", "encoding", "networks"}

// templates are made apart from the other groups, because they see those.
var templates = []string{"template", "templatestring"}

// Describe gives every function of the language, by group and name.
func Describe() []FunctionDoc {
	groups := groups(FunctionOptions{})
	var docs []FunctionDoc
	for name, f := range Functions(FunctionOptions{}) {
		about := abouts[name]
		doc := FunctionDoc{
			Name: name, Signature: signature(name, f), Doc: cmp.Or(about.doc, f.Description()),
			Example: about.example, Result: about.result, Differs: differences[name],
		}
		for group, members := range groups {
			if _, ok := members[name]; ok {
				doc.Group = group
			}
		}
		if slices.Contains(templates, name) {
			doc.Group = "files"
		}
		docs = append(docs, doc)
	}
	slices.SortFunc(docs, func(a, b FunctionDoc) int {
		return cmp.Or(cmp.Compare(slices.Index(FunctionGroups, a.Group), slices.Index(FunctionGroups, b.Group)), strings.Compare(a.Name, b.Name))
	})
	return docs
}

// signatures are written out where the declaration says less: any number of parameters, or a type that is found
// only when the function is called.
var signatures = map[string]string{
	"can":      "can(expression) bool",
	"contains": "contains(list any, value any) bool",
	"index":    "index(list any, value any) number",
	"keys":     "keys(map any) list(string)",
	"lookup":   "lookup(map any, key string[, default any]) any",
	"parseint": "parseint(text string, base number) number",
	"range":    "range([start number,] limit number[, step number]) list(number)",
	"sum":      "sum(list any) number",
	"template": "template(path string, values any) string", "templatestring": "templatestring(template string, values any) string",
	"try":    "try(expressions...) any",
	"values": "values(map any) list(any)",
}

func signature(name string, f function.Function) string {
	if text := signatures[name]; text != "" {
		return text
	}
	var params []string
	var args []cty.Value
	for _, p := range f.Params() {
		params, args = append(params, p.Name+" "+typeexpr.TypeString(p.Type)), append(args, cty.UnknownVal(p.Type))
	}
	if p := f.VarParam(); p != nil {
		params, args = append(params, p.Name+" "+typeexpr.TypeString(p.Type)+"..."), append(args, cty.UnknownVal(p.Type))
	}
	return name + "(" + strings.Join(params, ", ") + ") " + returns(f, args)
}

// returns is the type of what a function gives, as far as it does not depend on the arguments.
func returns(f function.Function, args []cty.Value) string {
	t, err := f.ReturnTypeForValues(args)
	if err != nil {
		return "any"
	}
	return typeexpr.TypeString(t)
}
