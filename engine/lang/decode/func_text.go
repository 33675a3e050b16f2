package decode

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine"
)

var (
	startsWithFunc  = predicate("Tells whether a text begins with a prefix.", "prefix", strings.HasPrefix)
	endsWithFunc    = predicate("Tells whether a text ends with a suffix.", "suffix", strings.HasSuffix)
	strContainsFunc = predicate("Tells whether a text contains another one.", "substr", strings.Contains)

	basenameFunc = textFunc("text", "Gives the last part of a path with slashes.", func(s string) (string, error) { return path.Base(s), nil })
	dirnameFunc  = textFunc("text", "Gives a path with slashes without its last part.", func(s string) (string, error) { return path.Dir(s), nil })
	shqFunc      = textFunc("text", "Quotes a text as one word for a POSIX shell.", func(s string) (string, error) { return engine.QuoteSh(s), nil })
	psqFunc      = textFunc("text", "Quotes a text as one PowerShell string.", func(s string) (string, error) { return engine.QuotePS(s), nil })
)

// replaceFunc is Terraform's: a search text between slashes is a regular expression.
var replaceFunc = function.New(&function.Spec{
	Description: "Replaces every occurrence of a text; of a regular expression when it stands between slashes.",
	Params:      []function.Parameter{{Name: "text", Type: cty.String}, {Name: "search", Type: cty.String}, {Name: "replacement", Type: cty.String}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, search, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(search) < 2 || search[0] != '/' || search[len(search)-1] != '/' {
			return cty.StringVal(strings.ReplaceAll(text, search, replacement)), nil
		}
		re, err := regexp.Compile(search[1 : len(search)-1])
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		return cty.StringVal(re.ReplaceAllString(text, replacement)), nil
	},
})

var timeCmpFunc = function.New(&function.Spec{
	Description: "Compares two times in RFC 3339: -1, 0 or 1.",
	Params:      []function.Parameter{{Name: "a", Type: cty.String}, {Name: "b", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var t [2]time.Time
		for i := range t {
			var err error
			if t[i], err = time.Parse(time.RFC3339, args[i].AsString()); err != nil {
				return cty.NilVal, function.NewArgError(i, errNoTime)
			}
		}
		return cty.NumberIntVal(int64(t[0].Compare(t[1]))), nil
	},
})

// uuidFunc makes a UUID of version 5 (RFC 9562): the same for the same name.
var uuidFunc = function.New(&function.Spec{
	Description: "Makes a UUID of a name, always the same one.",
	Params:      []function.Parameter{{Name: "namespace", Type: cty.String}, {Name: "name", Type: cty.String}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		known := map[string]uuid.UUID{"dns": uuid.NameSpaceDNS, "url": uuid.NameSpaceURL, "oid": uuid.NameSpaceOID, "x500": uuid.NameSpaceX500}
		space, ok := known[args[0].AsString()]
		if !ok {
			var err error
			if space, err = uuid.Parse(args[0].AsString()); err != nil {
				return cty.NilVal, function.NewArgErrorf(0, `"dns", "url", "oid", "x500" or a UUID is required`)
			}
		}
		return cty.StringVal(uuid.NewSHA1(space, []byte(args[1].AsString())).String()), nil
	},
})

var durationFunc = function.New(&function.Spec{
	Description: `Gives the seconds of a duration like "90s", "1h30m" or "7d".`,
	Params:      []function.Parameter{{Name: "duration", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		d, err := Duration(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return cty.NumberFloatVal(d.Seconds()), nil
	},
})

// Duration reads "90s", "1h30m", "250ms" and "7d", also "1d12h"; a negative one is an error.
func Duration(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	n, err := strconv.ParseFloat(days, 64)
	var d time.Duration
	if err == nil && (rest != "" || !found) {
		d, err = time.ParseDuration(rest)
	}
	if err != nil || !(n >= 0 && n <= 100_000) || d < 0 { // the negation refuses NaN, too
		return 0, badDuration(text)
	}
	return d + time.Duration(n*24*float64(time.Hour)), nil
}

func badDuration(text string) error {
	return fmt.Errorf(`%q is no duration; write it like "90s", "1h30m" or "7d"`, text)
}
