package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/format"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/report/notify"
)

// validator looks at many files, each as what it is.
type validator struct {
	*app
	load     loadFlags
	files    []report.CheckedFile // in the order in which they were named, each once
	problems engine.Problems
	said     []string // of files without mistakes
}

// add notes files and finds out what they are. What cannot be read is a playbook: loading it says why not.
func (v *validator) add(files []string) {
	for _, path := range files {
		path = filepath.Clean(path)
		if slices.ContainsFunc(v.files, func(f report.CheckedFile) bool { return f.Path == path }) {
			continue
		}
		kind := lang.FilePlaybook
		if src, err := os.ReadFile(path); err == nil {
			kind = lang.KindOf(path, src)
		}
		v.files = append(v.files, report.CheckedFile{Path: path, Kind: string(kind)})
	}
}

func (v *validator) run() {
	var unread []string
	v.load.unread = func(source string) { unread = append(unread, source) }
	v.all()
	if slices.Sort(unread); len(unread) > 0 {
		v.said = append(v.said, "secrets were not read, only their names were checked: "+strings.Join(slices.Compact(unread), ", "))
	}
}

// all looks at every file.
func (v *validator) all() {
	l, problems := v.hosts(v.load)
	if v.load.inventory == "" {
		v.load.declared = v.declared()
	}
	v.problems = append(v.problems, problems...)
	folders := map[string]bool{}
	for _, f := range v.files {
		switch lang.FileKind(f.Kind) {
		case lang.FilePlaybook:
			v.playbook(l, f.Path)
		case lang.FileInventory:
			v.inventory(f.Path, folders)
		case lang.FileTest:
			_, _, problems := v.wires().rehearsals(f.Path, regexp.MustCompile(""))
			v.found(problems, f.Path+" has valid tests")
		case lang.FilePolicy:
			_, problems := lang.LoadPolicies(f.Path, v.wires().modules)
			v.found(problems, f.Path+" is a valid policy file")
		case lang.FileNotify:
			_, problems := lang.LoadNotifications(f.Path, lang.NotifyOptions{Types: notify.Types(), Secrets: &v.secrets, Unread: unasked})
			v.found(problems, f.Path+" is a valid file of notifications")
		default:
			v.syntax(f)
		}
	}
}

func (v *validator) playbook(l *loaded, path string) {
	problems := v.app.playbook(l, path, v.load)
	well := path + " is valid"
	if l.model == nil && v.load.inventory == "" && l.program != nil {
		well += assumed(l.program.Assumed())
	}
	v.found(problems, well)
}

// assumed says what could not be checked without an inventory.
func assumed(a lang.Assumed) string {
	var parts []string
	for _, names := range []struct {
		what string
		list []string
	}{{"attributes of hosts", a.Attributes}, {"groups", a.Groups}, {"names of hosts", a.Hosts}} {
		if len(names.list) > 0 {
			parts = append(parts, names.what+" ("+strings.Join(names.list, ", ")+")")
		}
	}
	if len(parts) == 0 {
		return "; it names nothing that only an inventory (-i) could tell"
	}
	return "; without an inventory (-i) these were not checked: " + strings.Join(parts, ", ")
}

// declared are the attributes that hosts may have as far as that is known without an inventory: those that sources give,
// and those of the inventories among the files.
func (v *validator) declared() []string {
	var names []string
	for _, source := range v.wires().sources {
		names = slices.AppendSeq(names, maps.Keys(source.Attrs(source.Settings())))
	}
	for _, f := range v.files {
		if lang.FileKind(f.Kind) != lang.FileInventory {
			continue
		}
		path := f.Path
		if v.whole(filepath.Dir(path)) {
			path = filepath.Dir(path)
		}
		if m, _ := v.wires().inventory(path, &v.secrets, unasked); m != nil {
			names = slices.AppendSeq(names, maps.Keys(m.Inventory().Attrs))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inventory checks a file; or, once, its folder, when all the folder's files are in the list and are an inventory.
func (v *validator) inventory(path string, folders map[string]bool) {
	dir := filepath.Dir(path)
	if folders[dir] || v.load.inventory == path || v.load.inventory == dir {
		return // it was checked already
	}
	if v.whole(dir) {
		folders[dir], path = true, dir
	}
	_, problems := v.wires().inventory(path, &v.secrets, v.load.unread)
	v.found(problems, path+" is a valid inventory")
}

// whole tells whether every *.hcl file of a folder was named and is of an inventory.
func (v *validator) whole(dir string) bool {
	all, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	return err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(path string) bool {
		return !slices.Contains(v.files, report.CheckedFile{Path: path, Kind: string(lang.FileInventory)})
	})
}

func (v *validator) syntax(f report.CheckedFile) {
	src, err := os.ReadFile(f.Path)
	if err != nil {
		v.found(engine.Problems{{Summary: "File not readable", Detail: err.Error() + ".", Range: engine.Range{File: f.Path}}}, "")
		return
	}
	_, problems := format.Source(f.Path, src)
	v.found(problems, f.Path+" ("+f.Kind+"): the syntax is right")
}

// found keeps problems; when none is an error, the file is well.
func (v *validator) found(problems engine.Problems, well string) {
	for _, p := range problems {
		if !slices.Contains(v.problems, p) {
			v.problems = append(v.problems, p)
		}
	}
	if problems.Err() == nil {
		v.said = append(v.said, well)
	}
}
