package decode

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// sum is a hash function and how its result is written.
type sum struct {
	title string // "SHA-256"
	in    string // "hexadecimal digits"
	of    func([]byte) string
}

// sums are the functions of texts; each has a twin of files, whose name begins with file.
var sums = map[string]sum{
	"md5":          {"MD5", "hexadecimal digits", func(b []byte) string { s := md5.Sum(b); return hex.EncodeToString(s[:]) }},
	"sha1":         {"SHA-1", "hexadecimal digits", func(b []byte) string { s := sha1.Sum(b); return hex.EncodeToString(s[:]) }},
	"sha256":       {"SHA-256", "hexadecimal digits", func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }},
	"sha512":       {"SHA-512", "hexadecimal digits", func(b []byte) string { s := sha512.Sum512(b); return hex.EncodeToString(s[:]) }},
	"base64sha256": {"SHA-256", "Base64", func(b []byte) string { s := sha256.Sum256(b); return base64.StdEncoding.EncodeToString(s[:]) }},
	"base64sha512": {"SHA-512", "Base64", func(b []byte) string { s := sha512.Sum512(b); return base64.StdEncoding.EncodeToString(s[:]) }},
}

func sumOfText(s sum) function.Function {
	return textFunc("text", fmt.Sprintf("Gives the %s sum of a text in %s.", s.title, s.in), func(text string) (string, error) { return s.of([]byte(text)), nil })
}

var (
	urlEncodeFunc    = textFunc("text", "Escapes a text for the query of a URL.", func(s string) (string, error) { return url.QueryEscape(s), nil })
	base64EncodeFunc = textFunc("text", "Encodes a text in Base64.", func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil })
	base64DecodeFunc = textFunc("text", "Decodes Base64 into a text.", decodeBase64)
)

var errNoBase64 = errors.New("this is no Base64 (with padding, in the alphabet with + and /)")

func decodeBase64(s string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(s)
	switch {
	case err != nil:
		return "", errNoBase64
	case !utf8.Valid(data):
		return "", errors.New("the decoded bytes are no UTF-8 text; textdecodebase64 knows other encodings")
	}
	return string(data), nil
}

var (
	textEncodeFunc = encodingFunc("Encodes a text in another character encoding, such as UTF-16LE, and that in Base64.", encodeText)
	textDecodeFunc = encodingFunc("Decodes Base64 into a text that is in another character encoding, such as UTF-16LE.", decodeText)
)

// encodingFunc makes a function of a text and the name of a character encoding, as IANA registers them.
func encodingFunc(description string, f func(text, name string, e encoding.Encoding) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}, {Name: "encoding", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[1].AsString()
			e, err := ianaindex.IANA.Encoding(name)
			if err != nil || e == nil { // nil: registered, and not supported
				return cty.NilVal, function.NewArgErrorf(1, "%q is no character encoding that is known here; known are UTF-8, UTF-16LE, Shift_JIS, ISO-8859-1 and others", name)
			}
			text, err := f(args[0].AsString(), name, e)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

func encodeText(text, name string, e encoding.Encoding) (string, error) {
	data, err := e.NewEncoder().Bytes([]byte(text))
	if err != nil {
		return "", fmt.Errorf("a character in it cannot be written in %s", name)
	}
	return base64.StdEncoding.EncodeToString(data), nil
}

func decodeText(text, name string, e encoding.Encoding) (string, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", errNoBase64
	}
	out, err := e.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return "", fmt.Errorf("the decoded bytes are no text in %s", name)
	}
	return string(out), nil
}

// jsonDecodeFunc is cty's, with complaints that say where the mistake is.
var jsonDecodeFunc = parser("Parses JSON.", stdlib.JSONDecodeFunc, func(text string, err error) error {
	var syntax *json.SyntaxError
	var value any
	switch decoded := json.NewDecoder(strings.NewReader(text)).Decode(&value); {
	case errors.Is(decoded, io.EOF) || errors.Is(decoded, io.ErrUnexpectedEOF):
		return errors.New("the text ends before the JSON is complete")
	case errors.As(decoded, &syntax):
		before := text[:min(int(syntax.Offset), len(text))]
		return fmt.Errorf("this is no JSON, at line %d: %w", 1+strings.Count(before, "\n"), decoded)
	case decoded == nil:
		return errors.New("there is more behind the end of the JSON")
	}
	return err
})

var yamlDecodeFunc = parser("Parses YAML: one document, without types beyond JSON's.", yaml.YAMLDecodeFunc, func(_ string, err error) error { return err })

// parser is a function of a library that reads a text; explain improves on its complaints.
func parser(description string, f function.Function, explain func(text string, err error) error) function.Function {
	complain := func(v cty.Value, err error) error {
		if err == nil || !v.IsKnown() || v.IsNull() {
			return err
		}
		return function.NewArgError(0, explain(v.AsString(), err))
	}
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}},
		Type: func(args []cty.Value) (cty.Type, error) {
			ty, err := f.ReturnTypeForValues(args)
			return ty, complain(args[0], err)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			return v, complain(args[0], err)
		},
	})
}
