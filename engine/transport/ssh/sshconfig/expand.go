package sshconfig

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// tokens are the values of %x that most directives know, for a host (TOKENS in ssh_config(5)).
func (s *state) tokens(host string) map[byte]string {
	alias := strings.ToLower(s.text("hostkeyalias"))
	if alias == "" {
		alias = s.query.Host
	}
	short, _, _ := strings.Cut(s.query.LocalHost, ".")
	jump := s.lastJump()
	sum := sha1.Sum([]byte(s.query.LocalHost + host + s.port() + s.user() + jump))
	return map[byte]string{
		'C': hex.EncodeToString(sum[:]), 'L': short, 'd': s.file.home, 'h': host, 'i': s.uid, 'j': jump, 'k': alias,
		'l': s.query.LocalHost, 'n': s.query.Host, 'p': s.port(), 'r': s.user(), 'u': s.query.LocalUser,
	}
}

// expand replaces %x by tokens, and ${NAME} by getenv unless that is nil. A token or variable that is not there is an error.
func expand(s string, tokens map[byte]string, getenv func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case getenv != nil && strings.HasPrefix(s[i:], "${"):
			name, _, closed := strings.Cut(s[i+2:], "}")
			if !closed || name == "" {
				return "", fmt.Errorf("%q: not a variable", s)
			}
			text, ok := getenv(name)
			if !ok {
				return "", fmt.Errorf("the environment has no %s", name)
			}
			b.WriteString(text)
			i += len(name) + 2
		case s[i] == '%' && tokens != nil:
			if i++; i == len(s) {
				return "", errors.New("a % at the end; %% is one percent sign")
			}
			text, ok := tokens[s[i]]
			if s[i] == '%' {
				text, ok = "%", true
			}
			if !ok {
				return "", fmt.Errorf("%%%c is not known here", s[i])
			}
			b.WriteString(text)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// path replaces ~, tokens and variables in the name of a file.
func (s *state) path(name string) (string, error) {
	if strings.HasPrefix(name, "~") {
		expanded := tilde(name, s.file.home)
		if expanded == name {
			return "", fmt.Errorf("%s: no such user", name)
		}
		name = expanded
	}
	return expand(name, s.tokens(s.host), os.LookupEnv)
}

// tilde replaces ~ and ~user in front; a user who is not there stays.
func tilde(name, home string) string {
	rest, ok := strings.CutPrefix(name, "~")
	if !ok {
		return name
	}
	who, rest, _ := strings.Cut(filepath.ToSlash(rest), "/")
	if who != "" {
		other, err := user.Lookup(who)
		if err != nil {
			return name
		}
		home = other.HomeDir
	}
	return strings.TrimSuffix(home, "/") + "/" + strings.TrimLeft(rest, "/")
}
