package machine

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Exit codes of our own scripts for files. 44 is missing; the others are chosen where no shell and no sudo has one.
const (
	noSearch = 46 // a folder above may not be searched
	noLink   = 47 // a link that leads nowhere
)

// statPOSIX tells everything in one round trip. ls is the only program that every system has for it; -n gives numbers.
const statPOSIX = `LC_ALL=C; export LC_ALL; f=%s; r=$f; ` +
	`if [ -L "$f" ]; then r=$(readlink -f "$f") || exit 47; echo "dsplay:link:$r"; [ -k "${f%%/*}/" ] && echo dsplay:shared:; fi; ` +
	`if [ -e "$r" ]; then echo "dsplay:numbers:$(ls -ldn "$r")"; echo "dsplay:names:$(ls -ld "$r")"; ` +
	`echo "dsplay:time:$(stat -c %%Y "$r" 2>/dev/null || stat -f %%m "$r" 2>/dev/null)"; %s exit 0; fi; ` +
	`d=$r; while d=${d%%/*}; [ -n "$d" ] && ! [ -e "$d" ]; do :; done; d=${d:-/}; [ -d "$d" ] && ! [ -x "$d" ] && exit 46; exit 44`

// Stat tells how a path is on the host.
func (h *Host) Stat(ctx context.Context, path string) (engine.FileInfo, error) {
	var info engine.FileInfo
	err := h.use(ctx, func(shell engine.Shell) error {
		var err error
		info, err = h.stat(ctx, shell, path)
		return err
	})
	if err != nil {
		return engine.FileInfo{}, renamed(err, "look at "+path)
	}
	return info, nil
}

func (h *Host) stat(ctx context.Context, shell engine.Shell, path string) (engine.FileInfo, error) {
	s, err := h.system(ctx, shell)
	if err != nil {
		return engine.FileInfo{}, err
	}
	if s.platform == engine.Windows {
		return h.statWindows(ctx, shell, s, path)
	}
	if err := absolute(path); err != nil {
		return engine.FileInfo{}, h.bad(err)
	}
	tools, err := h.tools(ctx, shell)
	if err != nil {
		return engine.FileInfo{}, err
	}
	c := engine.Command{Shell: fmt.Sprintf(statPOSIX, engine.QuoteSh(path), tools.more()), OK: []int{0, missing, noSearch, noLink}}
	r, err := h.render(s, c)
	if err != nil {
		return engine.FileInfo{}, err
	}
	out, err := h.exec(ctx, shell, r, c)
	switch {
	case err != nil:
		return engine.FileInfo{}, err
	case out.Code == noSearch:
		return engine.FileInfo{}, &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Msg: "this user may not look into a folder above it",
			Hint: "connect as another user, or add a sudo block", Err: fs.ErrPermission}
	case out.Code == noLink:
		return engine.FileInfo{}, &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Msg: "it is a link whose end cannot be found",
			Hint: "a folder on the way is missing, or the link leads to itself: see ls -l on the host"}
	}
	return parseStat(path, out), nil
}

// absolute refuses paths that no script of ours can carry.
func absolute(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return engine.BadArg{Arg: "path", Problem: "must start at the root: " + path}
	case strings.ContainsAny(path, "\n\x00"):
		return engine.BadArg{Arg: "path", Problem: "must be one line"}
	case strings.HasSuffix(path, "/"):
		return engine.BadArg{Arg: "path", Problem: "must be the name of a file, not of a folder: " + path}
	}
	return nil
}

var hash64 = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// parseStat reads the answer of statPOSIX; what an rc file prints besides is passed over.
func parseStat(name string, out engine.Output) engine.FileInfo {
	info := engine.FileInfo{Path: path.Clean(name)}
	for line := range strings.Lines(out.Stdout) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "dsplay:")
		word, value, _ := strings.Cut(rest, ":")
		fields := strings.Fields(value)
		switch {
		case !ok:
		case word == "link":
			info.Link, info.Path = true, value
		case word == "shared":
			info.Shared = true
		case word == "numbers" && len(fields) > 4:
			info.Exists = true
			info.Kind, info.Mode, info.ACL = readMode(fields[0])
			info.UID, info.GID = fields[2], fields[3]
			info.Size, _ = strconv.ParseInt(fields[4], 10, 64) // a device has two numbers there, and no size
		case word == "names" && len(fields) > 4:
			info.Owner, info.Group = fields[2], fields[3]
		case word == "time":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				info.Modified = time.Unix(n, 0).UTC()
			}
		case word == "label" && len(fields) > 1:
			info.Label = fields[0]
		case word == "sha256":
			info.SHA256 = hash64.FindString(strings.ToLower(value))
		}
	}
	return info
}

// readMode reads "-rwsr-xr-t" as ls prints it, with what may follow: "." for a label alone, "+" for more rights.
func readMode(text string) (kind, mode, acl string) {
	if len(text) < 10 {
		return "other", "", ""
	}
	kind = "other"
	switch text[0] {
	case '-':
		kind = "file"
	case 'd':
		kind = "directory"
	}
	bits := 0
	for i, letter := range text[1:10] {
		if strings.ContainsRune("rwxst", letter) {
			bits |= 1 << (8 - i)
		}
		if strings.ContainsRune("sStT", letter) {
			bits |= 1 << (11 - i/3)
		}
	}
	if strings.HasPrefix(text[10:], "+") {
		acl = "+"
	}
	return kind, fmt.Sprintf("%04o", bits), acl
}
