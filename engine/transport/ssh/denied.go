package ssh

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// Words of the library for which it has no types.
const (
	tooMany = "too many authentication failures" // of sshd and of Go, in the message of disconnect
	change  = "unexpected message type 60"       // SSH_MSG_USERAUTH_PASSWD_CHANGEREQ, RFC 4252 section 8
)

// starting is what a host says that takes no logins for a while (pam_nologin; systemd writes /run/nologin): the password
// was not what was wrong, and who waits for the end of a restart will ask again. Nor is it when it just hangs up.
var starting = regexp.MustCompile(`(?i)booting up|going down|shutting down|not permitted to log in|pam_nologin`)

// denied says what was tried and what the host wants, because "permission denied" alone sends people to look in the wrong
// place. It claims nothing that the host does not say: a locked account looks like a wrong password.
func (o *opening) denied(err error) *engine.Error {
	l := o.login
	l.mu.Lock()
	defer l.mu.Unlock()
	e := o.failure(engine.KindAuth, nil, "")
	text := err.Error()
	var unanswered *refusal
	var known *engine.Error
	switch {
	case errors.As(l.reason, &known):
		e.Msg, e.Hint = known.Msg, known.Hint
	case errors.As(l.reason, &unanswered):
		e.Msg, e.Hint = unanswered.msg, unanswered.hint
	case slices.ContainsFunc(l.said, starting.MatchString):
		e.Msg, e.Hint = "the host takes no logins now; it was given "+l.offers(), "it starts or goes down; try again when it is up. root may log in meanwhile"
	case l.sent && strings.Contains(text, change):
		e.Msg = "the password of " + l.user + " has expired: the host wants a new one"
		e.Hint = "log in by hand and set one"
	case strings.Contains(strings.ToLower(text), tooMany):
		e.Msg = fmt.Sprintf("too many failed logins for the host (MaxAuthTries): it hung up after %s", l.offers())
		e.Hint = "name the right key with key in the connection block, or in ~/.ssh/config with IdentitiesOnly; each key that is offered counts"
	case isBusy(err):
		e.Msg = "the host hung up during the login, after " + l.offers()
		e.Hint = "an account that has expired, LoginGraceTime, or a filter on the host; its log says which"
	case l.sent:
		e.Msg = "the password of " + l.user + " was refused"
		e.Hint = "it was sent once, so as not to lock the account; check user and password. A host does not say whether the account is locked or does not exist"
		if len(l.answered) > 1 || len(l.answered) == 1 && l.password.IsZero() {
			e.Msg = fmt.Sprintf("the answers to %s were refused", quoted(l.answered))
		}
	case l.passed > 0:
		e.Msg = fmt.Sprintf("the host accepted %s, and wants %s besides, for which there is nothing left", l.offers(), list(l.accepts))
		e.Hint = "AuthenticationMethods of sshd says what it wants from whom; give it in the connection block: key, password, answers"
	case len(l.keys) == 0 && len(l.ways()) == 0:
		e.Msg = fmt.Sprintf("there is nothing to log in with; the host accepts %s", list(l.accepts))
		e.Hint = "give key or password in the connection block, or start an SSH agent"
	case l.next == 0:
		e.Msg = fmt.Sprintf("the host accepts no %s from %s, only %s", l.means(), l.user, list(l.accepts))
		e.Hint = "give what it wants in the connection block; PermitRootLogin and AuthenticationMethods of sshd say what it takes from whom"
	default:
		e.Msg = fmt.Sprintf("the host refused %s; offered: %s; it accepts only %s", l.user, l.offers(), list(l.accepts))
		e.Hint = "the public key must be in authorized_keys of this user on the host; or give another key, or a password where it takes one"
		if slices.ContainsFunc(l.keys, func(c candidate) bool { return c.public.Type() == ssh.KeyAlgoRSA && c.only == "" }) {
			e.Hint += ". An RSA key may be refused for its signature: legacy_algorithms = true tries older ones"
		}
		if slices.ContainsFunc(l.notes, func(note string) bool { return strings.HasPrefix(note, "the certificate ") }) {
			e.Hint = "have a certificate issued that is valid, for this user; or, without one: " + e.Hint
		}
	}
	if l.passed > 0 && l.sent {
		e.Msg += fmt.Sprintf(" (%d of its steps succeeded; it wants more than one)", l.passed)
	}
	if len(l.notes) > 0 {
		e.Msg += "; " + strings.Join(l.notes, "; ")
	}
	if len(l.said) > 0 {
		e.Msg += "; the host says: " + quoted(l.said)
	}
	if l.sent && !isBusy(err) && !slices.ContainsFunc(l.said, starting.MatchString) {
		o.remember(e)
	}
	return e
}

// offers are the keys that the host has seen, by name and fingerprint, so that its log can be compared.
func (l *login) offers() string {
	var seen []string
	for _, key := range l.keys[:l.next] {
		seen = append(seen, key.name+" "+fingerprint(key.public))
	}
	if l.sent {
		seen = append(seen, "the password")
	}
	if len(seen) == 0 {
		return "nothing was offered"
	}
	return list(seen)
}

// means is what there was to log in with, and what the host did not want to see.
func (l *login) means() string {
	switch {
	case len(l.keys) > 0 && len(l.ways()) > 0:
		return "key and no password"
	case len(l.keys) > 0:
		return "key"
	}
	return "password"
}

// quoted is some texts of the host for an error: not a thousand, and none without end.
func quoted(texts []string) string {
	const most = 300
	texts = slices.Clone(texts)
	for i, text := range texts {
		if len(text) > most {
			text = strings.ToValidUTF8(text[:most], "") + "…"
		}
		texts[i] = fmt.Sprintf("%q", text)
	}
	return list(texts)
}

// noCommon has both lists in its text, and says what to set where that would help.
func (o *opening) noCommon(err *ssh.AlgorithmNegotiationError) *engine.Error {
	e := o.failure(engine.KindProtocol, err, "allow one of ours in its sshd_config (KexAlgorithms, Ciphers, MACs, HostKeyAlgorithms), or go by another way")
	old := legacyAdds()
	if !o.settings.Legacy && slices.ContainsFunc(err.RequestedAlgorithms, func(name string) bool { return slices.Contains(old, name) }) {
		e.Hint = "an old system? legacy_algorithms = true in its connection block offers what was current then: a weakening"
	}
	return e
}
