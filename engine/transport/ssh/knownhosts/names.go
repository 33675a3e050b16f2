package knownhosts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // it is the format
	"encoding/base64"
	"strings"
	"unicode"
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

func (p patterns) match(name string) bool {
	matched := false
	for _, pattern := range p {
		pattern, not := strings.CutPrefix(pattern, "!")
		if !wild(pattern, name) {
			continue
		}
		if not {
			return false
		}
		matched = true
	}
	return matched
}

// wild matches as OpenSSH's match_pattern: * is any run of characters, also of dots, brackets and colons.
func wild(pattern, name string) bool {
	star, from := -1, 0 // where to go on when it does not fit: one character more goes to the last *
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

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
