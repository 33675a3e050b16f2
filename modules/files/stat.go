package files

import (
	"context"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Stat tells how a file is.
func Stat() engine.Module {
	return engine.Module{
		Name: "stat",
		Doc: `Tells how a file is on a host: whether it exists, its size, its SHA-256, who may do what with it.
A link is followed; path is where it leads. What a host cannot tell, or what its user may not read, is null.`,
		New: func() any { return &Path{} }, Result: Status{}, Targets: platforms,
	}
}

// Path are the arguments of stat.
type Path struct {
	Path    string `hcl:"path" executed:"true" doc:"The whole path on the host."`
	Content bool   `hcl:"content,optional" executed:"true" doc:"Reads the content, too, if it is a text of at most 1 MiB."`
}

// Status is what is known of a file.
type Status struct {
	Exists   bool    `hcl:"exists" doc:"Whether there is something at the path; a link whose end is missing does not exist."`
	Path     string  `hcl:"path" doc:"Where it really is: the end of a link, else the path itself."`
	Link     bool    `hcl:"link" doc:"Whether the path is a symbolic link; on Windows any reparse point, which is not followed."`
	Kind     string  `hcl:"kind" doc:"file, directory, other (a device, a pipe …), or missing."`
	Size     int     `hcl:"size" doc:"Size in bytes."`
	SHA256   *string `hcl:"sha256" doc:"SHA-256 of a file in hex; null when it cannot be told."`
	Mode     *string `hcl:"mode" doc:"Permission bits as four octal digits; null on Windows."`
	Owner    *string `hcl:"owner" doc:"To whom it belongs: a name, or the number of a user without one; on Windows the SID."`
	Group    *string `hcl:"group" doc:"The group; null on Windows."`
	Modified *string `hcl:"modified" doc:"When it was last written, RFC 3339 in UTC by the host's clock."`
	Label    *string `hcl:"label" doc:"The SELinux label; null where SELinux is off."`
	ACL      *string `hcl:"acl" doc:"On Windows its rights in SDDL; elsewhere + when it has an ACL besides its mode, else null."`
	Content  *string `hcl:"content" doc:"Its content; null when it was not asked for, is too large, or is no text."`
}

// Probe looks.
func (p *Path) Probe(ctx context.Context, host engine.Reader) (any, error) {
	st, err := host.Stat(ctx, p.Path)
	if err != nil {
		return nil, err
	}
	s := Status{Exists: st.Exists, Path: st.Path, Link: st.Link, Kind: st.Kind, Size: int(st.Size), SHA256: known(st.SHA256), Mode: known(st.Mode),
		Owner: known(st.Owner), Group: known(st.Group), Label: known(st.Label), ACL: known(st.ACL)}
	if !st.Exists {
		s.Kind = "missing"
	}
	if !st.Modified.IsZero() {
		s.Modified = known(st.Modified.Format(time.RFC3339))
	}
	if !p.Content || st.Kind != "file" || st.Size > 1<<20 {
		return s, nil
	}
	data, err := host.ReadFile(ctx, st.Path)
	if err != nil {
		return nil, err
	}
	if isText(data) {
		text := string(data)
		s.Content = &text
	}
	return s, nil
}

func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
