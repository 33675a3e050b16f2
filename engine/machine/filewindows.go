package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// absoluteWindows takes C:\x and \\server\share\x.
func absoluteWindows(path string) error {
	drive := len(path) > 3 && path[1] == ':' && path[2] == '\\'
	switch {
	case !drive && !strings.HasPrefix(path, `\\`):
		return engine.BadArg{Arg: "path", Problem: `must be whole, like C:\folder\file: ` + path}
	case strings.ContainsAny(path, "\"\r\n\x00*?<>|/") || strings.Contains(path[2:], ":"):
		return engine.BadArg{Arg: "path", Problem: "contains a character that no file of Windows has in its name: " + path}
	case strings.HasSuffix(path, `\`):
		return engine.BadArg{Arg: "path", Problem: "must be the name of a file, not of a folder: " + path}
	}
	return nil
}

func (h *Host) statWindows(ctx context.Context, shell engine.Shell, s system, path string) (engine.FileInfo, error) {
	if err := absoluteWindows(path); err != nil {
		return engine.FileInfo{}, h.bad(err)
	}
	c := powershell(fmt.Sprintf(statWindows, quotePS(path)))
	r, err := h.render(s, c)
	if err != nil {
		return engine.FileInfo{}, err
	}
	out, err := h.exec(ctx, shell, r, c)
	if err != nil {
		return engine.FileInfo{}, err
	}
	info := engine.FileInfo{Path: path}
	if out.Code != 0 {
		err := h.windowsError("look at "+path, out)
		if errors.Is(err, fs.ErrNotExist) {
			return info, nil
		}
		return info, err
	}
	return parseStatWindows(info, out.Stdout), nil
}

// Attributes of files: https://learn.microsoft.com/dotnet/api/system.io.fileattributes
const (
	attributeDirectory = 16
	attributeReparse   = 1024
)

func parseStatWindows(info engine.FileInfo, text string) engine.FileInfo {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "dsplay:")
		word, value, _ := strings.Cut(rest, ":")
		number, err := strconv.ParseInt(value, 10, 64)
		switch {
		case !ok:
		case word == "attributes" && err == nil:
			info.Exists, info.Kind, info.Link = true, "file", number&attributeReparse != 0
			if number&attributeDirectory != 0 {
				info.Kind = "directory"
			}
		case word == "size":
			info.Size = number
		case word == "modified" && err == nil:
			info.Modified = fromFileTime(number)
		case word == "owner":
			info.Owner = value
		case word == "acl":
			info.ACL = value
		case word == "sha256":
			info.SHA256 = hash64.FindString(value)
		}
	}
	return info
}

// fromFileTime: units of 100 ns since 1601.
func fromFileTime(n int64) time.Time {
	return time.Unix(0, (n-116444736000000000)*100).UTC().Truncate(time.Second)
}

// hresults are Windows' own numbers of errors, with FACILITY_WIN32 before them: https://learn.microsoft.com/windows/win32/debug/system-error-codes
var hresults = map[int32]struct {
	err       error
	msg, hint string
}{
	2:   {fs.ErrNotExist, "there is no such file", ""},
	3:   {fs.ErrNotExist, "there is no such folder", "make it first, with a step before this one"},
	5:   {fs.ErrPermission, "access is denied", "connect as an administrator; a file that is read-only or a program that runs is not replaced either"},
	19:  {syscall.EROFS, "the medium is write-protected", "give a path on another drive"},
	32:  {syscall.EBUSY, "another process uses the file", "stop what uses it first"},
	39:  {syscall.ENOSPC, "the disk is full", "make room on the drive"},
	112: {syscall.ENOSPC, "the disk is full", "make room on the drive"},
	53:  {fs.ErrNotExist, "the server of this path does not answer", "a share needs a login of its own, which WinRM does not pass on"},
}

// windowsError makes sense of "dsplay:error:HRESULT:text".
func (h *Host) windowsError(op string, out engine.Output) error {
	e := &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Op: op, Msg: "exit code " + exitText(out), Hint: "is there a PowerShell on this host?"}
	for line := range strings.Lines(out.Stdout) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "dsplay:error:")
		number, text, _ := strings.Cut(rest, ":")
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			continue
		}
		e.Msg, e.Hint = text, ""
		if known, ok := hresults[int32(n)&0xffff]; ok && uint32(n)>>16 == 0x8007 { //nolint:gosec // the same 32 bits
			e.Msg, e.Hint, e.Err = known.msg+" ("+text+")", known.hint, known.err
		}
	}
	return e
}
