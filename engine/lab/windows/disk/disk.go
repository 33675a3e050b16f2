// Package disk is an in-memory Windows file system: drive letters, back slashes, names that keep their case
// and are compared without it. It never touches a real file.
package disk

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The reasons for which Windows refuses a path. Their texts are the English ones of FormatMessage.
var (
	ErrNoFile   = errors.New("The system cannot find the file specified.") // 2
	ErrNoPath   = errors.New("The system cannot find the path specified.") // 3
	ErrDenied   = errors.New("Access is denied.")                          // 5
	ErrNoDrive  = errors.New("The system cannot find the drive specified.")
	ErrReadOnly = errors.New("The media is write protected.")                                                   // 19
	ErrInUse    = errors.New("The process cannot access the file because it is being used by another process.") // 32
	ErrFull     = errors.New("There is not enough space on the disk.")                                          // 112
	ErrNotEmpty = errors.New("The directory is not empty.")                                                     // 145
)

// Disk holds every drive of one computer. It is safe for use by several goroutines.
type Disk struct {
	mu       sync.Mutex
	nodes    map[string]*node // lower-case clean path → node; a drive is `c:\`
	readOnly map[string]bool  // lower-case drive
	full     map[string]int   // lower-case drive → the bytes that it takes; absent: any number
}

type node struct {
	path     string // as it was spelt when it was made
	dir      bool
	data     []byte
	modified time.Time
	program  string
	acl      string // SDDL; "": that of its folder
	held     bool   // another process has it open
}

// Info describes one file or folder.
type Info struct {
	Path     string
	Dir      bool
	Size     int
	Modified time.Time
	Program  string // the program that this executable file is, or ""
	ACL      string // SDDL
}

// Name is the last element of the path.
func (i Info) Name() string { return Base(i.Path) }

// New makes a computer with empty drives: New("C:").
func New(drives ...string) *Disk {
	d := &Disk{nodes: map[string]*node{}, readOnly: map[string]bool{}, full: map[string]int{}}
	for _, drive := range drives {
		d.nodes[key(drive+`\`)] = &node{path: drive + `\`, dir: true}
	}
	return d
}

// AddDrive adds an empty drive that can be written to.
func (d *Disk) AddDrive(drive string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nodes[key(drive+`\`)] = &node{path: drive + `\`, dir: true}
}

// Mount adds a drive with its content and makes it read-only: a DVD. fill may write to it.
func (d *Disk) Mount(drive string, fill func()) {
	d.mu.Lock()
	d.nodes[key(drive+`\`)] = &node{path: drive + `\`, dir: true}
	d.mu.Unlock()
	fill()
	d.mu.Lock()
	d.readOnly[key(drive)] = true
	d.mu.Unlock()
}

// Unmount removes a drive.
func (d *Disk) Unmount(drive string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.nodes, func(k string, _ *node) bool { return strings.HasPrefix(k, key(drive)+`\`) })
	delete(d.readOnly, key(drive))
}

// Clean makes name absolute against dir, with back slashes and without dots and quotes. Both `\x` and `C:x` work;
// C:x is taken from the root of C: unless dir is on C:.
func Clean(dir, name string) string {
	name = strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(name, `"`, "")), "/", `\`)
	switch {
	case len(name) >= 2 && name[1] == ':' && (len(name) == 2 || name[2] != '\\'):
		base := name[:2] + `\`
		if strings.EqualFold(dir[:min(2, len(dir))], name[:2]) {
			base = dir
		}
		name = base + `\` + name[2:]
	case len(name) >= 2 && name[1] == ':':
	case strings.HasPrefix(name, `\`):
		name = dir[:2] + name
	default:
		name = dir + `\` + name
	}
	rest := path.Clean("/" + strings.ReplaceAll(name[2:], `\`, "/"))
	return strings.ToUpper(name[:1]) + ":" + strings.ReplaceAll(rest, "/", `\`)
}

// Base is the last element of a path.
func Base(name string) string { return name[strings.LastIndexAny(name, `\:`)+1:] }

// Dir is a path without its last element: `C:\` for `C:\x`.
func Dir(name string) string {
	i := strings.LastIndexByte(name, '\\')
	if i <= 2 {
		return name[:2] + `\`
	}
	return name[:i]
}

func key(name string) string { return strings.ToLower(name) }

// Stat looks for a clean path.
func (d *Disk) Stat(name string) (Info, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.nodes[key(name)]
	if !ok {
		return Info{}, false
	}
	return n.info(), true
}

func (n *node) info() Info {
	return Info{Path: n.path, Dir: n.dir, Size: len(n.data), Modified: n.modified, Program: n.program, ACL: cmp.Or(n.acl, DefaultACL)}
}

// Read gives the content of a file.
func (d *Disk) Read(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.nodes[key(name)]
	switch {
	case !ok:
		return nil, d.missing(name)
	case n.dir:
		return nil, ErrDenied
	}
	return slices.Clone(n.data), nil
}

// missing tells whether the drive, the folder or only the file is not there.
func (d *Disk) missing(name string) error {
	if _, ok := d.nodes[key(name[:2]+`\`)]; !ok {
		return ErrNoDrive
	}
	if n, ok := d.nodes[key(Dir(name))]; !ok || !n.dir {
		return ErrNoPath
	}
	return ErrNoFile
}

// List gives what is in a folder, by name.
func (d *Disk) List(dir string) ([]Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.nodes[key(dir)]; !ok || !n.dir {
		return nil, d.missing(dir)
	}
	prefix := strings.TrimSuffix(key(dir), `\`) + `\`
	var found []Info
	for k, n := range d.nodes {
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" && !strings.Contains(rest, `\`) {
			found = append(found, n.info())
		}
	}
	slices.SortFunc(found, func(a, b Info) int { return strings.Compare(key(a.Path), key(b.Path)) })
	return found, nil
}

// Match gives the files and folders that a clean path with * and ? in its last element names.
func (d *Disk) Match(pattern string) []Info {
	if !strings.ContainsAny(Base(pattern), "*?") {
		if info, ok := d.Stat(pattern); ok {
			return []Info{info}
		}
		return nil
	}
	all, err := d.List(Dir(pattern))
	if err != nil {
		return nil
	}
	want := key(Base(pattern))
	if want == "*.*" {
		want = "*"
	}
	return slices.DeleteFunc(all, func(i Info) bool { return !match(want, key(i.Name())) })
}

func match(pattern, name string) bool {
	ok, err := path.Match(strings.NewReplacer("[", `\[`, `\`, `\\`).Replace(pattern), name)
	return err == nil && ok
}
