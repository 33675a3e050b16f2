package ssh

import (
	"slices"
	"strings"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// login is what one Open has to prove who it is, and what it has already used of it. It answers the library's question
// what to try next with one key or one question at a time, so that it is known what became of each.
type login struct {
	user     string
	keys     []candidate
	notes    []string // of candidates
	agent    *agentConn
	password engine.Secret
	answers  map[string]engine.Secret

	mu       sync.Mutex
	begun    bool            // the host has asked for a proof: MaxStartups is passed
	accepts  []string        // the ways to log in that it takes now, as it calls them
	tried    map[string]bool // of the two ways of a password, since the last step that succeeded
	next     int             // of keys
	passed   int             // steps that succeeded, where the host wants several
	trying   string          // what is being tried: a method, or the name of a key
	sent     bool            // the host has seen the password, and did not take it for a step
	answered []string        // questions that got an answer
	reason   error           // why a question got no answer: nothing more is tried
	known    error           // why the password is not to be sent, which another run has found out; nil: it may be
	said     []string        // what the host wants its users to read
}

func (k *keyring) login(s *Settings, set parsed) (*login, error) {
	c, err := k.candidates(set, s.Passphrase, s.Legacy)
	if err != nil {
		return nil, err
	}
	return &login{user: set.user, keys: c.list, notes: c.notes, agent: c.agent, password: s.Password, answers: s.Answers}, nil
}

// close frees the agent.
func (l *login) close() { l.agent.close() }

// used tells whether the host has seen a proof, so that another connection would be another failed login.
func (l *login) used() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun
}

// configure makes c log in: keys, then the password in one of its two ways. After a password was refused nothing more is
// tried: some appliances lock root out after five.
func (l *login) configure(c *ssh.ClientConfig) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next, l.passed, l.tried = 0, 0, map[string]bool{}
	c.AuthCallback = l.choose
	c.BannerCallback = func(text string) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.begun { // what comes before is the same for everybody
			l.hear(text)
		}
		return nil
	}
}

// choose is asked after each step, also one that failed. No method ends the login.
func (l *login) choose(at *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = true
	if len(at.AllowedMethods) > 0 {
		l.accepts = at.AllowedMethods
	}
	if steps := len(at.PartialSuccessMethods); steps > l.passed { // the same password may be right for the next step, too
		l.passed, l.sent, l.answered, l.tried = steps, false, nil, map[string]bool{}
	}
	if l.reason != nil || l.sent {
		return nil, nil
	}
	if slices.Contains(l.accepts, "publickey") && l.next < len(l.keys) {
		return l.offerKey(string(at.Metadata.ServerVersion())), nil
	}
	ways := l.ways()
	if l.known != nil && len(ways) > 0 && l.passed == 0 {
		l.reason, ways = l.known, nil
	}
	for _, way := range ways {
		if slices.Contains(l.accepts, way) && !l.tried[way] {
			l.tried[way], l.trying = true, way
			if way == "password" {
				return ssh.PasswordCallback(l.givePassword), nil
			}
			return ssh.KeyboardInteractive(l.answer), nil
		}
	}
	return nil, nil
}

// ways are those in which the login can answer. Only the second can ask for something else than a password.
func (l *login) ways() []string {
	switch {
	case len(l.answers) > 0:
		return []string{"keyboard-interactive", "password"}
	case !l.password.IsZero():
		return []string{"password", "keyboard-interactive"}
	}
	return nil
}

func (l *login) offerKey(server string) ssh.AuthMethod {
	key := l.keys[l.next]
	l.next++
	l.trying = key.name
	return key.method(server, func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			l.notes = append(l.notes, "no signature with "+key.name+": "+err.Error())
		}
	})
}

func (l *login) givePassword() (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.password.IsZero() {
		return "", errNoPassword
	}
	l.sent = true
	return l.password.Reveal(), nil
}

// way is how the host was convinced.
func (l *login) way() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.begun:
		return "nothing: it asks for no proof"
	case l.tried["keyboard-interactive"] || l.tried["password"]:
		return l.trying
	}
	return "publickey " + l.trying
}

// hear notes a text of the host for the error: one line of it, of letters.
func (l *login) hear(text string) {
	const most = 300
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if text != "" && len(text) <= most && len(l.said) < 5 && !slices.Contains(l.said, text) {
		l.said = append(l.said, text)
	}
}
