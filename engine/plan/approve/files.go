package approve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// Signature is a file beside a plan that should hold one.
type Signature struct {
	File string
	Text []byte
	At   time.Time // when it was last written
	Err  error     // it could not be read
}

const suffix = ".sig"

// Signatures reads every signature beside a file: NAME.sig, as ssh-keygen -Y sign writes it, and NAME.anything.sig;
// that of a rejection is none. A file that cannot be read is one that does not count.
func Signatures(file string) ([]Signature, error) {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("look for signatures beside the plan: %w", err)
	}
	var out []Signature
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), filepath.Base(file))
		if !ok || !strings.HasSuffix(middle, suffix) || middle[0] != '.' || middle == rejected+suffix {
			continue
		}
		path := filepath.Join(filepath.Dir(file), e.Name())
		s := Signature{File: Plain(path)}
		text, info, err := readSmall(path)
		if s.Text, s.Err = text, err; err == nil {
			s.At = info.ModTime().UTC().Truncate(time.Second)
		}
		out = append(out, s)
	}
	return out, nil
}

// FileOf is where the approval of a plan with a key is written: the first letters of the fingerprint tell it from others.
func FileOf(file string, key ssh.PublicKey) string {
	short := strings.TrimPrefix(Fingerprint(key), "SHA256:")[:8]
	return file + "." + strings.NewReplacer("/", "_", "+", "-").Replace(short) + suffix
}

// Approves tells whether the text of a signature is one of this plan, made with this key.
func Approves(text, data []byte, key ssh.PublicKey) bool {
	s, err := unarmor(text)
	return err == nil && verify(data, s, Namespace) == nil && Fingerprint(s.PublicKey) == Fingerprint(key)
}

// Write makes a file that only its owner may read. It never changes one that is there: errors.Is(err, fs.ErrExist).
func Write(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// Plain is a text of others for one line of a terminal: what the terminal would obey, and what ends a line, is a dot.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '·'
		}
		return r
	}, s)
}
