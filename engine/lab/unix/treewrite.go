package unix

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

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

// rename moves a file over another, or a folder to a free name. What is there is gone, with its owner and its mode.
func (t *tree) rename(from, to string, uid int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, old := t.nodes[from], t.nodes[to]
	switch err := t.reach(to, uid); {
	case t.reach(from, uid) != nil || n == nil:
		return errMissing
	case err != nil:
		return err
	case old != nil && (n.mode.IsDir() || old.mode.IsDir()):
		return errExists
	case !t.takes(from, n, uid) || !t.takes(to, old, uid):
		return errDenied
	}
	for _, name := range append(t.below(from), from) {
		t.nodes[to+name[len(from):]] = t.nodes[name]
		delete(t.nodes, name)
	}
	return nil
}

// takes tells whether the folder of a name lets this user take away what is there; nil is nothing.
func (t *tree) takes(name string, n *node, uid int) bool {
	parent := t.nodes[path.Dir(name)]
	return parent != nil && parent.allows(uid, 2) && (n == nil || uid == 0 || parent.mode&fs.ModeSticky == 0 || n.uid == uid)
}

// link makes another name of a file, with a content of its own.
func (t *tree) link(from, to string, uid int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[from]
	if n == nil {
		return errMissing
	}
	made, err := t.create(to, uid, n.mode)
	if err == nil {
		*made = *n
		made.data = slices.Clone(n.data)
	}
	return err
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
