package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// readAll parses the file, or the files of the folder, at path. Only what cannot be read is an error.
func (m *Model) readAll(path string) ([]*hclsyntax.Body, error) {
	names, dir, err := list(path)
	if err != nil {
		return nil, err
	}
	m.within(dir)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, reason(err)
		}
		m.read = append(m.read, engine.File{Path: name, Data: data})
	}
	return m.parse(), nil
}

// within makes paths in expressions relative to dir.
func (m *Model) within(dir string) {
	m.ctx = &hcl.EvalContext{Functions: decode.Functions(decode.FunctionOptions{Dir: dir, Secrets: m.opts.Secrets, Unread: m.opts.Unread})}
}

// list gives the files of an inventory, sorted, and the folder to which paths in them are relative.
func list(path string) (names []string, dir string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", reason(err)
	}
	if !info.IsDir() {
		return []string{path}, filepath.Dir(path), nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, "", reason(err)
	}
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".hcl") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	if len(names) == 0 {
		return nil, "", errors.New("No file in this folder ends in .hcl.") //nolint:staticcheck // a sentence for a person
	}
	return names, path, nil
}

func reason(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("It does not exist. Name the inventory with -i FILE or -i FOLDER.") //nolint:staticcheck // a sentence for a person
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return fmt.Errorf("%s: %w.", pathErr.Path, pathErr.Err) //nolint:staticcheck // a sentence for a person
	}
	return err
}

// parse parses all files at once, since large inventories are mostly parsing.
func (m *Model) parse() []*hclsyntax.Body {
	files, diags := make([]*hcl.File, len(m.read)), make([]hcl.Diagnostics, len(m.read))
	var wg sync.WaitGroup
	for i, f := range m.read {
		wg.Go(func() { files[i], diags[i] = hclsyntax.ParseConfig(f.Data, f.Path, hcl.InitialPos) })
	}
	wg.Wait()
	var bodies []*hclsyntax.Body
	for i, f := range m.read {
		if language := decode.Foreign(f.Path, f.Data); language != "" && diags[i].HasErrors() {
			diags[i] = hcl.Diagnostics{foreign(f.Path, language)}
		}
		m.report(diags[i])
		m.files[f.Path] = &hcl.File{Bytes: f.Data}
		bodies = append(bodies, files[i].Body.(*hclsyntax.Body)) // what this parser gives, after errors, too
	}
	return bodies
}

// foreign is the one thing to say of a file in another language.
func foreign(path, language string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not HCL", Subject: &hcl.Range{Filename: path},
		Detail: fmt.Sprintf("This looks like %s, perhaps an inventory of Ansible. An inventory of dsplay is written in HCL: host \"web1\" { address = \"192.0.2.1\" }. "+
			"docs/from-ansible.md says what is called what, docs/inventory.md shows all of it.", language)}
}
