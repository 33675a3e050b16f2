// Package winguest shows a simulated Windows to VMware Tools.
package winguest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// System is a guestops.System.
type System struct {
	Ctx context.Context // programs end with it
	// Guest is the machine as it is now: a lab may replace it.
	Guest func() *windows.Guest
	// Ended is told of every program that has ended, before Tools know of it. May be nil.
	Ended func(user, commandLine string, mutates bool)
}

var _ guestops.System = System{}

// boot is one life of one machine.
type boot struct {
	guest *windows.Guest
	n     int
}

// Family is Windows.
func (s System) Family() string { return guestops.Windows }

// Boot counts.
func (s System) Boot() any {
	g := s.Guest()
	if state := g.State(); state.Up {
		return boot{g, state.Boots}
	}
	return nil
}

// Start starts a program.
func (s System) Start(user string, p guestops.Program, ended func(code int32)) (int64, error) {
	g, before := s.Guest(), s.Boot()
	l, err := g.Launch(s.Ctx, user, p.Path, p.Arguments, p.Dir)
	if err != nil {
		return 0, err
	}
	go func() {
		e := <-l.Ended
		if s.Ended != nil {
			s.Ended(user, p.Path+" "+p.Arguments, e.Changed)
		}
		if s.Boot() == before {
			ended(int32(e.Code)) //nolint:gosec // Tools print the 32 bits with a sign
		}
	}()
	return int64(l.PID), nil
}

// Kill ends a process.
func (s System) Kill(_ string, pid int64) error {
	if !s.Guest().Kill(int(pid)) {
		return fs.ErrNotExist
	}
	return nil
}

// Processes are those that commands started.
func (s System) Processes() []guestops.Process {
	var list []guestops.Process
	for _, p := range s.Guest().Processes() {
		list = append(list, guestops.Process{PID: int64(p.PID), Name: p.Image, Owner: p.User, Command: cmp.Or(p.Line, p.Image), Start: p.Start})
	}
	return list
}

// Temporary makes something in the user's folder of temporary files.
func (s System) Temporary(user, dir, prefix, suffix string, folder bool) (string, error) {
	g := s.Guest()
	if dir == "" {
		dir = g.Temp(user)
	}
	path := disk.Clean(dir, prefix+"vmware"+rand.Text()[:6]+suffix)
	g.Scratch(path)
	if folder {
		return path, reason(g.Disk().Mkdir(path))
	}
	return path, reason(g.Disk().Write(path, nil))
}

// Scratch tells whether Temporary made it, or what it is in.
func (s System) Scratch(path string) bool { return s.Guest().IsScratch(disk.Clean(`C:\`, path)) }

// List lists.
func (s System) List(path string) ([]guestops.File, error) {
	d, clean := s.Guest().Disk(), disk.Clean(`C:\`, path)
	info, ok := d.Stat(clean)
	if !ok {
		return nil, fs.ErrNotExist
	}
	if !info.Dir {
		return []guestops.File{{Path: path, Size: int64(info.Size)}}, nil
	}
	infos, err := d.List(clean)
	var list []guestops.File
	for _, i := range infos {
		list = append(list, guestops.File{Path: i.Path, Dir: i.Dir, Size: int64(i.Size)})
	}
	return list, reason(err)
}

// Read reads a file.
func (s System) Read(path string) ([]byte, error) {
	data, err := s.Guest().Disk().Read(disk.Clean(`C:\`, path))
	return data, reason(err)
}

// Write writes a file.
func (s System) Write(path string, data []byte, overwrite bool) error {
	d, clean := s.Guest().Disk(), disk.Clean(`C:\`, path)
	if _, there := d.Stat(clean); there && !overwrite {
		return fs.ErrExist
	}
	return reason(d.Write(clean, data))
}

// MakeDir makes a folder; without parents the one above must be there.
func (s System) MakeDir(path string, parents bool) error {
	d, clean := s.Guest().Disk(), disk.Clean(`C:\`, path)
	above, ok := d.Stat(disk.Dir(clean))
	_, there := d.Stat(clean)
	switch {
	case there:
		return fs.ErrExist
	case !parents && (!ok || !above.Dir):
		return fs.ErrNotExist
	}
	return reason(d.MakeAll(clean))
}

// Remove removes a file.
func (s System) Remove(path string) error {
	return reason(s.Guest().Disk().Remove(disk.Clean(`C:\`, path)))
}

// RemoveAll removes a folder.
func (s System) RemoveAll(path string) error {
	return reason(s.Guest().Disk().RemoveAll(disk.Clean(`C:\`, path)))
}

// Move moves a file.
func (s System) Move(from, to string, overwrite bool) error {
	d := s.Guest().Disk()
	if _, there := d.Stat(disk.Clean(`C:\`, to)); there && !overwrite {
		return fs.ErrExist
	}
	return reason(d.Rename(disk.Clean(`C:\`, from), disk.Clean(`C:\`, to)))
}

// reason is what Tools make of an error of Windows.
func reason(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, disk.ErrNoFile), errors.Is(err, disk.ErrNoPath), errors.Is(err, disk.ErrNoDrive):
		return fs.ErrNotExist
	case errors.Is(err, disk.ErrDenied), errors.Is(err, disk.ErrReadOnly):
		return guestops.ErrDenied
	}
	return errors.New(strings.TrimSuffix(err.Error(), "."))
}
