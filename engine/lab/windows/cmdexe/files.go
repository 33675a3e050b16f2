package cmdexe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

const errSyntaxText = "The syntax of the command is incorrect."

// fileCommand runs the built-in commands that work on files.
func (s *session) fileCommand(name string, args []string) uint32 {
	flags, paths := s.split(args)
	switch name {
	case "cd", "chdir", "pushd", "popd":
		return s.changeDir(paths)
	case "dir":
		return s.listing(flags, paths)
	case "start", "assoc", "ftype", "vol":
		fmt.Fprintf(s.err, "%s is not simulated\r\n", name)
		return 1
	}
	if len(paths) == 0 {
		s.complain(errSyntaxText)
		return 1
	}
	if name == "type" {
		return s.typeFiles(paths)
	}
	s.changes(paths...)
	switch name {
	case "del", "erase":
		return s.del(paths)
	case "md", "mkdir":
		return s.mkdir(paths)
	case "rd", "rmdir":
		return s.rmdir(paths, slices.Contains(flags, "/s"))
	case "copy":
		return s.copyFiles(args)
	}
	return s.move(name, paths)
}

// fail prints the reason of a refusal.
func (s *session) fail(err error) uint32 {
	s.complain(err.Error())
	return 1
}

func (s *session) typeFiles(paths []string) uint32 {
	var code uint32
	for _, path := range paths {
		if isDevice(path) {
			continue
		}
		data, err := s.sys.Disk.Read(path)
		if err != nil {
			code = s.fail(err)
			continue
		}
		s.out.Write(decode(data))
	}
	return code
}

// decode turns a UTF-16 text with a byte order mark into UTF-8, as type does.
func decode(data []byte) []byte {
	if len(data) < 2 || data[0] != 0xFF || data[1] != 0xFE {
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// del removes files. A name that matches nothing is reported, and is no failure.
func (s *session) del(paths []string) uint32 {
	var code uint32
	for _, path := range paths {
		found := s.sys.Disk.Match(path)
		if len(found) == 0 {
			fmt.Fprintf(s.err, "%s %s\r\n", s.sys.Say("Could Not Find"), path)
		}
		for _, info := range found {
			if info.Dir {
				continue
			}
			if err := s.sys.Disk.Remove(info.Path); err != nil {
				fmt.Fprintf(s.err, "%s\r\n", info.Path)
				code = s.fail(err)
			}
		}
	}
	return code
}

func (s *session) mkdir(paths []string) uint32 {
	var code uint32
	for _, path := range paths {
		err := s.sys.Disk.Mkdir(path)
		if _, exists := s.sys.Disk.Stat(path); err != nil && exists {
			fmt.Fprintf(s.err, "A subdirectory or file %s already exists.\r\n", path)
			code = 1
		} else if err != nil {
			code = s.fail(err)
		}
	}
	return code
}

func (s *session) rmdir(paths []string, all bool) uint32 {
	remove := s.sys.Disk.Remove
	if all {
		remove = s.sys.Disk.RemoveAll
	}
	var code uint32
	for _, path := range paths {
		if info, ok := s.sys.Disk.Stat(path); ok && !info.Dir {
			code = s.fail(errors.New("The directory name is invalid."))
		} else if err := remove(path); err != nil {
			_ = s.fail(err) // it says what is wrong; the code is rd's own
			if code = 1; errors.Is(err, disk.ErrNoFile) || errors.Is(err, disk.ErrNoPath) {
				code = 2
			}
		}
	}
	return code
}

// copyFiles is "copy [/y] [/b] FROM[+FROM…] TO".
func (s *session) copyFiles(args []string) uint32 {
	args = slices.DeleteFunc(args, func(a string) bool { return strings.HasPrefix(a, "/") })
	if len(args) == 0 || len(args) > 2 {
		return s.fail(errors.New(errSyntaxText))
	}
	sources := strings.Split(args[0], "+")
	target := s.dir
	if len(args) == 2 {
		target = disk.Clean(s.dir, args[1])
	}
	if info, ok := s.sys.Disk.Stat(target); ok && info.Dir {
		target = disk.Clean(target, disk.Base(strings.Trim(sources[0], `"`)))
	}
	var all []byte
	for _, source := range sources {
		data, err := s.sys.Disk.Read(disk.Clean(s.dir, source))
		if err != nil {
			return s.fail(err)
		}
		all = append(all, data...)
	}
	var err error
	switch {
	case isDevice(target):
	case len(sources) == 1:
		err = s.sys.Disk.Copy(disk.Clean(s.dir, sources[0]), target)
	default:
		err = s.sys.Disk.Write(target, all)
	}
	if err != nil {
		return s.fail(err)
	}
	fmt.Fprintf(s.out, "        1 file(s) copied.\r\n")
	return 0
}

func (s *session) move(name string, paths []string) uint32 {
	if len(paths) != 2 {
		return s.fail(errors.New(errSyntaxText))
	}
	from, to := paths[0], paths[1]
	if name != "move" { // ren takes a bare new name
		to = disk.Clean(disk.Dir(from), disk.Base(to))
		if _, taken := s.sys.Disk.Stat(to); taken {
			return s.fail(errors.New("A duplicate file name exists, or the file\r\ncannot be found."))
		}
	} else if info, ok := s.sys.Disk.Stat(to); ok && info.Dir {
		to = disk.Clean(to, disk.Base(from))
	}
	if err := s.sys.Disk.Rename(from, to); err != nil {
		return s.fail(err)
	}
	if name == "move" {
		fmt.Fprintf(s.out, "        1 file(s) moved.\r\n")
	}
	return 0
}
