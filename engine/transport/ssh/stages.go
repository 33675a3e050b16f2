package ssh

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// stages tells what goes on within ssh.NewClientConn: handshake, host key and login, which it does in one go.
type stages struct {
	told    func(engine.Stage)
	o       *opening
	began   time.Time // of the stage that runs
	version string
	agreed  ssh.NegotiatedAlgorithms
	key     *engine.Stage // of the host key; nil: it was not shown yet
	open    bool          // the host accepted our looking at its ways to log in
	offered []string
}

// hear lets config tell stages of a connection, when somebody listens. The function that it returns ends the last one.
func (o *opening) hear(ctx context.Context, config *ssh.ClientConfig) (end func(ssh.Conn, error)) {
	if !engine.HearsStages(ctx) {
		return func(ssh.Conn, error) {}
	}
	s := &stages{o: o, began: time.Now(), told: engine.BeginStage(ctx, engine.StageHandshake)}
	check, next := config.HostKeyCallback, config.AuthCallback
	config.HostKeyCallback = func(name string, remote net.Addr, key ssh.PublicKey) error {
		s.show(key)
		err := check(name, remote, key)
		s.key.Err = err
		return err
	}
	config.AuthCallback = func(at *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
		s.offer(at)
		if next == nil {
			return nil, nil
		}
		return next(at)
	}
	return s.end
}

// show notes the key; how long the handshake took is known now, what was agreed on comes later.
func (s *stages) show(key ssh.PublicKey) {
	s.key = &engine.Stage{Name: engine.StageHostKey, Detail: keyType(key) + " " + fingerprint(key), Began: time.Now()}
	if certificate, ok := key.(*ssh.Certificate); ok {
		s.key.Detail += ", certified by " + fingerprint(certificate.SignatureKey)
		if certificate.ValidBefore < ssh.CertTimeInfinity {
			s.key.Until = time.Unix(int64(certificate.ValidBefore), 0)
		}
	}
}

func (s *stages) offer(at *ssh.ClientAuthContext) {
	s.version, s.agreed = string(at.Metadata.ServerVersion()), at.Algorithms
	if !s.open {
		s.open, s.offered = true, slices.Clone(at.AllowedMethods)
		s.opened(time.Now())
	}
}

// opened tells handshake and host key, which are over.
func (s *stages) opened(now time.Time) {
	kex := engine.Stage{Detail: s.algorithms(), Weak: s.weak(), Began: s.began, Took: s.key.Began.Sub(s.began)}
	s.told(kex)
	s.key.Took = max(now.Sub(s.key.Began), 1)
	s.told(*s.key)
	s.began = now
}

func (s *stages) algorithms() string {
	if s.version == "" {
		return ""
	}
	parts := []string{s.version, s.agreed.KeyExchange, s.agreed.HostKey, s.agreed.Write.Cipher, s.agreed.Write.MAC}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// weak lists what was agreed on and is known to be weak.
func (s *stages) weak() []string {
	bad := ssh.InsecureAlgorithms()
	var list []string
	for _, x := range []struct {
		what, name string
		bad        []string
	}{
		{"key exchange", s.agreed.KeyExchange, bad.KeyExchanges}, {"host key signature", s.agreed.HostKey, bad.HostKeys},
		{"cipher", s.agreed.Write.Cipher, bad.Ciphers}, {"MAC", s.agreed.Write.MAC, bad.MACs},
	} {
		if slices.Contains(x.bad, x.name) {
			list = append(list, "the "+x.what+" "+x.name+" is weak")
		}
	}
	return list
}

func (s *stages) end(conn ssh.Conn, err error) {
	now := time.Now()
	switch {
	case s.key == nil: // it did not come so far
		s.told(engine.Stage{Began: s.began, Err: err})
		return
	case s.key.Err != nil:
		s.opened(now)
		return
	case !s.open && err != nil:
		s.opened(now)
	case !s.open: // the host let us in without asking anything
		s.version = string(conn.ServerVersion())
		if c, ok := conn.(ssh.AlgorithmsConnMetadata); ok {
			s.agreed = c.Algorithms()
		}
		s.opened(now)
	}
	login := engine.Stage{Name: engine.StageLogin, Offered: s.offered, Began: s.began, Took: max(now.Sub(s.began), 1), Err: err}
	if err == nil {
		login.Detail = s.o.set.user + " by " + s.o.login.way()
	}
	s.told(login)
}
