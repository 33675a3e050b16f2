package machine

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// MaxFile is the size of the largest file that ReadFile gives.
const MaxFile = 1 << 20

// missing is the exit code with which our own test says that a file does not exist.
const missing = 44

// readPOSIX: a file is missing only if the nearest directory above it that exists may be searched; where it may not,
// nobody can tell, and cat says so.
const readPOSIX = `f=%s; [ -e "$f" ] && exec cat -- "$f"; d=$f; while d=${d%%/*}; [ -n "$d" ] && ! [ -e "$d" ]; do :; done; d=${d:-/}; [ -d "$d" ] && ! [ -x "$d" ] || exit 44; exec cat -- "$f"`

const readWindows = `if not exist %[1]s (exit 44) else type %[1]s`

// ReadFile returns a whole file, at most MaxFile bytes; a missing one is fs.ErrNotExist. The path must be absolute.
func (h *Host) ReadFile(ctx context.Context, path string) ([]byte, error) {
	var out engine.Output
	err := h.use(ctx, func(shell engine.Shell) error {
		s, err := h.system(ctx, shell)
		if err != nil {
			return err
		}
		c, err := readCommand(s.platform, path)
		if err != nil {
			return h.bad(err)
		}
		call, err := h.render(s, c)
		if err != nil {
			return err
		}
		call.limit, call.raw = MaxFile, true
		out, err = h.exec(ctx, shell, call, c)
		return err
	})
	if err == nil && out.Code == missing {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Op: "read " + path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, renamed(err, "read "+path)
	}
	return []byte(out.Stdout), nil
}

func readCommand(platform engine.Platform, path string) (engine.Command, error) {
	c := engine.Command{OK: []int{0, missing}}
	if platform == engine.Windows {
		quoted, err := windowsPath(path)
		if err != nil {
			return c, err
		}
		c.Shell = fmt.Sprintf(readWindows, quoted)
		return c, nil
	}
	if !strings.HasPrefix(path, "/") {
		return c, engine.BadArg{Arg: "path", Problem: "must start at the root: " + path}
	}
	c.Shell = fmt.Sprintf(readPOSIX, engine.QuoteSh(path))
	return c, nil
}

// renamed gives an error an Op that a reader understands better than the command line behind it.
func renamed(err error, op string) error {
	e, ok := err.(*engine.Error) //nolint:errorlint // only the outermost is ours to rename
	if !ok {
		return err
	}
	named := *e
	named.Op = op
	return &named
}
