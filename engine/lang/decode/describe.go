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
}

// FunctionGroups are the groups of functions, in the order of the manual.
var FunctionGroups = []string{"dsplay", "text", "collections", "conversion", "numbers", "encoding", "networks"}

// conversions stand apart in the manual: two of them take no values but expressions.
var conversions = []string{"can", "try", "tobool", "tolist", "tomap", "tonumber", "toset", "tostring"}

// Describe gives every function of the language, by group and name.
func Describe() []FunctionDoc {
	groups := map[string]map[string]function.Function{
		"text": stringFunctions(), "collections": collectionFunctions(), "numbers": numberFunctions(), "encoding": encodingFunctions(), "networks": netFunctions(),
	}
	var docs []FunctionDoc
	for name, f := range Functions(FunctionOptions{}) {
		doc := FunctionDoc{Name: name, Group: "dsplay", Signature: signature(name, f), Doc: cmp.Or(sentences[name], f.Description())}
		for group, members := range groups {
			if _, ok := members[name]; ok {
				doc.Group = group
			}
		}
		if slices.Contains(conversions, name) {
			doc.Group = "conversion"
		}
		docs = append(docs, doc)
	}
	slices.SortFunc(docs, func(a, b FunctionDoc) int {
		return cmp.Or(cmp.Compare(slices.Index(FunctionGroups, a.Group), slices.Index(FunctionGroups, b.Group)), strings.Compare(a.Name, b.Name))
	})
	return docs
}

// sentences say of the functions of libraries what those do not say of themselves, or not in words of this language.
var sentences = map[string]string{
	"can":             "Tells whether an expression can be evaluated without an error.",
	"try":             "Gives the first of its expressions that can be evaluated without an error.",
	"csvdecode":       "Parses comma-separated values with a header row, and gives a list of objects.",
	"element":         "Gives the element of a list at an index; behind the end it begins anew.",
	"flatten":         "Replaces lists in a list by their elements, at every depth.",
	"format":          "Puts values into a text at its verbs: %s, %d, %q, %v and their like.",
	"formatlist":      "Does what format does for every element of lists.",
	"formatdate":      "Writes a time in RFC 3339 in another form, such as YYYY-MM-DD hh:mm.",
	"jsondecode":      "Parses JSON.",
	"jsonencode":      "Writes a value as JSON.",
	"merge":           "Joins maps or objects; the last one that has a key wins.",
	"parseint":        "Reads a whole number in a base from 2 to 62.",
	"regex":           "Gives the first match of a regular expression (RE2), or its groups; no match is an error.",
	"regexall":        "Gives every match of a regular expression (RE2).",
	"setproduct":      "Gives every combination of the elements of lists or sets.",
	"setsubtract":     "Gives the elements of the first set that are not in the second.",
	"setintersection": "Gives the elements that all sets have.",
	"setunion":        "Gives the elements that one of the sets has.",
	"slice":           "Gives the elements of a list from an index to before another one.",
	"timeadd":         "Adds a duration such as \"10m\" to a time in RFC 3339.",
	"title":           "Makes the first letter of every word a capital.",
	"tobool":          "Converts to bool, or fails.", "tolist": "Converts to a list, or fails.", "tomap": "Converts to a map, or fails.",
	"tonumber": "Converts to a number, or fails.", "toset": "Converts to a set, or fails.", "tostring": "Converts to a string, or fails.",
	"trim":       "Removes the characters of a second text from both ends.",
	"trimprefix": "Removes a beginning, where there is one.", "trimsuffix": "Removes an end, where there is one.",
	"values": "Gives the values of a map or object, in the order of its keys.",
	"keys":   "Gives the keys of a map or object, sorted.",
	"zipmap": "Makes a map of a list of keys and a list of values of the same length.",
}

// signatures are written out where the declaration says less: any number of parameters, or a type that is found
// only when the function is called.
var signatures = map[string]string{
	"can":      "can(expression) bool",
	"contains": "contains(list any, value any) bool",
	"file":     "file(path string) string",
	"index":    "index(list any, value any) number",
	"keys":     "keys(map any) list(string)",
	"lookup":   "lookup(map any, key string[, default any]) any",
	"parseint": "parseint(text string, base number) number",
	"range":    "range([start number,] limit number[, step number]) list(number)",
	"sum":      "sum(list any) number",
	"template": "template(path string, values any) string",
	"try":      "try(expressions...) any",
	"values":   "values(map any) list(any)",
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
