package knownhosts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // it is the format
	"encoding/base64"
	"strings"
	"unicode"

	"github.com/dsplay/dsplay/engine/sshpattern"
)

// Name is how a host is called in a file: "host", or "[host]:port" when the port is not 22.
func Name(host, port string) string {
	host = strings.ToLower(host)
	if port == "22" || port == "" {
		return host
	}
	return "[" + host + "]:" + port
}

// writable tells whether a line that begins with name speaks of this one host only: a pattern would make its key good
// for others, and a blank or a line end would begin something else. Names come from inventories, and some of those from
// what guests say of themselves.
func writable(name string) bool {
	return name != "" && !strings.ContainsAny(name, "*?!,|#@") && !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// names is the first word of a line.
type names interface{ match(name string) bool }

// parseNames returns nil for what is neither a list nor hashed.
func parseNames(word string) names {
	if !strings.HasPrefix(word, "|") {
		return patterns(strings.Split(strings.ToLower(word), ","))
	}
	parts := strings.Split(word, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return nil
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil
	}
	sum, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil {
		return nil
	}
	return hashed{salt, sum}
}

// patterns are names with * and ?, of which one must match, and none that ! precedes.
type patterns []string

func (p patterns) match(name string) bool { return sshpattern.Any(name, p) }

// hashed is one name of which only a salted hash is written, so that a stolen file does not tell where one goes.
type hashed struct{ salt, sum []byte }

func (h hashed) match(name string) bool { return hmac.Equal(sum(h.salt, name), h.sum) }

func sum(salt []byte, name string) []byte {
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return mac.Sum(nil)
}

// hash is a name as HashKnownHosts writes it.
func hash(name string) string {
	salt := make([]byte, sha1.Size)
	_, _ = rand.Read(salt) // it never fails
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(sum(salt, name))
}
