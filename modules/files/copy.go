// Package files knows files on hosts: how they are, and how they are made to be what a playbook says.
package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

var platforms = []string{string(engine.POSIX), string(engine.ESXi), string(engine.Windows)}

// Copy brings a file to a host.
func Copy() engine.Module {
	return engine.Module{
		Name: "copy",
		Doc: `Brings a file to a host: one of this machine (src), or a text of the playbook (content).
Nothing is sent when the host has it already. Else it grows under a temporary name beside its place, its SHA-256 is compared there, and it takes its place in one step: nobody ever sees half of it, and whatever fails leaves the old file as it was.
The plan binds what is approved: it holds the SHA-256 of the content, and a source that has changed since is refused. Of a secret it holds the name, and no hash: that of a short secret can be guessed.
Owner, mode, ACL and SELinux label of an old file stay unless you say otherwise; a new file is 0644, one with a secret 0600. A link is followed, and stays: the file at its end is replaced, and the plan names it. On Windows an old file keeps its rights, a new one has those of its folder.
As a probe it tells how the file is.`,
		New: func() any { return &File{} }, Result: Copied{}, Targets: platforms,
	}
}

// File are the arguments of copy.
type File struct {
	Src     string        `hcl:"src,optional" executed:"true" doc:"A file of this machine; a relative path starts at the playbook. Its content is bound by its hash, its bytes are not in the plan."`
	Content engine.Secret `hcl:"content,optional" plain:"shown" doc:"The content itself, instead of src; may be a secret. Must be known when the plan is made."`
	Dest    string        `hcl:"dest" executed:"true" doc:"Where the file shall be on the host: a whole path with the file's name. Its folder must exist."`
	Mode    string        `hcl:"mode,optional" executed:"true" doc:"Permission bits in octal, like \"0644\". Not on Windows."`
	Owner   string        `hcl:"owner,optional" executed:"true" doc:"User to whom it shall belong, by name or number. Not on Windows."`
	Group   string        `hcl:"group,optional" executed:"true" doc:"Group to which it shall belong, by name or number. Not on Windows."`
	Backup  bool          `hcl:"backup,optional" executed:"true" doc:"Keeps the old file beside the new one; the name, with the time from which the old one is, is in the plan and in the result."`
	Verify  string        `hcl:"validate,optional" executed:"true" doc:"A command of the host's shell that must end with 0 before the new file takes its place; %s stands for the new file. Example: visudo -cf %s."`

	dir     string // of the playbook
	content engine.Content
	was     engine.FileInfo
	upload  *engine.Upload // what the last Check found necessary; nil: the content is there
	fixes   []engine.Command
}

// Copied is what copy leaves.
type Copied struct {
	Dest   string  `hcl:"dest" doc:"Where the file is; the end of a link."`
	Size   int     `hcl:"size" doc:"Its size in bytes."`
	SHA256 *string `hcl:"sha256" doc:"Its SHA-256 in hex; null when it is a secret, when there is no file, or when it cannot be told."`
	Backup *string `hcl:"backup" doc:"Where the old file was kept; null when none was."`
}

// Beside is told the folder at which relative paths start.
func (f *File) Beside(dir string) { f.dir = dir }

var octal = regexp.MustCompile(`^[0-7]{3,4}$`)

// Validate refuses what no host can do.
func (f *File) Validate() error {
	switch {
	case f.Src == "" && f.Content.IsZero():
		return engine.BadArg{Arg: "content", Problem: "is missing: a copy has src or content"}
	case f.Src != "" && !f.Content.IsZero():
		return engine.BadArg{Arg: "content", Problem: "and src exclude each other"}
	case f.Mode != "" && !octal.MatchString(f.Mode):
		return engine.BadArg{Arg: "mode", Problem: fmt.Sprintf("must be octal digits like \"0644\", not %q", f.Mode)}
	case f.Verify != "" && !strings.Contains(f.Verify, "%s"):
		return engine.BadArg{Arg: "validate", Problem: "must contain %s, which stands for the new file"}
	case strings.ContainsAny(f.Verify+f.Dest, "\r\n\x00"):
		return engine.BadArg{Arg: "dest", Problem: "and validate must be one line each"}
	case strings.ContainsAny(f.Owner+f.Group, ": \t\n") || strings.HasPrefix(f.Owner, "-") || strings.HasPrefix(f.Group, "-"):
		return engine.BadArg{Arg: "owner", Problem: "and group must be names or numbers"}
	case f.Src == "":
		return nil
	}
	if info, err := os.Stat(f.source()); err != nil {
		return engine.BadArg{Arg: "src", Problem: fmt.Sprintf("cannot be read: %v", cause(err))}
	} else if !info.Mode().IsRegular() {
		return engine.BadArg{Arg: "src", Problem: "must be a file: " + f.source()}
	}
	return nil
}

func (f *File) source() string {
	if filepath.IsAbs(f.Src) {
		return f.Src
	}
	return filepath.Join(f.dir, f.Src)
}

func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// Probe tells how the file is.
func (f *File) Probe(ctx context.Context, host engine.Reader) (any, error) {
	st, err := host.Stat(ctx, f.Dest)
	return f.copied(st), err
}

func (f *File) copied(st engine.FileInfo) Copied {
	c := Copied{Dest: st.Path, Size: int(st.Size)}
	if st.SHA256 != "" && !f.Content.IsDeclared() {
		c.SHA256 = &st.SHA256
	}
	return c
}

// Check compares the file on the host with what it shall be.
func (f *File) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if f.Src == "" && f.Content.IsZero() {
		return engine.Diff{}, engine.BadArg{Arg: "content", Problem: "is not known yet: what is to be approved must be known when the plan is made"}
	}
	platform, err := host.Platform(ctx)
	if err != nil {
		return engine.Diff{}, err
	}
	if platform == engine.Windows && f.Mode+f.Owner+f.Group != "" {
		return engine.Diff{}, engine.BadArg{Arg: "mode", Problem: "owner and group are not for Windows: an old file keeps its rights, a new one has those of its folder"}
	}
	if f.content, err = f.read(); err != nil {
		return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: engine.Localhost, Op: "read " + f.source(), Err: err}
	}
	if f.was, err = host.Stat(ctx, f.Dest); err != nil {
		return engine.Diff{}, err
	}
	if err := f.possible(host, platform); err != nil {
		return engine.Diff{}, err
	}
	same, err := f.same(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	return f.compare(ctx, host, platform, same)
}

func (f *File) read() (engine.Content, error) {
	if f.Src == "" {
		return engine.TextContent(f.Content), nil
	}
	return engine.FileContent(f.source())
}

// possible tells what stands in the way of any copy.
func (f *File) possible(host engine.Reader, p engine.Platform) error {
	e := &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "copy to " + f.Dest}
	switch {
	case f.was.Exists && f.was.Kind == "directory":
		e.Msg, e.Hint = "it is a folder", "dest is the whole path, with the name of the file"
	case f.was.Exists && f.was.Kind != "file":
		e.Msg, e.Hint = "it is no file", "a device, a pipe or a socket is not replaced"
	case f.was.Link && p == engine.Windows:
		e.Msg, e.Hint = "it is a link", "give the path at its end"
	case f.was.Link && f.was.Shared:
		e.Msg, e.Hint = "it is a link in a folder where anyone may put one, to "+f.was.Path, "remove it if it is not yours, or give the path at its end"
	default:
		return nil
	}
	return e
}
