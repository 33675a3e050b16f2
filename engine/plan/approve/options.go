package approve

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// options limit what a line of the allowed signers allows.
type options struct {
	authority     bool   // the key certifies the keys of others, and does not sign itself
	namespaces    string // a pattern-list; empty: any
	after, before time.Time
}

// cutOptions takes the field of the options, in which spaces may stand inside quotes.
func cutOptions(text string) (field, rest string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && (text[i] == ' ' || text[i] == '\t'):
			return text[:i], strings.TrimLeft(text[i:], " \t")
		}
	}
	return text, ""
}

// parseOptions reads "name,name="value",…". An option that is not known is an error: it may be one that limits.
func parseOptions(text string) (o options, err error) {
	seen := map[string]bool{}
	for more := true; more; {
		var name, value string
		var quoted bool
		if name, value, quoted, text, err = cutOption(text); err != nil {
			return o, err
		}
		if seen[name] {
			return o, fmt.Errorf("the option %s stands twice", name)
		}
		seen[name] = true
		if err := o.set(name, value, quoted); err != nil {
			return o, err
		}
		text, more = strings.CutPrefix(text, ",")
		if !more && text != "" {
			return o, fmt.Errorf("a comma or a space is missing after the option %s", name)
		}
	}
	if !o.after.IsZero() && !o.before.IsZero() && !o.before.After(o.after) {
		return o, errors.New("valid-before is not after valid-after")
	}
	return o, nil
}

// cutOption takes one option; inside the quotes around its value, \" is a quote.
func cutOption(text string) (name, value string, quoted bool, rest string, err error) {
	end := strings.IndexAny(text, "=,")
	if end < 0 {
		end = len(text)
	}
	name, rest = strings.ToLower(text[:end]), text[end:]
	value, quoted = strings.CutPrefix(rest, `="`)
	switch {
	case name == "":
		return "", "", false, "", errors.New("an option is missing beside a comma")
	case strings.HasPrefix(rest, "=") && !quoted:
		return "", "", false, "", fmt.Errorf("the value of the option %s must stand in double quotes", name)
	case !quoted:
		return name, "", false, rest, nil
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == '\\' && i+1 < len(value) && value[i+1] == '"':
			i++
			b.WriteByte('"')
		case value[i] == '"':
			return name, b.String(), true, value[i+1:], nil
		default:
			b.WriteByte(value[i])
		}
	}
	return "", "", false, "", fmt.Errorf("the quotes around the value of the option %s do not end", name)
}

func (o *options) set(name, value string, quoted bool) (err error) {
	if known := name == "cert-authority" || name == "namespaces" || name == "valid-after" || name == "valid-before"; !known {
		return fmt.Errorf("%q is no option that dsplay knows: they are cert-authority, namespaces, valid-after and valid-before", name)
	}
	if quoted == (name == "cert-authority") {
		return fmt.Errorf("the option %s is written %s", name, map[bool]string{true: "without a value", false: name + `="…"`}[quoted])
	}
	switch name {
	case "cert-authority":
		o.authority = true
	case "namespaces":
		if o.namespaces = value; value == "" {
			err = errors.New("the option namespaces names none")
		}
	case "valid-after":
		o.after, err = parseTime(name, value)
	case "valid-before":
		o.before, err = parseTime(name, value)
	}
	return err
}

// parseTime reads YYYYMMDD, YYYYMMDDHHMM and YYYYMMDDHHMMSS: by this machine's clock, or with Z (or UTC) behind it in UTC.
func parseTime(name, text string) (time.Time, error) {
	digits, utc := strings.CutSuffix(strings.ToUpper(text), "Z")
	if !utc {
		digits, utc = strings.CutSuffix(digits, "UTC")
	}
	place := time.Local
	if utc {
		place = time.UTC
	}
	layout := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(digits)]
	t, err := time.ParseInLocation(layout, digits, place)
	if layout == "" || err != nil || t.Unix() <= 0 {
		return t, fmt.Errorf("%s=%q is no time: it is YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z behind it for UTC", name, text)
	}
	return t, nil
}

// usable tells whether a line may be used for a namespace at a time, both ends of its validity included.
func (o options) usable(namespace string, now time.Time) error {
	now = now.Truncate(time.Second)
	switch {
	case o.namespaces != "" && !matchesList(namespace, o.namespaces):
		return fmt.Errorf("its line allows the namespaces %q, not %s", o.namespaces, namespace)
	case !o.after.IsZero() && now.Before(o.after):
		return fmt.Errorf("its line is not valid before %s", o.after.Format(time.RFC3339))
	case !o.before.IsZero() && now.After(o.before):
		return fmt.Errorf("its line was valid until %s", o.before.Format(time.RFC3339))
	}
	return nil
}
