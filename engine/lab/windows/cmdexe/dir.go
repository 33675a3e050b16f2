package cmdexe

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

func (s *session) changeDir(paths []string) uint32 {
	if len(paths) == 0 {
		fmt.Fprintf(s.out, "%s\r\n", s.dir)
		return 0
	}
	info, ok := s.sys.Disk.Stat(paths[0])
	if !ok {
		return s.fail(disk.ErrNoPath)
	}
	if !info.Dir {
		return s.fail(errors.New("The directory name is invalid."))
	}
	s.dir = info.Path
	return 0
}

// listing is dir: bare with /b, otherwise with sizes and dates.
func (s *session) listing(flags, paths []string) uint32 {
	path := s.dir
	if len(paths) > 0 {
		path = paths[0]
	}
	found := s.sys.Disk.Match(path)
	folder := disk.Dir(path)
	if info, ok := s.sys.Disk.Stat(path); ok && info.Dir {
		folder = info.Path
		found, _ = s.sys.Disk.List(path)
	} else if _, err := s.sys.Disk.List(folder); err != nil {
		return s.fail(disk.ErrNoPath)
	}
	bare := slices.Contains(flags, "/b")
	if !bare {
		fmt.Fprintf(s.out, " Volume in drive %s has no label.\r\n\r\n Directory of %s\r\n\r\n", folder[:1], folder)
	}
	if len(found) == 0 {
		return s.fail(errors.New("File Not Found"))
	}
	for _, info := range found {
		printInfo(s.out, info, bare)
	}
	return 0
}

func printInfo(w io.Writer, info disk.Info, bare bool) {
	if bare {
		fmt.Fprintf(w, "%s\r\n", info.Name())
		return
	}
	size := fmt.Sprintf("%17d", info.Size)
	if info.Dir {
		size = "   <DIR>         "
	}
	fmt.Fprintf(w, "%s %s %s\r\n", info.Modified.Format("01/02/2006  03:04 PM"), size, info.Name())
}
