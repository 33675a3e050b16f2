package sshconfig

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// syntax judges how a value is written, and puts it in the form that state keeps; keep is false when it says nothing.
type syntax func(v *value) (keep bool, err error)

// loose takes everything: what is not used is not judged.
func loose(*value) (bool, error) { return true, nil }

// one is a single word.
func one(v *value) (bool, error) {
	switch {
	case len(v.args) == 0 || v.args[0] == "":
		return false, errors.New("a value is missing")
	case len(v.args) > 1:
		return false, errors.New("too many words: quote a value with blanks")
	}
	return true, nil
}

// choice is one of some words, of which "a=b" means that a is another word for b.
func choice(words ...string) syntax {
	return func(v *value) (bool, error) {
		if ok, err := one(v); !ok {
			return false, err
		}
		for _, w := range words {
			word, meaning, same := strings.Cut(w, "=")
			if strings.EqualFold(v.args[0], word) {
				if !same {
					meaning = word
				}
				v.args = []string{meaning}
				return true, nil
			}
		}
		return false, fmt.Errorf("%q is not a value of it", v.args[0])
	}
}

var yesNo = choice("yes", "no", "true=yes", "false=no")

// seconds is a time such as 90, 1m30s or 2h; none says nothing.
func seconds(v *value) (bool, error) {
	if ok, err := one(v); !ok {
		return false, err
	}
	if v.args[0] == "none" {
		return false, nil
	}
	total, err := duration(v.args[0])
	if err != nil {
		return false, err
	}
	v.args = []string{strconv.Itoa(total)}
	return true, nil
}

var units = map[byte]int{'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 7 * 86400}

func duration(s string) (total int, err error) {
	for rest := s; rest != ""; {
		end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
		unit := 1
		digits := rest
		if end >= 0 {
			digits, unit = rest[:end], units[rest[end]|0x20]
			rest = rest[end+1:]
		} else {
			rest = ""
		}
		n, err := strconv.Atoi(digits)
		if err != nil || unit == 0 || n > (math.MaxInt32-total)/unit {
			return 0, fmt.Errorf("%q is not a time", s)
		}
		total += n * unit
	}
	return total, nil
}

func port(v *value) (bool, error) {
	if ok, err := one(v); !ok {
		return false, err
	}
	if n, err := strconv.Atoi(v.args[0]); err != nil || n < 1 || n > 65535 {
		return false, fmt.Errorf("%q is not a port", v.args[0])
	}
	return true, nil
}

func number(v *value) (bool, error) {
	if ok, err := one(v); !ok {
		return false, err
	}
	if _, err := strconv.ParseInt(v.args[0], 10, 32); err != nil {
		return false, fmt.Errorf("%q is not a number", v.args[0])
	}
	return true, nil
}

// list is one word or more; "none" stands alone.
func list(v *value) (bool, error) {
	if len(v.args) == 0 || slices.Contains(v.args, "") {
		return false, errors.New("a value is missing")
	}
	if len(v.args) > 1 && slices.ContainsFunc(v.args, func(s string) bool { return strings.EqualFold(s, "none") }) {
		return false, errors.New("none stands alone")
	}
	return true, nil
}

// command is the rest of the line as it stands.
func command(v *value) (bool, error) {
	v.args = []string{strings.TrimLeft(v.raw, blank+"=")}
	if v.args[0] == "" {
		return false, errors.New("a command is missing")
	}
	return true, nil
}

// route is hosts with commas between them, or none.
func route(v *value) (bool, error) {
	text, _, _ := strings.Cut(v.raw, "#")
	v.args = []string{strings.TrimRight(strings.TrimLeft(text, blank+"="), blank)}
	if v.args[0] == "" {
		return false, errors.New("a value is missing")
	}
	_, err := hops(v.args[0])
	return true, err
}

// hops reads the value of ProxyJump: [user@]host[:port] or ssh://[user@]host[:port], in the order of travel.
func hops(s string) ([]Hop, error) {
	if s == "" || strings.EqualFold(s, "none") {
		return nil, nil
	}
	var all []Hop
	for _, text := range strings.Split(s, ",") {
		h, err := ParseHop(text)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// ParseHop reads [user@]host[:port], with an IPv6 address in brackets, or the same as an ssh:// address.
func ParseHop(s string) (h Hop, err error) {
	bad := fmt.Errorf("%q is not [user@]host[:port]", s)
	rest := strings.TrimSpace(s)
	if uri, ok := strings.CutPrefix(rest, "ssh://"); ok {
		rest = strings.TrimSuffix(uri, "/")
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if h.User, rest = rest[:at], rest[at+1:]; h.User == "" {
			return Hop{}, bad
		}
	}
	if inner, ok := strings.CutPrefix(rest, "["); ok {
		if h.Host, rest, ok = strings.Cut(inner, "]"); !ok || rest != "" && rest[0] != ':' {
			return Hop{}, bad
		}
	} else if i := strings.IndexAny(rest, ":/"); i >= 0 {
		h.Host, rest = rest[:i], rest[i:]
	} else {
		h.Host, rest = rest, ""
	}
	if rest != "" && rest != ":" {
		if h.Port, err = strconv.Atoi(rest[1:]); err != nil || h.Port < 1 || h.Port > 65535 {
			return Hop{}, bad
		}
	}
	if h.Host == "" || strings.ContainsAny(h.Host, blank+"@") || strings.HasPrefix(h.Host, "-") {
		return Hop{}, bad
	}
	return h, nil
}

func (h Hop) String() string {
	text := h.Host
	if strings.Contains(text, ":") {
		text = "[" + text + "]"
	}
	if h.User != "" {
		text = h.User + "@" + text
	}
	if h.Port != 0 {
		text += ":" + strconv.Itoa(h.Port)
	}
	return text
}
