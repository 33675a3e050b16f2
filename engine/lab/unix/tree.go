package unix

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The reasons of a refusal, in the words of libc.
var (
	errMissing      = errors.New("No such file or directory")
	errDenied       = errors.New("Permission denied")
	errIsDir        = errors.New("Is a directory")
	errNotDir       = errors.New("Not a directory")
	errExists       = errors.New("File exists")
	errNotEmpty     = errors.New("Directory not empty")
	errNotBinary    = errors.New("Exec format error")
	errNotPermitted = errors.New("Operation not permitted")
	errNoProcess    = errors.New("No such process")
)

// tree is a file system in memory. It is safe for use by several goroutines.
type tree struct {
	mu    sync.Mutex
	nodes map[string]*node // by clean absolute path
	// live gives files that are made when they are looked at, as in /proc; nil: there is none of this path.
	live     func(path string) *node
	liveList func(dir string) []string // paths of those in a folder
}

type node struct {
	mode     fs.FileMode
	uid      int
	data     []byte
	modified time.Time
	program  string // the command that this file is
}

func newTree() *tree {
	t := &tree{nodes: map[string]*node{}}
	t.nodes["/"] = &node{mode: fs.ModeDir | 0o755, modified: time.Now()}
	return t
}

// info is a node with its name: what stat gives.
type info struct {
	name string
	*node
}

func (i info) Name() string               { return path.Base(i.name) }
func (i info) Size() int64                { return int64(len(i.data)) }
func (i info) Mode() fs.FileMode          { return i.mode }
func (i info) ModTime() time.Time         { return i.modified }
func (i info) IsDir() bool                { return i.mode.IsDir() }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.mode.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }

// get gives a copy of what is at a clean path, if this user may look there.
func (t *tree) get(name string, uid int) (info, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.reach(name, uid); err != nil {
		return info{}, err
	}
	n := t.at(name)
	if n == nil {
		return info{}, errMissing
	}
	clone := *n
	clone.data = slices.Clone(n.data)
	return info{name, &clone}, nil
}

func (t *tree) at(name string) *node {
	if n := t.nodes[name]; n != nil || t.live == nil {
		return n
	}
	return t.live(name)
}

// reach tells whether every folder above name exists and may be searched.
func (t *tree) reach(name string, uid int) error {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		n := t.at(dir)
		switch {
		case n == nil:
			return errMissing
		case !n.mode.IsDir():
			return errNotDir
		case !n.allows(uid, 1):
			return errDenied
		case dir == "/":
			return nil
		}
	}
}

// allows tells whether the permission bits (4 read, 2 write, 1 execute) let this user in. Root may all but execute
// what nobody may execute. Groups are not simulated.
func (n *node) allows(uid int, bits fs.FileMode) bool {
	if uid == 0 {
		return bits&1 == 0 || n.mode.IsDir() || n.mode&0o111 != 0
	}
	if uid == n.uid {
		return n.mode>>6&bits == bits
	}
	return n.mode&bits == bits
}

// put makes or replaces a file with the folders above it, as root.
func (t *tree) put(name, data string, mode fs.FileMode) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	for dir := path.Dir(name); t.nodes[dir] == nil; dir = path.Dir(dir) {
		t.nodes[dir] = &node{mode: fs.ModeDir | 0o755, modified: time.Now()}
	}
	n := &node{data: []byte(data), mode: mode, modified: time.Now()}
	t.nodes[name] = n
	return n
}

// install makes an executable file that is a command.
func (t *tree) install(name, program string) {
	n := t.put(name, "\x7fELF "+program+"\n", 0o755)
	t.mu.Lock()
	defer t.mu.Unlock()
	n.program = program
}

// create makes a file or folder for a user; it is an error where the folder above refuses.
func (t *tree) create(name string, uid int, mode fs.FileMode) (*node, error) {
	if err := t.reach(name, uid); err != nil {
		return nil, err
	}
	if parent := t.nodes[path.Dir(name)]; parent == nil || !parent.allows(uid, 2) {
		return nil, errDenied
	}
	n := &node{uid: uid, mode: mode, modified: time.Now()}
	t.nodes[name] = n
	return n, nil
}

// write replaces or extends a file, or makes it with this mode.
func (t *tree) write(name string, uid int, data []byte, add bool, mode fs.FileMode) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[name]
	switch {
	case n == nil && t.at(name) != nil:
		return errDenied
	case n == nil:
		var err error
		if n, err = t.create(name, uid, mode); err != nil {
			return err
		}
	case n.mode.IsDir():
		return errIsDir
	case !n.allows(uid, 2):
		return errDenied
	}
	if !add {
		n.data, n.program = nil, ""
	}
	n.data = append(n.data, data...)
	n.modified = time.Now()
	return nil
}

func (t *tree) mkdir(name string, uid int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at(name) != nil {
		return errExists
	}
	_, err := t.create(name, uid, fs.ModeDir|0o755)
	return err
}

// remove takes a file, an empty folder or, with all, a whole folder away.
func (t *tree) remove(name string, uid int, all bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, parent := t.nodes[name], t.nodes[path.Dir(name)]
	below := t.below(name)
	switch {
	case t.reach(name, uid) != nil || n == nil:
		return errMissing
	case n.mode.IsDir() && len(below) > 0 && !all:
		return errNotEmpty
	case !parent.allows(uid, 2) || parent.mode&fs.ModeSticky != 0 && uid != 0 && n.uid != uid:
		return errDenied
	}
	for _, b := range append(below, name) {
		delete(t.nodes, b)
	}
	return nil
}

func (t *tree) below(name string) []string {
	prefix := strings.TrimSuffix(name, "/") + "/"
	return slices.DeleteFunc(slices.Collect(maps.Keys(t.nodes)), func(k string) bool {
		return !strings.HasPrefix(k, prefix) || k == prefix
	})
}

// rename moves a file over another, or a folder to a free name.
func (t *tree) rename(from, to string, uid int) error {
	source, err := t.get(from, uid)
	if err != nil {
		return err
	}
	if !source.IsDir() {
		if err := t.write(to, uid, source.data, false, source.mode); err != nil {
			return err
		}
		t.mu.Lock()
		t.nodes[to].program, t.nodes[to].mode = source.program, source.mode
		t.mu.Unlock()
		return t.remove(from, uid, false)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nodes[to] != nil {
		return errExists
	}
	for _, name := range append(t.below(from), from) {
		t.nodes[to+name[len(from):]] = t.nodes[name]
		delete(t.nodes, name)
	}
	return nil
}

// list gives what is in a folder, by name.
func (t *tree) list(dir string, uid int) ([]info, error) {
	folder, err := t.get(dir, uid)
	switch {
	case err != nil:
		return nil, err
	case !folder.IsDir():
		return nil, errNotDir
	case !folder.allows(uid, 4):
		return nil, errDenied
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []info
	for _, name := range t.below(dir) {
		if path.Dir(name) == dir {
			clone := *t.nodes[name]
			found = append(found, info{name, &clone})
		}
	}
	if t.liveList != nil {
		for _, name := range t.liveList(dir) {
			if n := t.live(name); n != nil {
				found = append(found, info{name, n})
			}
		}
	}
	slices.SortFunc(found, func(a, b info) int { return strings.Compare(a.name, b.name) })
	return found, nil
}

func (t *tree) own(name string, uid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.nodes[name]; n != nil {
		n.uid = uid
	}
}

func (t *tree) chmod(name string, uid int, mode fs.FileMode) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[name]
	switch {
	case n == nil:
		return errMissing
	case uid != 0 && n.uid != uid:
		return errNotPermitted
	}
	n.mode = n.mode&^0o777 | mode
	return nil
}
