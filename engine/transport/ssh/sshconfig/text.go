package sshconfig

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// text is a file as lines.
type text struct{ lines []line }

// line is a directive: its keyword in lower case, the words after it, and all of it after the keyword as it stands there.
type line struct {
	place   Place
	keyword string
	args    []string
	rest    string
}

// text reads a file. checked says that nobody but its owner and root may write it, who must be the one who runs this,
// or root: such a file can run commands.
func (f *File) text(path string, checked bool) (*text, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.read[path]; ok {
		return t, nil
	}
	if checked {
		if err := private(path); err != nil {
			return nil, err
		}
	}
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	t, err := split(path, string(data))
	if err != nil {
		return nil, err
	}
	f.read[path] = t
	return t, nil
}

// enough is more than any configuration has.
const enough = 4 << 20

// read reads a file, or a pipe as the shell's <(command) makes it, and not without end.
func read(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, enough+1))
	if err == nil && len(data) > enough {
		err = fmt.Errorf("%s: more than %d MiB: is it a configuration?", path, enough>>20)
	}
	return data, err
}

// split makes lines of a file, without those that are empty or a comment.
func split(path, data string) (*text, error) {
	t := &text{}
	var bad []error
	for i, raw := range strings.Split(data, "\n") {
		l := line{place: Place{path, i + 1}}
		ok, err := l.parse(strings.TrimRight(raw, " \t\r\n\f"))
		if err != nil {
			bad = append(bad, l.errorf("%w", err))
		} else if ok {
			t.lines = append(t.lines, l)
		}
	}
	return t, errors.Join(bad...)
}

const blank = " \t\r\n"

// parse takes "keyword value", "keyword=value" or "keyword = value".
func (l *line) parse(raw string) (ok bool, err error) {
	raw = strings.TrimLeft(raw, blank)
	if raw == "" || raw[0] == '#' {
		return false, nil
	}
	end := strings.IndexAny(raw, blank+`="`)
	if end < 0 {
		end = len(raw)
	}
	l.keyword = strings.ToLower(raw[:end])
	rest := strings.TrimLeft(raw[end:], blank)
	if after, found := strings.CutPrefix(rest, "="); found {
		rest = strings.TrimLeft(after, blank)
	}
	if l.keyword == "" || rest == "" {
		return false, fmt.Errorf("no argument after keyword %q", l.keyword)
	}
	l.rest = rest
	l.args, err = words(rest)
	return true, err
}

func (l *line) errorf(format string, args ...any) error {
	return fmt.Errorf(l.place.String()+": "+format, args...)
}

var errQuotes = errors.New("a quote is not closed")

// words splits as argv_split of OpenSSH: quotes of both kinds, a backslash before a quote, a backslash or, outside of
// quotes, a blank, and a comment that begins where a word would.
func words(s string) ([]string, error) {
	var all []string
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || s[i] == '\t' {
			continue
		}
		if s[i] == '#' {
			break
		}
		word, n, err := word(s[i:])
		if err != nil {
			return nil, err
		}
		all = append(all, word)
		i += n
	}
	return all, nil
}

// word is the first word of s and its length in s.
func word(s string) (string, int, error) {
	var b strings.Builder
	var quote byte
	i := 0
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && (strings.IndexByte(`'"\`, s[i+1]) >= 0 || quote == 0 && s[i+1] == ' '):
			i++
			b.WriteByte(s[i])
		case quote == 0 && (c == ' ' || c == '\t'):
			return b.String(), i, nil
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", 0, errQuotes
	}
	return b.String(), i, nil
}

// depth is how deeply files may include each other, as in OpenSSH.
const depth = 16

// included are the files that a pattern means now.
func (f *File) included(pattern string, user bool) ([]string, error) {
	switch {
	case strings.HasPrefix(pattern, "~"):
		if !user {
			return nil, errors.New("a system-wide file cannot include from a home directory")
		}
		pattern = tilde(pattern, f.home)
	case !filepath.IsAbs(pattern) && user:
		pattern = filepath.Join(f.home, ".ssh", pattern)
	case !filepath.IsAbs(pattern):
		pattern = filepath.Join(filepath.Dir(SystemFile()), pattern)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.globs[pattern]; ok {
		return known, nil
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("bad pattern %q", pattern)
	}
	f.globs[pattern] = found
	return found, nil
}
