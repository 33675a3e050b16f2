package lab

import (
	"context"
	"crypto/subtle"
	"io"

	"golang.org/x/crypto/ssh"

	"github.com/dsplay/dsplay/engine/lab/sshd"
)

// shell is the SSH side of an ESXi host or an appliance.
type shell struct {
	lab            *Lab
	name, ip       string
	user, password string
	interactive    bool // the password is asked for by keyboard-interactive only, as ESXi does
	hostKey        ssh.Signer
	door           *door
	logins         *logins // nil: who proves to be the user comes in
	// exec runs a command line and tells whether it changed something, or tried to.
	exec func(ctx context.Context, s *sshd.Session, stdin io.Reader) (exit int, mutates bool)
}

func (s *shell) open() (err error) {
	if s.hostKey, err = sshd.NewKey(); err != nil {
		return err
	}
	s.door, err = newDoor(s.lab.ctx, s.ip, s.listen)
	return err
}

func (s *shell) listen(addr string, m manner) (listening, error) {
	o := sshd.Options{Addr: addr, HostKey: s.hostKey, KeyboardInteractive: s.interactive, MaxSessions: 10,
		Password: s.rightPassword, PublicKey: s.rightKey, Handle: s.handle}
	if m == wrongHostKey {
		o.HostKey = nil // a fresh one
	}
	server, err := sshd.Listen(o)
	if err != nil {
		return nil, err
	}
	return sshServer{server}, nil
}

func (s *shell) rightPassword(user, password string) bool {
	return s.admit(user == s.user && subtle.ConstantTimeCompare([]byte(password), []byte(s.password)) == 1, true)
}

func (s *shell) rightKey(user string, key ssh.PublicKey) bool {
	return s.admit(user == s.user && subtle.ConstantTimeCompare(key.Marshal(), s.lab.keys.user.Marshal()) == 1, false)
}

func (s *shell) admit(right, password bool) bool {
	if s.logins == nil {
		return right
	}
	return s.logins.admit(right, password)
}

func (s *shell) handle(ctx context.Context, session *sshd.Session) (exit int) {
	s.lab.record("ssh", s.name, session.User, session.Line, session.Stdin, func(in io.Reader) (mutates bool) {
		exit, mutates = s.exec(ctx, session, in)
		return mutates
	})
	return exit
}

// publicKey is the host key as known_hosts has it.
func (s *shell) publicKey() string {
	return string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey()))
}

// sshServer is an SSH server behind a door.
type sshServer struct{ *sshd.Server }

// Addr is host and port.
func (s sshServer) Addr() string { return s.Server.Addr().String() }

// Close cuts every connection.
func (s sshServer) Close() { _ = s.Server.Close() }
