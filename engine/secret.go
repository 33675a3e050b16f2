package engine

import "sync"

// Secret is a value that must not be shown. Modules and transports hold it; String hides it, Reveal gives it.
type Secret struct {
	Name  string // where it comes from: "env:DSVA_SUDO"; shown instead of the value
	value string
}

// Plain makes a Secret of a text that nobody declared secret (a password written in the inventory).
func Plain(value string) Secret { return Secret{Name: plainText, value: value} }

const plainText = "plain text"

// IsDeclared tells a value that somebody declared secret from a text that is only treated like one.
func (s Secret) IsDeclared() bool { return s.Name != "" && s.Name != plainText }

// Reveal gives the value itself: for a wire or a protected file, never for a text that is shown or stored.
func (s Secret) Reveal() string { return s.value }

// IsZero tells whether there is none.
func (s Secret) IsZero() bool { return s.Name == "" && s.value == "" }

func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return "«secret: " + s.Name + "»"
}

// GoString keeps %#v from printing the value.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps encoders from writing the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// SecretMark is the cty mark of a secret value; it is the only mark that the language uses.
type SecretMark struct{ Name string }

// Secrets is every secret that a run has read: the loader adds, the redaction of the reports asks.
// It is safe for use by several goroutines. The zero value is empty and ready.
type Secrets struct {
	mu    sync.RWMutex
	names map[string]string // value → name
}

// Add remembers a secret under its name and returns it.
func (s *Secrets) Add(name, value string) Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[string]string{}
	}
	if value != "" {
		s.names[value] = name
	}
	return Secret{Name: name, value: value}
}

// Len is how many values were added so far.
func (s *Secrets) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.names)
}

// All returns value → name of everything added so far.
func (s *Secrets) All() map[string]string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[string]string, len(s.names))
	for value, name := range s.names {
		all[value] = name
	}
	return all
}
