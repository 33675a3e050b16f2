package moduletest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// file is one on the host of a case.
type file struct {
	Content  string `json:"content"`
	Mode     string `json:"mode"`
	Owner    string `json:"owner"`
	Group    string `json:"group"`
	Kind     string `json:"kind"`     // default: file
	To       string `json:"to"`       // it is a link to there
	Shared   bool   `json:"shared"`   // the link stands in a folder like /tmp
	Modified int64  `json:"modified"` // seconds since 1970
	ACL      string `json:"acl"`
	NoHash   bool   `json:"no_hash"` // the host has nothing that knows SHA-256
	Refuses  string `json:"refuses"` // Put fails with this text
	Missing  bool   `json:"missing"` // there is none; only to say what it refuses
}

// readFile reads "PATH {…}".
func (c *testCase) readFile(text string) error {
	path, data, _ := strings.Cut(text, " {")
	f := &file{Mode: "0644", Owner: "root", Group: "root", Kind: "file"}
	if c.host == engine.Windows {
		f.Mode, f.Owner, f.Group = "", "S-1-5-18", ""
	}
	if err := json.Unmarshal([]byte("{"+data), f); err != nil {
		return fmt.Errorf("file %s: %w", path, err)
	}
	if c.files == nil {
		c.files = map[string]*file{}
	}
	c.files[path] = f
	return nil
}

func (h *host) Stat(_ context.Context, path string) (engine.FileInfo, error) {
	info := engine.FileInfo{Path: path}
	f := h.c.files[path]
	if f != nil && f.To != "" {
		info.Link, info.Shared, info.Path = true, f.Shared, f.To
		f = h.c.files[f.To]
	}
	if f == nil || f.Missing {
		return info, nil
	}
	info.Exists, info.Kind, info.Size, info.Mode, info.Owner, info.Group, info.ACL = true, f.Kind, int64(len(f.Content)), f.Mode, f.Owner, f.Group, f.ACL
	if f.Modified != 0 {
		info.Modified = time.Unix(f.Modified, 0).UTC()
	}
	if f.Kind == "file" && !f.NoHash {
		info.SHA256 = hash(f.Content)
	}
	return info, nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (h *host) Get(ctx context.Context, path string, w io.Writer) (engine.FileInfo, error) {
	info, err := h.Stat(ctx, path)
	if err == nil && !info.Exists {
		err = &engine.Error{Kind: engine.KindModule, Host: h.Name(), Op: "copy from " + path, Err: fs.ErrNotExist}
	}
	if err == nil {
		_, err = io.WriteString(w, h.c.files[info.Path].Content)
	}
	return info, err
}

// PutLines of a case are the one line that binds the content: how it travels is engine/machine's, and tested there.
func (h *host) PutLines(_ context.Context, u engine.Upload) ([]string, error) {
	return []string{u.String()}, nil
}

func (h *host) Put(_ context.Context, u engine.Upload) error {
	h.t.Helper()
	line := u.String()
	if !slices.Contains(h.allowed, line) {
		h.t.Errorf("Apply puts what Check did not announce: %s", line)
	}
	h.done = append(h.done, line)
	old := h.c.files[u.Path]
	if old != nil && old.Refuses != "" {
		return &engine.Error{Kind: engine.KindModule, Host: h.Name(), Op: "copy to " + u.Path, Msg: old.Refuses}
	}
	data, err := u.Content.Bytes()
	if err != nil {
		return err
	}
	f := &file{Kind: "file", Owner: "root", Group: "root"}
	if old != nil {
		*f = *old
		f.Missing = false
	}
	if u.Backup != "" {
		h.c.files[u.Backup] = old
	}
	f.Content, f.Modified = string(data), time.Now().Unix()
	f.Mode, f.Owner, f.Group = cmp.Or(u.Mode, f.Mode), cmp.Or(u.Owner, f.Owner), cmp.Or(u.Group, f.Group)
	if h.c.files == nil {
		h.c.files = map[string]*file{}
	}
	h.c.files[u.Path] = f
	return nil
}

// change does what chmod, chown and chgrp do to a file of the case.
func (h *host) change(c engine.Command) bool {
	if len(c.Argv) != 3 || h.c.files[c.Argv[2]] == nil {
		return false
	}
	f := h.c.files[c.Argv[2]]
	to, ok := map[string]*string{"chmod": &f.Mode, "chown": &f.Owner, "chgrp": &f.Group}[c.Argv[0]]
	if ok {
		*to = c.Argv[1]
	}
	return ok
}
