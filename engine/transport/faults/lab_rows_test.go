package faults_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	xssh "golang.org/x/crypto/ssh"
)

const (
	namespaces = "between network namespaces, with real links"
	openSSH    = "with Debian's OpenSSH"
)

// The network of the lab: dsplay in one namespace, the host in another, and a bridge in a third.
const (
	hostAddress = "198.18.77.2"
	nobody      = "198.18.77.99"
	elsewhere   = "203.0.113.7"
)

func inHost(s *setup) { s.address, s.listen = hostAddress, listenInHost }

func inHostShort(s *setup) {
	inHost(s)
	s.quick = true
}

// inNamespaces are faults of the network itself.
func inNamespaces() []fault {
	rows := []fault{
		{name: "no route to the host's network", on: failed(engine.KindRefused, atOnce, moment), setup: inHost,
			act: func(s *scene) error {
				s.host.Address = elsewhere
				return s.do("echo done")
			}},
		{name: "the host is off: nobody has its address", on: failed(engine.KindRefused, "3 s (ARP), or `connect_timeout`", 4*time.Second), setup: inHost,
			act: func(s *scene) error {
				s.host.Address = nobody
				return s.do("echo done")
			}},
		{name: "a firewall drops everything", on: failed(engine.KindTimeout, connect, quick), setup: inHostShort,
			act: func(s *scene) error {
				undo := s.drop("drop")
				defer undo()
				return s.do("echo done")
			}},
		{name: "the link is cut while a command runs", setup: inHost, on: map[string]expect{
			"ssh":   {engine.KindLost, "2 × `keepalive`", 600*time.Millisecond + moment, no, perhaps},
			"winrm": {engine.KindLost, "1.5 × `operation_timeout` (at most 10 s more), and 5 s for trying to end it", 7*time.Second + moment, no, shell},
			"https": {engine.KindLost, "`request_timeout`", time.Second + moment, no, request},
		}, act: func(s *scene) error { return s.busy(s.cut) }},
		{name: "the link is cut for 2 s while commands run", setup: inHost, on: works("when the link is back, and TCP has noticed", 20*time.Second),
			act: func(s *scene) error {
				patient(s)
				s.works()
				s.cut()
				time.AfterFunc(2*time.Second, s.healLink)
				return s.do("echo done")
			}},
		{name: "10 % of all packets are lost", setup: inHost, on: works("20 commands", 60*time.Second),
			act: func(s *scene) error {
				patient(s)
				undo := s.drop("numgen random mod 100 < 10 drop")
				defer undo()
				for range 20 {
					s.commands.Store(0)
					if err := s.do("echo done"); err != nil {
						return err
					}
				}
				return nil
			}},
	}
	for i := range rows {
		rows[i].where = namespaces
	}
	return rows
}

// works: slow, and nothing else.
func works(within string, bound time.Duration) map[string]expect {
	e := expect{"", within, bound, no, nothing}
	return map[string]expect{"ssh": e, "winrm": e, "https": e}
}

// patient gives the settings what a bad network needs; the defaults are more patient still.
func patient(s *scene) {
	switch settings := s.host.Connection.Settings.(type) {
	case *ssh.Settings:
		settings.Keepalive = "10s"
	case *winrm.Settings:
		settings.OperationTimeout = "10s"
	case *https.Settings:
		settings.RequestTimeout = "20s"
	}
}

const ruleset = `table inet dsplay {
	chain input {
		type filter hook input priority 0;
		%[1]s
	}
	chain output {
		type filter hook output priority 0;
		%[1]s
	}
}
`

// drop has the host lose packets, both ways.
func (s *scene) drop(rule string) (undo func()) {
	cmd := exec.Command("ip", "netns", "exec", labNames().host, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(ruleset, rule))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("nft: %v: %s", err, out)
	}
	return func() { s.run("ip", "netns", "exec", labNames().host, "nft", "delete", "table", "inet", "dsplay") }
}

// cut takes the host's cable out of the switch.
func (s *scene) cut() {
	s.restore = s.healLink
	s.run("ip", "-n", labNames().bridge, "link", "set", "p1", "down")
}

func (s *scene) healLink() {
	s.run("ip", "-n", labNames().bridge, "link", "set", "p1", "up")
	s.run("ip", "-n", labNames().us, "neigh", "flush", "all")
}

func (s *scene) run(name string, args ...string) {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Errorf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// authorize writes the user's authorized_keys, which sshd reads as the user.
func (s *scene) authorize(line string) {
	if err := os.Chmod(s.write("authorized_keys", line), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// names are of the namespaces; the process within gets them by its environment.
type names struct{ us, bridge, host string }

const namesVariable = "DSPLAY_TEST_NAMESPACES"

func labNames() names {
	prefix := os.Getenv(namesVariable)
	return names{prefix + "u", prefix + "b", prefix + "h"}
}

// onOpenSSH are limits and refusals as the real server has them.
func onOpenSSH() []fault {
	refused := only("ssh", expect{engine.KindAuth, atOnce + "; with PAM 2 s later", 4 * time.Second, no, nothing})
	with := func(lines ...string) func(*setup) {
		return func(s *setup) { s.openSSH = append(lines, "UsePAM no", "PasswordAuthentication yes") }
	}
	rows := []fault{
		{name: "MaxStartups 10:30:100: 9 who do not log in, and 15 who connect at once", setup: with(),
			on: only("ssh", expect{"", "some seconds", 15 * time.Second, again, nothing}),
			act: func(s *scene) error {
				for range 9 {
					idle, err := net.Dial("tcp", s.wire.to)
					if err != nil {
						return err
					}
					defer idle.Close()
				}
				s.began()
				var wait sync.WaitGroup
				errs := make([]error, 15)
				for i := range errs {
					wait.Go(func() {
						conn, err := s.transport.Open(s.t.Context(), s.host)
						if err == nil {
							err = conn.Close()
						}
						errs[i] = err
					})
				}
				wait.Wait()
				s.expected = int32(len(errs))
				return errors.Join(errs...)
			}},
		{name: "MaxSessions 2, and 20 commands at once", setup: with("MaxSessions 2"),
			on: only("ssh", expect{"", "when the others have ended", 20 * time.Second, "until there is room", nothing}),
			act: func(s *scene) error {
				var wait sync.WaitGroup
				errs := make([]error, 20)
				for i := range errs {
					wait.Go(func() { errs[i] = s.do("sleep 0.1") })
				}
				wait.Wait()
				return errors.Join(errs...)
			}},
		{name: "the account is locked", setup: with(), on: refused, act: func(s *scene) error {
			s.run("usermod", "-L", labUser)
			return s.do("echo done")
		}},
		{name: "the account is locked, and there is a key", setup: with(), on: refused, act: func(s *scene) error {
			settings := s.host.Connection.Settings.(*ssh.Settings)
			file, key := s.newSigner("id")
			s.authorize(string(xssh.MarshalAuthorizedKey(key.PublicKey())))
			settings.Key, settings.Password = file, engine.Secret{}
			s.works()
			s.closeConn()
			s.dials.Store(0)
			s.run("usermod", "-L", labUser)
			s.began()
			return s.do("echo done")
		}},
		{name: "the user's certificate has expired, judged by sshd", setup: with(), on: refused, act: func(s *scene) error {
			settings := s.host.Connection.Settings.(*ssh.Settings)
			file, key := s.newSigner("id")
			_, authority := s.newSigner("authority")
			s.authorize("cert-authority " + string(xssh.MarshalAuthorizedKey(authority.PublicKey())))
			certify := func(end time.Time) {
				c := &xssh.Certificate{Key: key.PublicKey(), CertType: xssh.UserCert, ValidPrincipals: []string{labUser},
					ValidAfter: uint64(end.Add(-2 * time.Hour).Unix()), ValidBefore: uint64(end.Unix())}
				if err := c.SignCert(rand.Reader, authority); err != nil {
					s.t.Fatal(err)
				}
				s.write("id-cert.pub", string(xssh.MarshalAuthorizedKey(c)))
			}
			settings.Key, settings.Password = file, engine.Secret{}
			certify(time.Now().Add(time.Hour))
			s.works()
			s.closeConn()
			s.dials.Store(0)
			s.transport = ssh.New() // keys are read once
			certify(time.Now().Add(-time.Hour))
			s.began()
			return s.do("echo done")
		}},
		{name: "the disk with known_hosts is full (accept-new)", setup: with(),
			on: only("ssh", expect{engine.KindHostKey, atOnce, moment, no, nothing}),
			act: func(s *scene) error {
				disk := filepath.Join(s.dir, "disk")
				if err := os.Mkdir(disk, 0o700); err != nil {
					return err
				}
				s.run("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk)
				defer s.run("umount", disk)
				const almost = 4090 // of the 4096 bytes that there are
				file := s.write("disk/known_hosts", "#"+strings.Repeat("x", almost-2)+"\n")
				settings := s.host.Connection.Settings.(*ssh.Settings)
				settings.HostKeys, settings.KnownHosts = "accept-new", file
				err := s.do("echo done")
				if text, _ := os.ReadFile(file); len(text) != almost {
					s.t.Errorf("a part of a line is in known_hosts now: %q", text[almost:])
				}
				return err
			}},
	}
	for i := range rows {
		rows[i].where = openSSH
	}
	return rows
}
