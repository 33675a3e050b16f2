package decode

import (
	"maps"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/dsplay/dsplay/engine"
)

// FunctionOptions say what the functions that read something use.
type FunctionOptions struct {
	Dir     string          // paths in expressions are relative to it
	Secrets *engine.Secrets // where secret() registers what it read; nil: nowhere
	// Read reads the files of file and template; nil: os.ReadFile. A loader that takes a snapshot hooks in here.
	Read func(path string) ([]byte, error)
	// Unread keeps secret() from reading anything: it is told the source, and the secret is unknown. For judging a text on a
	// machine that has no business with its secrets. nil: they are read.
	Unread func(source string)
}

// Functions are the functions of the language: Terraform's with its names and behaviour, and dsplay's own.
// All are pure as long as files and environment stay as they are.
func Functions(opts FunctionOptions) map[string]function.Function {
	funcs := map[string]function.Function{}
	for _, group := range groups(opts) {
		maps.Copy(funcs, group)
	}
	plain := maps.Clone(funcs) // a template sees all others, but renders no template
	funcs["template"], funcs["templatestring"] = templateFunc(opts, plain), templateStringFunc(plain)
	return funcs
}

// groups are all functions but those of templates, by the groups of the manual.
func groups(opts FunctionOptions) map[string]map[string]function.Function {
	return map[string]map[string]function.Function{
		"dsplay": {"count": countFunc, "duration": durationFunc, "shq": shqFunc, "psq": psqFunc, "secret": secretFunc(opts)},
		"files":  fileFunctions(opts), "text": stringFunctions(), "collections": collectionFunctions(), "conversion": conversionFunctions(),
		"numbers": numberFunctions(), "encoding": encodingFunctions(), "networks": netFunctions(),
	}
}

func stringFunctions() map[string]function.Function {
	return map[string]function.Function{
		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": indentFunc,
		"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": offer(stdlib.RegexFunc, terms{blame: 1}), "regexall": stdlib.RegexAllFunc,
		"split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": substrFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc,
		"upper": stdlib.UpperFunc, "replace": replaceFunc, "startswith": startsWithFunc, "endswith": endsWithFunc, "strcontains": strContainsFunc,
		"basename": basenameFunc, "dirname": dirnameFunc, "formatdate": stdlib.FormatDateFunc, "timeadd": timeAddFunc, "timecmp": timeCmpFunc,
		"uuidv5": uuidFunc,
	}
}

func collectionFunctions() map[string]function.Function {
	return map[string]function.Function{
		"alltrue": allTrueFunc, "anytrue": anyTrueFunc, "chunklist": chunkListFunc, "coalesce": coalesceFunc, "coalescelist": offer(stdlib.CoalesceListFunc, terms{}),
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": containsFunc, "distinct": stdlib.DistinctFunc,
		"element": elementFunc, "flatten": offer(stdlib.FlattenFunc, terms{}), "index": indexFunc, "keys": offer(stdlib.KeysFunc, terms{name: "map"}), "length": lengthFunc,
		"lookup": lookupFunc, "matchkeys": matchKeysFunc, "merge": offer(stdlib.MergeFunc, terms{}), "one": oneFunc, "range": stdlib.RangeFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": setProductFunc,
		"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": offer(stdlib.SortFunc, terms{}), "sum": sumFunc,
		"transpose": transposeFunc, "values": offer(stdlib.ValuesFunc, terms{name: "map"}), "zipmap": offer(stdlib.ZipmapFunc, terms{blame: 1}),
	}
}

func conversionFunctions() map[string]function.Function {
	return map[string]function.Function{
		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc,
		"tobool": to(cty.Bool), "tolist": to(cty.List(cty.DynamicPseudoType)), "tomap": to(cty.Map(cty.DynamicPseudoType)),
		"tonumber": to(cty.Number), "toset": to(cty.Set(cty.DynamicPseudoType)), "tostring": to(cty.String),
	}
}

func to(t cty.Type) function.Function { return offer(stdlib.MakeToFunc(t), terms{name: "value"}) }

func numberFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": offer(stdlib.LogFunc, terms{}),
		"max": offer(stdlib.MaxFunc, terms{}), "min": offer(stdlib.MinFunc, terms{}),
		"parseint": offer(stdlib.ParseIntFunc, terms{name: "text"}), "pow": offer(stdlib.PowFunc, terms{}), "signum": stdlib.SignumFunc,
	}
}

func encodingFunctions() map[string]function.Function {
	funcs := map[string]function.Function{
		"base64decode": base64DecodeFunc, "base64encode": base64EncodeFunc, "textdecodebase64": textDecodeFunc, "textencodebase64": textEncodeFunc,
		"csvdecode": offer(stdlib.CSVDecodeFunc, terms{name: "text"}), "jsondecode": jsonDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"yamldecode": yamlDecodeFunc, "yamlencode": yaml.YAMLEncodeFunc, "urlencode": urlEncodeFunc,
	}
	for name, sum := range sums {
		funcs[name] = sumOfText(sum)
	}
	return funcs
}

func netFunctions() map[string]function.Function {
	return map[string]function.Function{"cidrhost": cidrHostFunc, "cidrnetmask": cidrNetmaskFunc, "cidrsubnet": cidrSubnetFunc, "cidrsubnets": cidrSubnetsFunc}
}

// textFunc makes a function of one string and returns a string.
func textFunc(param, description string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: param, Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// predicate makes a function that judges two strings.
func predicate(description, second string, f func(s, other string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}
