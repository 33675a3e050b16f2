package sshd

import (
	"errors"

	"golang.org/x/crypto/ssh"
)

var errDenied = errors.New("denied")

func (s *Server) config() *ssh.ServerConfig {
	config := &ssh.ServerConfig{ServerVersion: "SSH-2.0-dsplay-lab", MaxAuthTries: 6}
	s.mu.Lock()
	config.AddHostKey(s.hostKey)
	s.mu.Unlock()
	if check := s.options.PublicKey; check != nil {
		config.PublicKeyCallback = func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return permit(check(c.User(), key))
		}
	}
	check := s.options.Password
	switch {
	case check == nil:
	case s.options.KeyboardInteractive:
		config.KeyboardInteractiveCallback = func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			return interactive(c.User(), ask, check)
		}
	default:
		config.PasswordCallback = func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return permit(check(c.User(), string(password)))
		}
	}
	if s.options.Configure != nil {
		s.options.Configure(config)
	}
	return config
}

// interactive asks as OpenSSH with PAM does: once for the password, and then, when it was right, nothing at all.
func interactive(user string, ask ssh.KeyboardInteractiveChallenge, check func(user, password string) bool) (*ssh.Permissions, error) {
	answers, err := ask("", "", []string{"Password: "}, []bool{false})
	if err != nil {
		return nil, err
	}
	if len(answers) != 1 || !check(user, answers[0]) {
		return nil, errDenied
	}
	if _, err := ask("", "", nil, nil); err != nil {
		return nil, err
	}
	return &ssh.Permissions{}, nil
}

func permit(ok bool) (*ssh.Permissions, error) {
	if !ok {
		return nil, errDenied
	}
	return &ssh.Permissions{}, nil
}
