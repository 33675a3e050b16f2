package cmdexe

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// redirected runs f with other streams. Where a file cannot be opened, f does not run.
func (s *session) redirected(redirs []redir, f func() uint32) uint32 {
	in, out, err := s.in, s.out, s.err
	defer func() { s.in, s.out, s.err = in, out, err }()
	for _, r := range redirs {
		if problem := s.redirect(r); problem != nil {
			fmt.Fprintf(err, "%s\r\n", s.sys.Say(problem.Error()))
			s.level = 1
			return 1
		}
	}
	return f()
}

func (s *session) redirect(r redir) error {
	if r.op == "&" {
		s.setStream(r.fd, s.stream(r.to))
		return nil
	}
	path := disk.Clean(s.dir, r.target)
	device := isDevice(path)
	switch {
	case r.op == "<" && device:
		s.in = strings.NewReader("")
	case r.op == "<":
		data, err := s.sys.Disk.Read(path)
		if err != nil {
			return err
		}
		s.in = bytes.NewReader(data)
	case device:
		s.setStream(r.fd, io.Discard)
	default:
		s.changes(path)
		open := s.sys.Disk.Write
		if r.op == ">>" {
			open = s.sys.Disk.Append
		}
		if err := open(path, nil); err != nil {
			return err
		}
		s.setStream(r.fd, &file{s.sys.Disk, path})
	}
	return nil
}

func (s *session) stream(fd int) io.Writer {
	if fd == 2 {
		return s.err
	}
	return s.out
}

func (s *session) setStream(fd int, w io.Writer) {
	if fd == 2 {
		s.err = w
	} else {
		s.out = w
	}
}

// isDevice tells whether a path is NUL, which exists in every folder.
func isDevice(path string) bool { return strings.EqualFold(disk.Base(path), "nul") }

// file appends to a file on the disk, so that others see what was written so far.
type file struct {
	disk *disk.Disk
	path string
}

func (f *file) Write(p []byte) (int, error) {
	if err := f.disk.Append(f.path, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
