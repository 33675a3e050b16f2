package lang

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// loader is what is known while a playbook is loaded; the program grows in it.
type loader struct {
	*Program
	opts    Options
	path    string
	diags   hcl.Diagnostics
	modules map[string]*engine.Module
	whole   bool // everything is kept at run time, also what the playbook does not read

	variables map[string]*variable
	known     map[string]*local    // locals declared so far
	played    map[string]*play     // plays declared so far
	later     map[string]hcl.Range // "local.x" and "play.x" of the whole file
	constants *hcl.EvalContext     // functions, and the variables once their values are known
}

func newLoader(path string, opts Options) *loader {
	l := &loader{
		Program: &Program{
			playbook: &engine.Playbook{Path: path}, files: map[string]*hcl.File{}, vars: cty.EmptyObjectVal,
			reads:    newSnapshot(opts.Files),
			rewriter: hoist.Rewriter{Split: resultRoots()},
			locals:   map[*engine.Locals][]*local{}, checks: map[*engine.Check]*check{}, plays: map[*engine.Play]*play{}, entries: map[*engine.Entry]*entry{},
			unchecked: map[hcl.Range]bool{},
		},
		opts: opts, path: path, modules: map[string]*engine.Module{},
		variables: map[string]*variable{}, known: map[string]*local{}, played: map[string]*play{}, later: map[string]hcl.Range{},
	}
	for i := range opts.Modules {
		l.modules[opts.Modules[i].Name] = &opts.Modules[i]
	}
	l.functions = decode.Functions(decode.FunctionOptions{Dir: filepath.Dir(path), Secrets: opts.Secrets, Read: l.reads.read, Unread: opts.Unread})
	l.constants = &hcl.EvalContext{Functions: l.functions, Variables: map[string]cty.Value{}}
	return l
}

func (l *loader) load() {
	body := l.parse()
	if body == nil || l.isPart(body) {
		return
	}
	l.shape = shapeOf(l.included(body, map[string]bool{filepath.Clean(l.path): true}), l.opts.Inventory)
	l.checkModules()
	l.declare(body)
	l.loadVariables(body)
	for _, a := range inOrder(body.Attributes) {
		l.unexpected("argument", a.Name, a.NameRange, "at file level", nil)
	}
	for _, b := range body.Blocks {
		l.item(b)
	}
	if len(l.playbook.Items) == 0 && l.path != "" && !l.diags.HasErrors() {
		l.warn(hcl.Range{Filename: l.path}, "Empty playbook", "There is no play in it: nothing would be done.")
	}
	l.warnUnused()
	l.warnEvidence()
	if l.whole {
		l.keepAll()
	}
	l.shape.settle()
	l.settleTypes()
	l.playbook.Files = l.reads.all()
}

// isPart reports a part that was given as a playbook, once, and not every block of it.
func (l *loader) isPart(body *hclsyntax.Body) bool {
	has := func(kind string) func(*hclsyntax.Block) bool {
		return func(b *hclsyntax.Block) bool { return b.Type == kind }
	}
	first := slices.IndexFunc(body.Blocks, has("input"))
	if first < 0 || slices.ContainsFunc(body.Blocks, has("play")) {
		return false
	}
	l.fail(body.Blocks[first].DefRange(), "A part, and no playbook", "It has inputs, and nothing says for which hosts. Write a playbook with a play, and in it include %q \"NAME\" { … } with a value for each input; the path is relative to the playbook.", l.path)
	return true
}

// item loads one block at file level.
func (l *loader) item(b *hclsyntax.Block) {
	switch b.Type {
	case "variable": // read before
	case "playbook":
		l.loadTexts(b)
	case "locals":
		l.loadLocals(b)
	case "check":
		if c := l.loadCheck(b, place{what: "check"}, nil); c != nil {
			l.playbook.Items = append(l.playbook.Items, engine.Item{Check: c.Check})
		}
	case "play":
		l.loadPlay(b)
	default:
		l.unexpected("block", b.Type, b.TypeRange, "at file level", []string{"playbook", "variable", "locals", "check", "play"})
	}
}

func (l *loader) parse() *hclsyntax.Body {
	if l.path == "" { // a console without a playbook
		return &hclsyntax.Body{}
	}
	src, err := l.reads.read(l.path)
	if err != nil {
		l.diags = l.diags.Append(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Playbook not readable", Detail: err.Error() + ".",
			Subject: &hcl.Range{Filename: l.path}})
		return nil
	}
	f, diags := hclsyntax.ParseConfig(src, l.path, hcl.InitialPos)
	l.files[l.path] = f
	l.playbook.Files = []engine.File{{Path: l.path, Data: src}}
	if language := decode.Foreign(l.path, src); language != "" && diags.HasErrors() {
		diags = hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Not HCL", Subject: &hcl.Range{Filename: l.path},
			Detail: fmt.Sprintf("This looks like %s, perhaps a playbook of Ansible. A playbook of dsplay is written in HCL; docs/from-ansible.md shows both side by side.", language)}}
	}
	l.report(diags)
	if diags.HasErrors() {
		return nil
	}
	return f.Body.(*hclsyntax.Body)
}

// declare notes the names of the whole file, so that a reference to something later can be told from a wrong one.
func (l *loader) declare(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		switch {
		case b.Type == "locals":
			for name, a := range b.Body.Attributes {
				l.later["local."+name] = a.NameRange
			}
		case b.Type == "play" && len(b.Labels) == 1:
			l.later["play."+b.Labels[0]] = b.DefRange()
		}
	}
}

func (l *loader) loadTexts(b *hclsyntax.Block) {
	l.form(b, form{attrs: []string{"description", "impact", "backout"}})
	for name, to := range map[string]*string{"description": &l.playbook.Description, "impact": &l.playbook.Impact, "backout": &l.playbook.Backout} {
		*to = l.text(b.Body, name)
	}
}

func (l *loader) report(diags hcl.Diagnostics) { l.diags = append(l.diags, diags...) }

func (l *loader) fail(where hcl.Range, summary, format string, args ...any) {
	l.report(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &where}})
}

func (l *loader) warn(where hcl.Range, summary, format string, args ...any) {
	l.report(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &where}})
}

// problems gives everything that was found, each once, in the order of the file.
func (l *loader) problems() engine.Problems {
	for _, d := range l.diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			l.tellOrigins(d)
		}
	}
	problems := decode.Problems(l.diags, l.files)
	slices.SortStableFunc(problems, func(a, b engine.Problem) int {
		return cmp.Or(cmp.Compare(a.Range.File, b.Range.File), cmp.Compare(a.Range.Line, b.Range.Line), cmp.Compare(a.Range.Col, b.Range.Col),
			cmp.Compare(a.Summary, b.Summary), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(problems)
}

// tellOrigins adds to a mistake where the values that are named at its place were given: often it is made there.
func (l *loader) tellOrigins(d *hcl.Diagnostic) {
	if d.Summary == notValid || strings.Contains(d.Detail, " is given by ") {
		return // it says so itself, or was told before
	}
	d.Detail = strings.TrimSpace(strings.Join(append([]string{d.Detail}, l.origins(*d.Subject)...), " "))
}

// inOrder gives attributes as they are written.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.SrcRange.Start.Byte, b.SrcRange.Start.Byte)
	})
}

// snapshot reads every file once, so that a program means the same however often it is evaluated.
type snapshot struct {
	mu    sync.Mutex
	files map[string][]byte
	order []string
	only  bool // nothing is read from the disk

	failed map[string]error
}

// newSnapshot reads from the disk, or (files not nil) only from them.
func newSnapshot(files []engine.File) *snapshot {
	s := &snapshot{files: map[string][]byte{}, only: files != nil, failed: map[string]error{}}
	for _, f := range files {
		s.files[f.Path] = f.Data
		s.order = append(s.order, f.Path)
	}
	return s
}

func (s *snapshot) read(path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data, ok := s.files[path]; ok {
		return data, nil
	}
	if err := s.failed[path]; err != nil {
		return nil, err
	}
	if s.only { // a file that was missing when the plan was made is still missing
		return nil, &fs.PathError{Op: "take from the plan", Path: path, Err: fs.ErrNotExist}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		s.failed[path] = err // and stays so for this program: fileexists is pure
		return nil, err
	}
	s.files[path] = data
	s.order = append(s.order, path)
	return data, nil
}

func (s *snapshot) all() []engine.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]engine.File, len(s.order))
	for i, path := range s.order {
		out[i] = engine.File{Path: path, Data: s.files[path]}
	}
	return out
}
