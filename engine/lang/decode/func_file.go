package decode

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine"
)

// secretFunc reads "env:NAME", "file:PATH" or "credential:NAME", marks the value with its source as its name, and registers it.
// A file that group or others can read is refused, and the newline at its end is cut.
func secretFunc(opts FunctionOptions) function.Function {
	return function.New(&function.Spec{
		Description: `Reads a secret: secret("env:NAME"), secret("file:PATH"), or of a systemd service secret("credential:NAME").`,
		Params:      []function.Parameter{{Name: "source", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			source := args[0].AsString()
			if opts.Unread != nil && isSource(source) {
				opts.Unread(source)
				return cty.UnknownVal(cty.String).Mark(engine.SecretMark{Name: source}), nil
			}
			value, err := readSecret(source, opts.Dir)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if opts.Secrets != nil {
				opts.Secrets.Add(source, value)
			}
			return cty.StringVal(value).Mark(engine.SecretMark{Name: source}), nil
		},
	})
}

// isSource tells whether a secret could be read from what is named so.
func isSource(source string) bool {
	kind, name, _ := strings.Cut(source, ":")
	return (kind == "env" || kind == "file" || kind == fromSystemd) && name != ""
}

func readSecret(source, dir string) (string, error) {
	if err := SecretSource(source); err != nil {
		return "", err
	}
	kind, name, _ := strings.Cut(source, ":")
	switch kind {
	case "file":
		return readSecretFile(name, dir)
	case fromSystemd:
		return readCredential(name)
	}
	value, ok := os.LookupEnv(name)
	switch {
	case !ok:
		return "", fmt.Errorf("the environment variable %s is not set", name)
	case value == "":
		return "", fmt.Errorf("the environment variable %s is empty", name)
	}
	return text([]byte(value), name)
}

// SecretSource says what is wrong with the source of a secret, as it is written, without reading it.
func SecretSource(source string) error {
	if !isSource(source) {
		return errors.New(`a secret comes from "env:NAME", "file:PATH" or "credential:NAME"`)
	}
	return nil
}

// fromSystemd is the kind of a secret that systemd hands to a service (LoadCredential=, systemd.exec(5)): a file in a folder that
// only the service can read, whatever the file's mode says.
const fromSystemd = "credential"

func readCredential(name string) (string, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	switch {
	case dir == "":
		return "", fmt.Errorf("there is no credential %s: systemd gives them to a service (LoadCredential=%[1]s:FILE); elsewhere set CREDENTIALS_DIRECTORY to the folder of such files", name)
	case name != filepath.Base(name) || name == "..":
		return "", fmt.Errorf("a credential is named without a folder, not %s", name)
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", reason(err, name)
	}
	return wholeText(data, name)
}

func readSecretFile(name, dir string) (string, error) {
	path, err := locate(name, dir)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", reason(err, name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", reason(err, name)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others than its owner can use %s (mode %04o); run: chmod 600 %s", name, info.Mode().Perm(), engine.QuoteSh(path))
	}
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return "", reason(err, name)
	}
	return wholeText(data, name)
}

// wholeText is a secret as it stands in a file: the line end that editors add does not belong to it.
func wholeText(data []byte, name string) (string, error) {
	value, err := text(data, name)
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if err == nil && value == "" {
		err = fmt.Errorf("%s is empty", name)
	}
	return value, err
}

// fileFunctions read files: as texts, or whatever they hold.
func fileFunctions(opts FunctionOptions) map[string]function.Function {
	funcs := map[string]function.Function{
		"file": textFunc("path", "Reads a text file.", func(path string) (string, error) {
			data, err := opts.read(path)
			if err != nil {
				return "", err
			}
			return text(data, path)
		}),
		"fileexists": fileExistsFunc(opts),
		"filebase64": ofFile(opts, "Reads a file and encodes it in Base64.", base64.StdEncoding.EncodeToString),
	}
	for name, sum := range sums {
		twin := "file" + name // of base64sha256 it is filebase64sha256
		funcs[twin] = ofFile(opts, fmt.Sprintf("Gives the %s sum of a file in %s.", sum.title, sum.in), sum.of)
	}
	return funcs
}

func ofFile(opts FunctionOptions, description string, f func([]byte) string) function.Function {
	return textFunc("path", description, func(path string) (string, error) {
		data, err := opts.read(path)
		if err != nil {
			return "", err
		}
		return f(data), nil
	})
}

func fileExistsFunc(opts FunctionOptions) function.Function {
	return function.New(&function.Spec{
		Description: "Tells whether there is a file; a folder is an error.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch _, err := opts.read(args[0].AsString()); {
			case errors.Is(err, fs.ErrNotExist):
				return cty.False, nil
			case err != nil:
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.True, nil
		},
	})
}

// templateFunc renders a file in HCL's template language. Its names are the keys of the second argument.
// The result is a string even where the file is one interpolation.
func templateFunc(opts FunctionOptions, funcs map[string]function.Function) function.Function {
	return renderer("Renders a template file with the values of an object or map.", "path", funcs, func(path string) (string, string, error) {
		data, err := opts.read(path)
		if err != nil {
			return "", "", err
		}
		src, err := text(data, path)
		return src, path, err
	})
}

// templateStringFunc does the same with a text.
func templateStringFunc(funcs map[string]function.Function) function.Function {
	return renderer("Renders a text as a template, with the values of an object or map.", "template", funcs, func(src string) (string, string, error) {
		return src, "template", nil
	})
}

// renderer makes a function that renders what source gives for its first argument: a template and its name.
func renderer(description, param string, funcs map[string]function.Function, source func(string) (src, name string, err error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: param, Type: cty.String}, {Name: "values", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if ty := args[1].Type(); !ty.IsObjectType() && !ty.IsMapType() {
				return cty.NilType, function.NewArgErrorf(1, "an object or map is required")
			}
			return cty.String, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			src, name, err := source(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			v, err := render(src, name, args[1].AsValueMap(), funcs)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return v, nil
		},
	})
}

func render(src, name string, values map[string]cty.Value, funcs map[string]function.Function) (cty.Value, error) {
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	if at := vastLiteral(expr); at != nil {
		return cty.NilVal, fmt.Errorf("%s: a number of this size means nothing here, and written out it would fill the memory", Range(*at))
	}
	names := map[string]cty.Value{} // never nil: HCL would say that names are not allowed at all
	maps.Copy(names, values)
	v, diags := expr.Value(&hcl.EvalContext{Variables: names, Functions: funcs})
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	v, err := convert.Convert(v, cty.String)
	if err == nil && v.IsNull() {
		err = errors.New("the template gives null, which is no text")
	}
	return v, err
}

// vastLiteral is where a number stands that is beyond 10^600 or below 10^-600; nil: nowhere. In a playbook the type walker
// finds it.
func vastLiteral(e hclsyntax.Expression) (at *hcl.Range) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		l, ok := n.(*hclsyntax.LiteralValueExpr)
		if ok && at == nil && l.Val.Type() == cty.Number && l.Val.IsKnown() && !l.Val.IsNull() && Vast(l.Val.AsBigFloat()) {
			at = l.Range().Ptr()
		}
		return nil
	})
	return at
}

// Vast tells whether a number is beyond 10^600 or below 10^-600. The parser keeps any number exactly: 1e400000000 is
// short as long as nobody makes a text of it.
func Vast(n *big.Float) bool {
	const bits = 2000
	exponent := n.MantExp(nil)
	return n.IsInf() || exponent > bits || exponent < -bits
}

// templateError places the first mistake in the template; the call's own place is said around it.
func templateError(diags hcl.Diagnostics) error {
	i := slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError })
	p := Problems(diags[i:i+1], nil)[0]
	// The values come without their marks, so nobody knows here whether a function quotes a secret.
	if _, call := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](diags[i]); call || diags[i].Summary == "Duplicate object key" {
		p.Detail = "what is wrong is not shown, because a secret may be in it."
	}
	return fmt.Errorf("%s: %s; %s", p.Range, p.Summary, strings.TrimSuffix(p.Detail, "."))
}

func (o FunctionOptions) read(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("the path is empty")
	}
	path, err := locate(name, o.Dir)
	if err != nil {
		return nil, err
	}
	read := o.Read
	if read == nil {
		read = os.ReadFile
	}
	data, err := read(path)
	if err != nil {
		return nil, reason(err, name)
	}
	return data, nil
}

// locate expands ~ and makes a path absolute or relative to dir.
func locate(name, dir string) (string, error) {
	if rest, ok := strings.CutPrefix(name, "~"); ok && (rest == "" || rest[0] == '/' || os.IsPathSeparator(rest[0])) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("%s: the home folder is not known: %w", name, err)
		}
		return filepath.Join(home, rest), nil
	}
	if filepath.IsAbs(name) {
		return name, nil
	}
	return filepath.Join(dir, name), nil
}

// noFile is a file that is not there.
type noFile struct{ name string }

func (e noFile) Error() string        { return "there is no file " + e.name }
func (e noFile) Is(target error) bool { return target == fs.ErrNotExist }

// reason is err in words, with the path as its author wrote it.
func reason(err error, name string) error {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noFile{name}
	case errors.As(err, &pathErr):
		return fmt.Errorf("%s: %w", name, pathErr.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func text(data []byte, name string) (string, error) {
	if !utf8.Valid(data) {
		return "", fmt.Errorf("%s is no UTF-8 text", name)
	}
	return string(data), nil
}
