package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// FileInfo is what a host says of a path.
type FileInfo struct {
	Exists bool
	// Path is where the file really is: a link is followed to its end, which need not exist.
	Path string
	// Link says that the path that was asked for is a symbolic link (Windows: any reparse point, which is not followed).
	Link bool
	// Shared says that the link stands in a folder with the sticky bit, like /tmp: anyone may have put it there.
	Shared   bool
	Kind     string    // "file", "directory" or "other"; "" when there is nothing
	Size     int64     // bytes
	SHA256   string    // of a file, lower-case hex; "" when it may not be read, or when the host has no program for it
	Mode     string    // permission bits in octal with four digits, "0644"; "" on Windows
	Owner    string    // a name, or a number that has none; Windows: DOMAIN\name
	Group    string    // "" on Windows
	UID, GID string    // numbers; "" on Windows
	Modified time.Time // zero when the host does not tell it
	Label    string    // of SELinux; "" where it is off
	// ACL is Windows' list of rights in SDDL; elsewhere "+" when there is one besides the mode, else "".
	ACL string
}

// Content is what a file shall hold, wherever it comes from.
type Content struct {
	Size   int64
	SHA256 string // lower-case hex; it binds what is put to what was planned. "" for a secret: the hash of a short one can be guessed
	Secret string // its name; "" when it is none
	open   func() (io.ReadCloser, error)
}

// Open gives the bytes from the beginning, any number of times.
func (c Content) Open() (io.ReadCloser, error) { return c.open() }

// TextContent is a text of a playbook. What was declared secret stays one.
func TextContent(s Secret) Content {
	value := s.Reveal()
	c := Content{Size: int64(len(value)), open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(value)), nil }}
	if s.IsDeclared() {
		c.Secret = s.Name
		return c
	}
	sum := sha256.Sum256([]byte(value))
	c.SHA256 = hex.EncodeToString(sum[:])
	return c
}

// FileContent is a file of the machine on which dsplay runs, as it is now: when it is another one later, it is refused.
func FileContent(path string) (Content, error) {
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	f, err := os.Open(path)
	if err != nil {
		return Content{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return Content{}, fmt.Errorf("%s is no file", path)
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	return Content{Size: n, SHA256: hex.EncodeToString(h.Sum(nil)), open: open}, err
}

// Bytes are the whole content; for small ones.
func (c Content) Bytes() ([]byte, error) {
	r, err := c.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(r)
	return b.Bytes(), err
}

// Upload is a file that Machine.Put shall write, whole: what is there is replaced at once, or stays as it was.
type Upload struct {
	Path    string // absolute; it must not be a link: Put writes where FileInfo.Path says
	Content Content
	Mode    string // "0644"; on Windows ""
	Owner   string // name or number; "" is whoever writes it
	Group   string
	Backup  string // path beside it under which the old file is kept; "" when it is not
	// Validate is a command of the host's shell in which %s stands for the new file, before it takes its place. It must end with 0.
	Validate string
	// Was is the file that Check saw: its label and its ACL are kept.
	Was FileInfo
}

// String is the line by which a plan announces the upload and which Put must find there. It binds the content, unless
// that is a secret, which it names.
func (u Upload) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "put %s", u.Path)
	if u.Content.SHA256 != "" {
		fmt.Fprintf(&b, " %s sha256:%s", SizeText(u.Content.Size), u.Content.SHA256)
	} else {
		fmt.Fprintf(&b, " «secret: %s»", u.Content.Secret)
	}
	for _, part := range []struct{ name, value string }{
		{"mode", u.Mode}, {"owner", u.Owner}, {"group", u.Group}, {"backup", u.Backup}, {"validate", u.Validate},
	} {
		if part.value != "" {
			fmt.Fprintf(&b, " %s %s", part.name, part.value)
		}
	}
	return b.String()
}

var putLine = regexp.MustCompile(`^put (.*) (\d+ bytes? sha256:[0-9a-f]{64})(?: |$)`)

// ParsePut finds the path and the content in a line of Upload.String; the content is its size and its hash, in words. It is
// not ok for any other line, and for that of a secret, which does not say what its content is.
func ParsePut(line string) (path, content string, ok bool) {
	m := putLine.FindStringSubmatch(line)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// SizeText is a number of bytes in words.
func SizeText(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// Progress is how far a copy has come. It is told at most every few seconds, and only of copies that take longer.
type Progress struct {
	Path  string // on the host
	Done  int64  // bytes
	Total int64
	Rate  float64 // bytes a second, since the copy began
}

// String is one short line: "copy app.msi 34 % 12 MB/s".
func (p Progress) String() string {
	name := p.Path[strings.LastIndexAny(p.Path, `/\`)+1:]
	percent := int64(100)
	if p.Total > 0 {
		percent = p.Done * 100 / p.Total
	}
	return fmt.Sprintf("copy %s %d %% %s/s", name, percent, bytesText(p.Rate))
}

func bytesText(n float64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%.0f B", n)
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", n/1e3)
	}
	return fmt.Sprintf("%.0f MB", n/1e6)
}
