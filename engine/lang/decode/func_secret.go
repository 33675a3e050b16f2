package decode

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/zclconf/go-cty/cty"
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
