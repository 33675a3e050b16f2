package unix

import (
	"errors"
	"io/fs"
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
