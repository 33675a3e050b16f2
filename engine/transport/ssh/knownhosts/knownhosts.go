// Package knownhosts knows OpenSSH's files of host keys: which of their lines speak of a host, and how one is added.
//
// It reads them as OpenSSH 9.2 does (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; tried against its ssh), and not as
// golang.org/x/crypto/ssh/knownhosts does, which refuses a file for a line or a kind of key that it does not know, and to
// which the pattern * means port 22.
package knownhosts

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Marker is what a line says besides that a host has a key.
type Marker string

// The markers of OpenSSH.
const (
	Plain     Marker = ""
	Authority Marker = "@cert-authority" // the key signs certificates of these hosts
	Revoked   Marker = "@revoked"        // the key is never accepted
)

// Line is one entry of a file.
type Line struct {
	File   string
	Number int // from 1
	Marker Marker
	Type   string // of the key, as OpenSSH calls it: "ssh-ed25519". It may be one that nobody here knows
	Key    []byte // as on the wire
	names  names
}

// Place is FILE:LINE.
func (l *Line) Place() string { return fmt.Sprintf("%s:%d", l.File, l.Number) }

// Is tells whether the line has this key.
func (l *Line) Is(key ssh.PublicKey) bool { return string(l.Key) == string(key.Marshal()) }

// Set is what some files say together.
type Set struct {
	files []*file
}

type file struct {
	index
	revoked map[string]*Line // by key
	unread  []string         // places of lines that are none
	size    int64
	time    time.Time
}

// For returns the lines, except those of revoked keys, that speak of name, in the order of the files. Names are those
// that Name makes; letter case does not count.
func (s *Set) For(name string) []*Line {
	name = strings.ToLower(name)
	var found []*Line
	for _, f := range s.files {
		found = append(found, f.find(name)...)
	}
	return found
}

// Keys are the lines with keys of the host itself.
func (s *Set) Keys(name string) []*Line { return s.marked(name, Plain) }

// Authorities are the lines with keys that sign certificates of the host.
func (s *Set) Authorities(name string) []*Line { return s.marked(name, Authority) }

func (s *Set) marked(name string, m Marker) []*Line {
	return slices.DeleteFunc(s.For(name), func(l *Line) bool { return l.Marker != m })
}

// Revoked returns the line that revokes key, or nil. Its names do not count: what is revoked for one host is known to
// somebody else, and could be shown by any. (OpenSSH looks at the names.)
func (s *Set) Revoked(key ssh.PublicKey) *Line {
	for _, f := range s.files {
		if l := f.revoked[string(key.Marshal())]; l != nil {
			return l
		}
	}
	return nil
}

// Unread are the places of the lines that could not be read. OpenSSH ignores them in silence.
func (s *Set) Unread() []string {
	var all []string
	for _, f := range s.files {
		all = append(all, f.unread...)
	}
	return all
}

// Files reads files, and reads them again when they have changed. It is safe for use by several goroutines; the zero
// value is ready.
type Files struct {
	mu    sync.Mutex
	files map[string]*file
}

// Load returns what the files say; one that does not exist says nothing. A line @revoked that cannot be read is an
// error, as is a file that cannot: nobody knows what it revokes.
func (f *Files) Load(paths ...string) (*Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var set Set
	for _, path := range paths {
		one, err := f.load(path)
		if err != nil {
			return nil, err
		}
		if one != nil {
			set.files = append(set.files, one)
		}
	}
	return &set, nil
}

func (f *Files) load(path string) (*file, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if old := f.files[path]; old != nil && old.size == info.Size() && old.time.Equal(info.ModTime()) {
		return old, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read, err := parse(path, string(text))
	if err != nil {
		return nil, err
	}
	read.size, read.time = info.Size(), info.ModTime()
	if f.files == nil {
		f.files = map[string]*file{}
	}
	f.files[path] = read
	return read, nil
}

func parse(path, text string) (*file, error) {
	f := &file{revoked: map[string]*Line{}}
	number := 0
	for row := range strings.Lines(text) {
		number++
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' {
			continue
		}
		l := parseLine(row)
		switch {
		case l == nil && strings.HasPrefix(row, string(Revoked)):
			return nil, fmt.Errorf("%s:%d: cannot read what is revoked here", path, number)
		case l == nil:
			f.unread = append(f.unread, fmt.Sprintf("%s:%d", path, number))
			continue
		}
		l.File, l.Number = path, number
		if l.Marker == Revoked {
			f.revoked[string(l.Key)] = l
			continue
		}
		f.add(l)
	}
	return f, nil
}

// parseLine returns nil for what is no line: also for the RSA keys of SSH 1 (host, bits, exponent, modulus).
func parseLine(row string) *Line {
	fields := strings.Fields(row)
	l := &Line{}
	if m := Marker(fields[0]); m == Authority || m == Revoked {
		l.Marker, fields = m, fields[1:]
	}
	if len(fields) < 3 || fields[0][0] == '@' {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(key) < 4 {
		return nil
	}
	length := binary.BigEndian.Uint32(key)
	if uint64(length) > uint64(len(key)-4) || string(key[4:4+length]) != fields[1] {
		return nil
	}
	l.Type, l.Key = fields[1], key
	l.names = parseNames(fields[0])
	if l.names == nil {
		return nil
	}
	return l
}
