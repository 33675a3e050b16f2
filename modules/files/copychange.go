package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// same tells whether the file holds the content already.
func (f *File) same(ctx context.Context, host engine.Reader) (bool, error) {
	if !f.was.Exists || f.was.Size != f.content.Size {
		return false, nil
	}
	want := f.content.SHA256
	if want == "" {
		data, err := f.content.Bytes()
		if err != nil {
			return false, err
		}
		sum := sha256.Sum256(data)
		want = hex.EncodeToString(sum[:])
	}
	if f.was.SHA256 != "" {
		return f.was.SHA256 == want, nil
	}
	h := sha256.New() // the host cannot tell, so it is fetched
	if _, err := host.Get(ctx, f.was.Path, h); err != nil {
		return false, err
	}
	return hex.EncodeToString(h.Sum(nil)) == want, nil
}

// compare says what differs, and by which lines it will be mended.
func (f *File) compare(ctx context.Context, host engine.Reader, p engine.Platform, same bool) (engine.Diff, error) {
	diff := engine.Diff{Changes: f.attributes()}
	f.upload, f.fixes = nil, nil
	if f.was.Link {
		diff.Note = fmt.Sprintf("%s is a link; %s is what is replaced", f.Dest, f.was.Path)
	}
	switch {
	case !same:
		changes, note, err := f.contentChanges(ctx, host)
		if err != nil {
			return engine.Diff{}, err
		}
		diff.Changes = append(changes, diff.Changes...)
		diff.Note = strings.TrimPrefix(strings.TrimSuffix(diff.Note+"; "+note, "; "), "; ")
		f.upload = f.newUpload(p)
		diff.Commands, err = host.PutLines(ctx, *f.upload)
		return diff, err
	case len(diff.Changes) == 0:
		diff.Note = f.was.Path + " is as it shall be"
		return diff, nil
	}
	f.fixes = f.repairs()
	for _, c := range f.fixes {
		line, err := host.Line(ctx, c)
		if err != nil {
			return engine.Diff{}, err
		}
		diff.Commands = append(diff.Commands, line)
	}
	return diff, nil
}

// attributes are the differences besides the content.
func (f *File) attributes() []engine.Change {
	var changes []engine.Change
	add := func(what, before, after string) {
		changes = append(changes, engine.Change{What: what + " of " + f.was.Path, Before: before, After: after})
	}
	if !f.was.Exists {
		return nil // the upload sets them
	}
	if f.Mode != "" && f.Mode != f.was.Mode && "0"+f.Mode != f.was.Mode {
		add("mode", f.was.Mode, f.mode())
	}
	if f.Owner != "" && f.Owner != f.was.Owner && f.Owner != f.was.UID {
		add("owner", f.was.Owner, f.Owner)
	}
	if f.Group != "" && f.Group != f.was.Group && f.Group != f.was.GID {
		add("group", f.was.Group, f.Group)
	}
	return changes
}

// mode has four digits, as a Stat has it.
func (f *File) mode() string {
	switch {
	case len(f.Mode) == 3:
		return "0" + f.Mode
	case f.Mode != "":
		return f.Mode
	case f.was.Exists:
		return f.was.Mode
	case f.Content.IsDeclared():
		return "0600"
	}
	return "0644"
}

func (f *File) newUpload(p engine.Platform) *engine.Upload {
	u := &engine.Upload{Path: f.was.Path, Content: f.content, Validate: f.Verify, Was: f.was}
	if f.Backup && f.was.Exists {
		u.Backup = f.was.Path + "." + stamp(f.was)
	}
	if p == engine.Windows {
		return u
	}
	u.Mode, u.Owner, u.Group = f.mode(), f.Owner, f.Group
	if f.was.Exists && u.Owner == "" {
		u.Owner = f.was.Owner
	}
	if f.was.Exists && u.Group == "" {
		u.Group = f.was.Group
	}
	return u
}

// stamp tells backups apart by the time from which they are; it is the same whenever it is asked.
func stamp(was engine.FileInfo) string {
	if was.Modified.IsZero() {
		return strconv.FormatInt(was.Size, 10) + "~"
	}
	return was.Modified.Format("20060102T150405Z") + "~"
}

// repairs set what is wrong besides the content.
func (f *File) repairs() []engine.Command {
	var commands []engine.Command
	for _, c := range f.attributes() {
		program, value := "chmod", c.After
		switch {
		case strings.HasPrefix(c.What, "owner"):
			program = "chown"
		case strings.HasPrefix(c.What, "group"):
			program = "chgrp"
		}
		command := engine.Command{Argv: []string{program, value, f.was.Path}}
		if program == "chmod" {
			commands = append(commands, command) // last: chown takes setuid away
			continue
		}
		commands = append([]engine.Command{command}, commands...)
	}
	return commands
}

// Apply does what Check announced.
func (f *File) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	for _, c := range f.fixes {
		if _, err := host.Do(ctx, c); err != nil {
			return nil, err
		}
	}
	c := f.copied(f.was)
	if f.upload == nil {
		return c, nil
	}
	if err := host.Put(ctx, *f.upload); err != nil {
		return nil, err
	}
	c.Size, c.SHA256 = int(f.content.Size), nil
	if f.content.SHA256 != "" {
		c.SHA256 = &f.content.SHA256
	}
	if f.upload.Backup != "" {
		c.Backup = &f.upload.Backup
	}
	return c, nil
}
