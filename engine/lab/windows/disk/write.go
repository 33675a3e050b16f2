package disk

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Mkdir makes a folder and those above it. It is ErrDenied where a file or folder of that name is.
func (d *Disk) Mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.nodes[key(name)]; ok {
		return ErrDenied
	}
	return d.mkdir(name)
}

// MakeAll makes a folder and those above it where they are missing.
func (d *Disk) MakeAll(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mkdir(name)
}

func (d *Disk) mkdir(name string) error {
	if n, ok := d.nodes[key(name)]; ok {
		if n.dir {
			return nil
		}
		return ErrNoPath
	}
	if err := d.writable(name); err != nil {
		return err
	}
	if err := d.mkdir(Dir(name)); err != nil {
		return err
	}
	d.nodes[key(name)] = &node{path: name, dir: true, modified: time.Now()}
	return nil
}

func (d *Disk) writable(name string) error {
	if _, ok := d.nodes[key(name[:2]+`\`)]; !ok {
		return ErrNoDrive
	}
	if d.readOnly[key(name[:2])] {
		return ErrReadOnly
	}
	return nil
}

// Write replaces a file or makes it; its folder must be there.
func (d *Disk) Write(name string, data []byte) error { return d.write(name, data, false) }

// Append adds to a file or makes it; its folder must be there.
func (d *Disk) Append(name string, data []byte) error { return d.write(name, data, true) }

func (d *Disk) write(name string, data []byte, add bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.writable(name); err != nil {
		return err
	}
	if n, ok := d.nodes[key(Dir(name))]; !ok || !n.dir {
		return ErrNoPath
	}
	n, ok := d.nodes[key(name)]
	more := len(data)
	if ok && !add {
		more -= len(n.data)
	}
	switch {
	case ok && n.dir:
		return ErrDenied
	case ok && n.held:
		return ErrInUse
	case !d.fits(name, more):
		return ErrFull
	case !ok:
		n = &node{path: name}
		d.nodes[key(name)] = n
	}
	if !add {
		n.data, n.program = nil, ""
	}
	n.data = append(n.data, data...)
	n.modified = time.Now()
	return nil
}

// Install writes an executable file that is the program of this name, with the folders above it.
func (d *Disk) Install(name, program string) {
	d.Put(name, "MZ\x90\x00"+program)
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.nodes[key(name)]; ok {
		n.program = program
	}
}

// Put writes a file with the folders above it, whatever was there. It does nothing on a drive that is not there.
func (d *Disk) Put(name, data string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mkdir(Dir(name)) == nil {
		d.nodes[key(name)] = &node{path: name, data: []byte(data), modified: time.Now()}
	}
}

// Remove removes a file or an empty folder.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.nodes[key(name)]
	if !ok {
		return d.missing(name)
	}
	if err := d.writable(name); err != nil {
		return err
	}
	if n.dir && len(d.below(name)) > 0 {
		return ErrNotEmpty
	}
	delete(d.nodes, key(name))
	return nil
}

// RemoveAll removes a folder and everything in it.
func (d *Disk) RemoveAll(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.nodes[key(name)]; !ok {
		return d.missing(name)
	}
	if err := d.writable(name); err != nil {
		return err
	}
	for _, k := range d.below(name) {
		delete(d.nodes, k)
	}
	delete(d.nodes, key(name))
	return nil
}

func (d *Disk) below(name string) []string {
	prefix := strings.TrimSuffix(key(name), `\`) + `\`
	return slices.DeleteFunc(slices.Collect(maps.Keys(d.nodes)), func(k string) bool {
		return len(k) == len(prefix) || !strings.HasPrefix(k, prefix)
	})
}

// Copy copies one file over another.
func (d *Disk) Copy(from, to string) error {
	data, err := d.Read(from)
	if err != nil {
		return err
	}
	if err := d.Write(to, data); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if source, target := d.nodes[key(from)], d.nodes[key(to)]; source != nil && target != nil {
		target.program = source.program
	}
	return nil
}

// Rename moves one file over another, or a folder to a name that is free.
func (d *Disk) Rename(from, to string) error {
	info, ok := d.Stat(from)
	if !ok || !info.Dir {
		if err := d.Copy(from, to); err != nil {
			return err
		}
		return d.Remove(from)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.nodes[key(to)]; taken {
		return ErrDenied
	}
	if err := d.writable(to); err != nil {
		return err
	}
	for _, k := range append(d.below(from), key(from)) {
		n := d.nodes[k]
		delete(d.nodes, k)
		n.path = to + n.path[len(from):]
		d.nodes[key(n.path)] = n
	}
	return nil
}
