package decode

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

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
