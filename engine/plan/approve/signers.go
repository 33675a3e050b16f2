package approve

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Signers are the people whose signatures count: a file as ssh-keygen(1) describes it under ALLOWED SIGNERS.
type Signers struct {
	path  string
	lines []line
}

// line is one of the file: a key, or the key of an authority that certifies keys, and to whom it belongs.
type line struct {
	number     int
	principals string // a pattern-list
	key        ssh.PublicKey
	options
}

// largest is how long a file of allowed signers, of keys or of a signature may be, in bytes. It keeps a wrong path (a
// disk image, an endless device) from filling the memory.
const largest = 4 << 20

// ReadSigners reads a file of allowed signers.
func ReadSigners(path string) (*Signers, error) {
	text, _, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("the allowed signers: %w", err)
	}
	return ParseSigners(path, text)
}

// ParseSigners reads the text of a file of allowed signers. A line that is not understood whole is an error, and every
// one is reported as path:line; a file with mistakes allows nobody, because a mistake may stand in an option that limits.
func ParseSigners(path string, text []byte) (*Signers, error) {
	s := &Signers{path: path}
	var mistakes []error
	number := 0
	for raw := range strings.SplitSeq(string(text), "\n") {
		number++
		raw = strings.Trim(raw, " \t\r")
		if raw == "" || raw[0] == '#' {
			continue
		}
		l, err := parseLine(raw)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", path, number, err))
			continue
		}
		l.number = number
		s.lines = append(s.lines, l)
	}
	return s, errors.Join(mistakes...)
}

// parseLine reads "principals [options] keytype base64 [comment]".
func parseLine(raw string) (l line, err error) {
	var rest string
	if l.principals, rest, err = cutPrincipals(raw); err != nil {
		return l, err
	}
	if rest == "" {
		return l, errors.New("no key: a line is \"principals [options] keytype base64\"")
	}
	if !isKeyType(rest) {
		var given string
		given, rest = cutOptions(rest)
		if l.options, err = parseOptions(given); err != nil {
			return l, err
		}
	}
	l.key, err = parseKey(rest)
	return l, err
}

// cutPrincipals takes the first field, which may stand in quotes.
func cutPrincipals(raw string) (principals, rest string, err error) {
	if quoted, ok := strings.CutPrefix(raw, `"`); ok {
		principals, rest, ok = strings.Cut(quoted, `"`)
		if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t") {
			return "", "", errors.New("the quotes around the principals do not end before a space")
		}
	} else {
		principals, rest = cutField(raw)
	}
	if strings.Contains(principals, `"`) {
		return "", "", errors.New("a quote inside the principals: they stand in quotes as a whole, or without any")
	}
	for p := range strings.SplitSeq(principals, ",") {
		if p == "" || p == "!" {
			return "", "", fmt.Errorf("an empty principal in %q", principals)
		}
	}
	return principals, strings.TrimLeft(rest, " \t"), nil
}

func cutField(text string) (field, rest string) {
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		return text[:i], strings.TrimLeft(text[i:], " \t")
	}
	return text, ""
}

// isKeyType tells whether a text begins with the type of a key. No option does.
func isKeyType(text string) bool {
	for _, family := range []string{"ssh-", "ecdsa-", "sk-", "rsa-sha2-"} {
		if strings.HasPrefix(text, family) {
			return true
		}
	}
	return false
}

func parseKey(text string) (ssh.PublicKey, error) {
	kind, rest := cutField(text)
	encoded, _ := cutField(rest) // what follows is a comment
	if kind == "" || encoded == "" {
		return nil, errors.New("no key: after principals and options stand the type and the base64 text of a public key")
	}
	wire, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("the %s key is not whole: %w", kind, err)
	}
	key, err := ssh.ParsePublicKey(wire)
	if err != nil {
		return nil, fmt.Errorf("the %s key is not whole, or not of a type that dsplay knows: %w", kind, err)
	}
	if key.Type() != kind {
		return nil, fmt.Errorf("the key says %s, and is %s", kind, key.Type())
	}
	return key, nil
}

// names gives the people of a line by name. A line for a pattern names nobody: "*@corp" cannot be told from the planner,
// nor from another approver.
func (l line) names() ([]string, error) {
	var names []string
	for p := range strings.SplitSeq(l.principals, ",") {
		switch {
		case strings.HasPrefix(p, "!"):
		case isPattern(p):
			return nil, fmt.Errorf("its line is for whoever is %q, which names nobody; write there who holds the key", p)
		case matchesList(p, l.principals):
			names = append(names, p)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("its line allows nobody: %q", l.principals)
	}
	return names, nil
}

// readSmall reads a regular file, or one to which a link leads. Anything else could block or never end.
func readSmall(path string) ([]byte, os.FileInfo, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s is not a file", path)
	case info.Size() > largest:
		return nil, nil, fmt.Errorf("%s has %d bytes, which is too long for what it should be", path, info.Size())
	}
	text, err := os.ReadFile(path)
	return text, info, err
}
