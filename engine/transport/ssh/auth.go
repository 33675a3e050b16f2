package ssh

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// keyring keeps the keys that were read and decrypted, which takes a tenth of a second each.
type keyring struct {
	mu   sync.Mutex
	keys map[[2]string]ssh.Signer // by file and passphrase
}

// login is what one Open has to prove who it is, and what it has already used of it.
type login struct {
	signers  []ssh.Signer
	password engine.Secret
	agent    net.Conn

	mu       sync.Mutex
	sent     bool
	answered []string // questions that got the password
	reason   error    // why a question got no answer
}

// login collects the keys: those that are named; or, when neither key nor password is, those of the agent and the
// usual files. An agent's keys are not offered besides, because each counts as a failed attempt.
func (k *keyring) login(s *Settings, set parsed) (*login, error) {
	l := &login{password: s.Password}
	agentKeys := l.askAgent(set.agentSocket)
	if len(set.keys) == 0 && s.Password.IsZero() {
		if !set.identitiesOnly {
			l.signers = agentKeys
		}
		for _, name := range []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"} {
			if signer, err := k.read(expand(name), s.Passphrase, nil); err == nil {
				l.signers = append(l.signers, signer)
			}
		}
		return l, nil
	}
	for _, path := range set.keys {
		signer, err := k.read(path, s.Passphrase, agentKeys)
		if err != nil {
			l.close()
			return nil, err
		}
		l.signers = append(l.signers, signer)
	}
	if !set.identitiesOnly && len(set.keys) > 0 {
		l.signers = append(l.signers, agentKeys...)
	}
	for _, path := range set.certificates {
		if err := l.certify(path); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

// askAgent returns the agent's keys, or nil when there is no agent.
func (l *login) askAgent(socket string) []ssh.Signer {
	if socket == "" || socket == "SSH_AUTH_SOCK" {
		socket = "$SSH_AUTH_SOCK"
	}
	if name, ok := strings.CutPrefix(socket, "$"); ok {
		socket = os.Getenv(name)
	}
	if socket == "" || socket == "none" {
		return nil
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		return nil
	}
	l.agent = conn
	return signers
}

// certify offers the certificate in a file before the key for which it is.
func (l *login) certify(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	certificate, ok := public.(*ssh.Certificate)
	if err != nil || !ok {
		return fmt.Errorf("%s holds no certificate", path)
	}
	for _, signer := range l.signers {
		if certified, err := ssh.NewCertSigner(certificate, signer); err == nil {
			l.signers = append([]ssh.Signer{certified}, l.signers...)
			return nil
		}
	}
	return fmt.Errorf("the certificate %s belongs to none of the keys", path)
}

func (l *login) close() {
	if l.agent != nil {
		l.agent.Close()
	}
}

// read returns a key from a file, with the certificate beside it. For an encrypted one without a passphrase the
// agent signs, if it has it.
func (k *keyring) read(path string, passphrase engine.Secret, agentKeys []ssh.Signer) (ssh.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := [2]string{path, passphrase.Reveal()}
	if signer, ok := k.keys[id]; ok {
		return signer, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked) && !passphrase.IsZero():
		signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase.Reveal()))
	case errors.As(err, &locked):
		return fromAgent(path, locked.PublicKey, agentKeys)
	}
	if err != nil {
		return nil, fmt.Errorf("the key %s: %w", path, err)
	}
	signer = withCertificate(path, signer)
	if k.keys == nil {
		k.keys = map[[2]string]ssh.Signer{}
	}
	k.keys[id] = signer
	return signer, nil
}

func fromAgent(path string, public ssh.PublicKey, agentKeys []ssh.Signer) (ssh.Signer, error) {
	for _, signer := range agentKeys {
		if public != nil && string(signer.PublicKey().Marshal()) == string(public.Marshal()) {
			return signer, nil
		}
	}
	return nil, fmt.Errorf("the key %s is encrypted, there is no passphrase, and the agent does not have it", path)
}

func withCertificate(path string, signer ssh.Signer) ssh.Signer {
	text, err := os.ReadFile(path + "-cert.pub")
	if err != nil {
		return signer
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	certificate, ok := public.(*ssh.Certificate)
	if err != nil || !ok {
		return signer
	}
	certified, err := ssh.NewCertSigner(certificate, signer)
	if err != nil {
		return signer
	}
	return certified
}

var errSecondTry = errors.New("the password was refused; it is not tried twice")

// configure offers keys, then the password in the one of two ways that the host wants. After a password was refused
// nothing more is tried: some appliances lock root out after five.
func (l *login) configure(c *ssh.ClientConfig) {
	if len(l.signers) > 0 {
		c.Auth = append(c.Auth, ssh.PublicKeys(l.signers...))
	}
	if l.password.IsZero() {
		return
	}
	c.Auth = append(c.Auth, ssh.PasswordCallback(l.givePassword), ssh.KeyboardInteractive(l.answer))
	c.AuthCallback = func(at *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
		if l.used() && (slices.Contains(at.TriedMethods, "password") || slices.Contains(at.TriedMethods, "keyboard-interactive")) {
			return nil, errSecondTry
		}
		return nil, nil
	}
}

// used tells whether the host has seen the password.
func (l *login) used() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

func (l *login) givePassword() (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent {
		return "", errSecondTry
	}
	l.sent = true
	return l.password.Reveal(), nil
}

// answer gives the password to every hidden question, each asked once: PAM modules in a row ask for it in several
// rounds. The same question again means that it was wrong. No question gets no answer, which ends PAM's conversation.
func (l *login) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	answers := make([]string, len(questions))
	for i, question := range questions {
		question = strings.TrimSpace(question)
		switch {
		case slices.Contains(l.answered, question):
			l.reason = errSecondTry
		case echos[i]:
			l.reason = fmt.Errorf("the host asks %q, which is no password", question)
		case strings.Contains(strings.ToLower(question), "new password"):
			l.reason = errors.New("the password has expired: the host asks for a new one")
		default:
			l.answered, l.sent = append(l.answered, question), true
			answers[i] = l.password.Reveal()
			continue
		}
		return nil, l.reason
	}
	return answers, nil
}
