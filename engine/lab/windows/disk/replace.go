package disk

import "strings"

// DefaultACL is what a file inherits from its folder: SYSTEM and Administrators may all, Users may read.
const DefaultACL = "D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"

// SetACL gives a file other rights than those of its folder. They are only kept, and ask nobody.
func (d *Disk) SetACL(name, sddl string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.nodes[key(name)]; ok {
		n.acl = sddl
	}
}

// Hold makes a file one that another process has open and shares with nobody, or lets it go.
func (d *Disk) Hold(name string, held bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.nodes[key(name)]; ok {
		n.held = held
	}
}

// Openable is ErrInUse for a file that is held.
func (d *Disk) Openable(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.nodes[key(name)]; ok && n.held {
		return ErrInUse
	}
	return nil
}

// SetRoom lets a drive take so many bytes more; negative: as many as come. What is removed makes room again.
func (d *Disk) SetRoom(drive string, bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if delete(d.full, key(drive)); bytes >= 0 {
		d.full[key(drive)] = d.used(drive) + bytes
	}
}

func (d *Disk) used(drive string) int {
	sum := 0
	for name, n := range d.nodes {
		if strings.HasPrefix(name, key(drive)) {
			sum += len(n.data)
		}
	}
	return sum
}

// fits tells whether a drive takes so many bytes more.
func (d *Disk) fits(name string, bytes int) bool {
	limit, limited := d.full[key(name[:2])]
	return !limited || d.used(name[:2])+bytes <= limit
}

// Replace puts the file from in the place of to, in one step. An old file lends its rights, and is what backup is from
// then on; where there is none from keeps its own.
func (d *Disk) Replace(from, to, backup string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, old := d.nodes[key(from)], d.nodes[key(to)]
	switch {
	case n == nil:
		return d.missing(from)
	case old != nil && old.dir:
		return ErrDenied
	case old != nil && old.held:
		return ErrInUse
	}
	if old != nil {
		n.acl, n.path = old.acl, old.path
		old.path = backup
		d.nodes[key(backup)] = old
	} else {
		n.path = to
	}
	delete(d.nodes, key(from))
	d.nodes[key(to)] = n
	return nil
}
