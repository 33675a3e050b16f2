// Package faults_test knows what can go wrong between dsplay and a host. It makes each fault for real, in front of each
// transport, and writes what a user gets from it into docs/faults.md; and it looks whether anything is left behind.
package faults_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	xssh "golang.org/x/crypto/ssh"
)

// fault is one thing that goes wrong, and what becomes of it.
type fault struct {
	name  string
	where string // of what makes it; "": this process and its loopback
	setup func(*setup)
	// act makes the fault and does what runs into it.
	act func(*scene) error
	on  map[string]expect // by transport
}

// expect is what a user may rely on.
type expect struct {
	kind   engine.ErrorKind // "": none, it works all the same
	within string           // until it is found, in terms of the settings
	bound  time.Duration    // that, with the settings of the test
	tried  string           // what was tried again by itself
	left   string           // what is left on the host
}

const (
	no      = "no"
	again   = "connected again"
	nothing = "nothing"
	perhaps = "perhaps the command"
	shell   = "perhaps the command; a remote shell, until it times out"
	request = "perhaps the request was acted upon"

	atOnce  = "at once"
	connect = "`connect_timeout`"
)

// the bounds with the settings of newScene, and a moment for what has to be computed
const (
	moment = time.Second
	quick  = 500*time.Millisecond + moment
)

// failed is an expectation of all transports: nothing was begun.
func failed(kind engine.ErrorKind, within string, bound time.Duration) map[string]expect {
	e := expect{kind, within, bound, no, nothing}
	return map[string]expect{"ssh": e, "winrm": e, "https": e}
}

func only(transport string, e expect) map[string]expect { return map[string]expect{transport: e} }

// and adds the expectation of one more transport.
func and(on map[string]expect, transport string, e expect) map[string]expect {
	on[transport] = e
	return on
}

func onShort(s *setup) { s.quick = true }

// faults are all of them.
func faults() []fault {
	var all []fault
	for _, some := range [][]fault{onTheWay(), identities(), logins(), limits(), whileItRuns(), badAnswers(), inGuests(), inNamespaces(), onOpenSSH()} {
		all = append(all, some...)
	}
	return all
}

// onTheWay keep a connection from coming about.
func onTheWay() []fault {
	return []fault{
		{name: "the name has no address", on: failed(engine.KindDNS, atOnce+", or when the name servers give up", moment),
			act: func(s *scene) error {
				s.host.Address = "esx1..example.com"
				return s.do("echo done")
			}},
		{name: "refused: nobody listens", on: and(failed(engine.KindRefused, atOnce, moment), "guest", expect{engine.KindRefused, atOnce, moment, no, nothing}),
			act: func(s *scene) error {
				_ = s.wire.listener.Close()
				return s.do("echo done")
			}},
		{name: "silent: connections are accepted, and not a byte comes", setup: onShort,
			on: and(failed(engine.KindTimeout, connect, quick), "guest", expect{engine.KindTimeout, connect + " of the vCenter", quick, no, nothing}),
			act: func(s *scene) error {
				s.wire.freeze()
				return s.do("echo done")
			}},
		{name: "silent in the middle of the handshake", setup: onShort, on: failed(engine.KindTimeout, connect, quick),
			act: func(s *scene) error {
				s.wire.freezeAfter(200)
				return s.do("echo done")
			}},
		{name: "something else listens on the port", setup: onShort, on: map[string]expect{
			"ssh":   {engine.KindProtocol, atOnce, moment, no, nothing},
			"winrm": {engine.KindProtocol, atOnce, moment, no, nothing},
			"https": {engine.KindProtocol, atOnce, moment, no, nothing},
		}, act: func(s *scene) error {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			server := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: quiet}
			ended := make(chan error)
			go func() { ended <- server.Serve(listener) }()
			s.aim(listener.Addr().String())
			err = s.do("echo done")
			_ = server.Close()
			<-ended
			return err
		}},
		{name: "200 ms delay", on: map[string]expect{
			"ssh":   {"", "7 round trips to connect, 2 for each command; the first one asks for the platform", 5 * time.Second, no, nothing},
			"winrm": {"", "4 round trips to connect, 3 for each command", 5 * time.Second, no, nothing},
			"https": {"", "2 round trips to connect (TCP and TLS 1.3), 1 for each request", 5 * time.Second, no, nothing},
		}, act: func(s *scene) error {
			s.wire.delay.Store(int64(100 * time.Millisecond))
			if settings, ok := s.host.Connection.Settings.(*ssh.Settings); ok {
				settings.Keepalive = "2s"
			}
			if settings, ok := s.host.Connection.Settings.(*winrm.Settings); ok {
				settings.OperationTimeout = "2s"
			}
			return s.do("echo done")
		}},
	}
}

// identities: the host does not prove to be the one that is meant.
func identities() []fault {
	never := expect{engine.KindHostKey, atOnce, moment, no, nothing}
	badTLS := map[string]expect{"winrm": {engine.KindTLS, atOnce, moment, no, nothing}, "https": {engine.KindTLS, atOnce, moment, no, nothing}}
	return []fault{
		{name: "the host key is unknown", on: only("ssh", never), act: func(s *scene) error {
			s.write("known_hosts", "")
			return s.do("echo done")
		}},
		{name: "the host key has changed", on: only("ssh", never), act: func(s *scene) error {
			_, key := s.newSigner("other")
			s.ssh.SetHostKey(key)
			return s.do("echo done")
		}},
		{name: "the host key is revoked", on: only("ssh", never), act: func(s *scene) error {
			s.write("known_hosts", "@revoked * "+string(xssh.MarshalAuthorizedKey(s.ssh.HostKey())))
			return s.do("echo done")
		}},
		{name: "the file known_hosts cannot be reached (accept-new)", on: only("ssh", never), act: func(s *scene) error {
			settings := s.host.Connection.Settings.(*ssh.Settings)
			settings.HostKeys, settings.KnownHosts = "accept-new", s.write("file", "")+"/known_hosts"
			return s.do("echo done")
		}},
		{name: "the certificate has expired", setup: func(s *setup) { s.expired, s.tls = true, true }, on: badTLS,
			act: func(s *scene) error { return s.do("echo done") }},
		{name: "the certificate is of an unknown authority", setup: func(s *setup) { s.tls = true }, on: badTLS, act: func(s *scene) error {
			_, other := s.certificate(false)
			switch settings := s.host.Connection.Settings.(type) {
			case *winrm.Settings:
				settings.CA = other
			case *https.Settings:
				settings.CA = other
			}
			return s.do("echo done")
		}},
		{name: "the certificate is not the pinned one", setup: func(s *setup) { s.tls = true }, on: badTLS, act: func(s *scene) error {
			pin := strings.Repeat("ab", 32)
			switch settings := s.host.Connection.Settings.(type) {
			case *winrm.Settings:
				settings.CA, settings.Fingerprint = "", pin
			case *https.Settings:
				settings.CA, settings.Fingerprint = "", pin
			}
			return s.do("echo done")
		}},
	}
}

// logins: the host does not let us in.
func logins() []fault {
	refused := expect{engine.KindAuth, atOnce, moment, no, nothing}
	return []fault{
		{name: "wrong password", setup: func(s *setup) {
			s.sshClient = func(c *ssh.Settings) { c.Password = engine.Plain("s3cret") }
			s.winrmUser = func(c *winrm.Settings) { c.Password = engine.Plain("s3cret") }
		}, on: map[string]expect{"ssh": refused, "winrm": refused, "guest": refused}, act: func(s *scene) error {
			if settings, ok := s.host.Connection.Settings.(*guest.Settings); ok {
				settings.Password = engine.Plain("s3cret")
			}
			return s.do("echo done")
		}},
		{name: "wrong key", setup: func(s *setup) {
			s.ssh.Password = nil
			s.ssh.PublicKey = func(string, xssh.PublicKey) bool { return false }
		}, on: only("ssh", refused), act: func(s *scene) error {
			settings := s.host.Connection.Settings.(*ssh.Settings)
			settings.Password = engine.Secret{}
			settings.Key, _ = s.newSigner("id")
			return s.do("echo done")
		}},
		{name: "the user's certificate has expired", setup: func(s *setup) {
			s.ssh.Password = nil
			s.ssh.PublicKey = func(user string, key xssh.PublicKey) bool { // as sshd judges it, but for who signed it
				c, ok := key.(*xssh.Certificate)
				return ok && (&xssh.CertChecker{}).CheckCert(user, c) == nil
			}
		}, on: only("ssh", refused), act: func(s *scene) error {
			settings := s.host.Connection.Settings.(*ssh.Settings)
			settings.Password = engine.Secret{}
			file, key := s.newSigner("id")
			_, authority := s.newSigner("authority")
			end := time.Now().Add(-time.Hour)
			c := &xssh.Certificate{Key: key.PublicKey(), CertType: xssh.UserCert, ValidPrincipals: []string{"ops"},
				ValidAfter: uint64(end.Add(-time.Hour).Unix()), ValidBefore: uint64(end.Unix())}
			if err := c.SignCert(rand.Reader, authority); err != nil {
				return err
			}
			s.write("id-cert.pub", string(xssh.MarshalAuthorizedKey(c)))
			settings.Key = file
			return s.do("echo done")
		}},
		{name: "the login works, and remote shells are forbidden", on: only("winrm", refused), act: func(s *scene) error {
			s.winrm.Fail(wsman.Fault{Mode: wsman.SOAPFault, On: "Create", Code: 5})
			return s.do("echo done")
		}},
		{name: "the host takes only Basic, over http", on: only("winrm", refused), act: func(s *scene) error {
			s.winrm.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{`Basic realm="WSMAN"`}})
			return s.do("echo done")
		}},
	}
}

// limits of the host, which are waited for where that makes sense.
func limits() []fault {
	return []fault{
		{name: "MaxStartups: it hangs up twice, and then does not", on: only("ssh", expect{"", "some seconds", 8 * time.Second, again, nothing}),
			act: func(s *scene) error {
				s.ssh.Drop(2)
				return s.do("echo done")
			}},
		{name: "MaxStartups: it always hangs up", on: only("ssh", expect{engine.KindProtocol, "6 tries, or `connect_timeout`", 20 * time.Second, "connected 6 times", nothing}),
			act: func(s *scene) error {
				s.ssh.Drop(1 << 20)
				return s.do("echo done")
			}},
		{name: "MaxSessions: fewer than commands at once", setup: func(s *setup) { s.ssh.MaxSessions = 1 },
			on: only("ssh", expect{"", "when the others have ended", 20 * time.Second, "until there is room", nothing}),
			act: func(s *scene) error {
				s.works()
				var wait sync.WaitGroup
				errs := make([]error, 10)
				for i := range errs {
					wait.Go(func() { errs[i] = s.do("echo done") })
				}
				wait.Wait()
				return errors.Join(errs...)
			}},
		{name: "quota: too many remote shells", setup: func(s *setup) { s.winrm.ShellQuota = 1 },
			on: only("winrm", expect{engine.KindProtocol, "`operation_timeout`", quick, "until there is room", nothing}),
			act: func(s *scene) error {
				other, err := s.transport.Open(s.t.Context(), s.host)
				if err != nil {
					return err
				}
				defer other.Close()
				return s.do("echo done")
			}},
	}
}

// whileItRuns: a command runs, or has run, on a connection that works.
func whileItRuns() []fault {
	cutWinRM := expect{engine.KindLost, atOnce, moment, no, nothing}
	return []fault{
		{name: "silent after the handshake: the host freezes while a command runs", on: map[string]expect{
			"ssh":   {engine.KindLost, "2 × `keepalive`", 600*time.Millisecond + moment, no, perhaps},
			"winrm": {engine.KindLost, "1.5 × `operation_timeout` (at most 10 s more), and 5 s for trying to end it", 7*time.Second + moment, no, shell},
			"https": {engine.KindLost, "`request_timeout`", time.Second + moment, no, request},
			"guest": {engine.KindLost, "2 × " + answerLimit, 2*time.Second + moment, no, perhaps + "; " + leftFiles},
		}, act: func(s *scene) error { return s.busy(s.wire.freeze) }},
		{name: "reset in the middle of a command", on: map[string]expect{
			"ssh":   {engine.KindLost, atOnce, moment, no, perhaps},
			"winrm": cutWinRM,
			"https": {engine.KindLost, atOnce, moment, no, request},
		}, act: func(s *scene) error { return s.busy(s.wire.reset) }},
		{name: "the host goes away in the middle of a command, and nobody listens any more", on: map[string]expect{
			"ssh":   {engine.KindLost, atOnce, moment, no, perhaps},
			"winrm": {engine.KindLost, atOnce, moment, no, shell},
			"https": {engine.KindLost, atOnce, moment, no, request},
			"guest": {engine.KindLost, answerLimit, time.Second + moment, no, perhaps + "; " + leftFiles},
		}, act: func(s *scene) error {
			return s.busy(func() {
				_ = s.wire.listener.Close()
				s.wire.reset()
			})
		}},
		{name: "the connection broke while nothing ran", on: map[string]expect{
			"ssh":   {"", atOnce, moment, again, nothing},
			"winrm": {"", atOnce, moment, again, nothing},
			"https": {"", atOnce, moment, again, nothing},
			"guest": {"", atOnce, moment, no, nothing},
		}, act: func(s *scene) error {
			return s.idle(func() {
				until(s.t, "the wire has ended it", func() bool { // a connection that was just being made, too
					s.wire.reset()
					return s.wire.open() == 0
				})
				time.Sleep(150 * time.Millisecond) // for the news to arrive: right now the next command could be lost
			})
		}},
		{name: "the time of the entry is over", on: map[string]expect{
			"ssh":   {engine.KindTimeout, "the timeout of the entry, and 6 s for killing it", 6 * time.Second, no, nothing},
			"winrm": {engine.KindTimeout, "the timeout of the entry, and 5 s for killing it", 5 * time.Second, no, nothing},
			"https": {engine.KindLost, "the timeout of the entry", moment, no, request},
			"guest": {engine.KindTimeout, "the timeout of the entry, and 20 s for killing it", 5 * time.Second, no, nothing},
		}, act: func(s *scene) error {
			ctx, cancel := context.WithTimeout(s.t.Context(), 500*time.Millisecond)
			defer cancel()
			s.began()
			return s.doIn(ctx, "wait")
		}},
		{name: "the time of the entry is over, and the host does not let it be killed", on: map[string]expect{
			"ssh":   {engine.KindTimeout, "the timeout of the entry, and 6 s for killing it", 6*time.Second + moment, no, perhaps},
			"winrm": {engine.KindTimeout, "the timeout of the entry, and 5 s for killing it", 5*time.Second + moment, no, perhaps},
		}, act: func(s *scene) error {
			ctx, cancel := context.WithTimeout(s.t.Context(), 500*time.Millisecond)
			defer cancel()
			if s.winrm != nil {
				s.winrm.Fail(wsman.Fault{Mode: wsman.Silent, On: "Signal"})
			}
			s.began()
			return s.doIn(ctx, "deaf")
		}},
		{name: "shell gone: the host restarted while nothing ran", on: only("winrm", expect{"", atOnce, moment, "a new shell", nothing}),
			act: func(s *scene) error { return s.idle(s.winrm.Reset) }},
		{name: "shell gone: the host restarted while a command ran", on: only("winrm", expect{engine.KindLost, atOnce, moment, no, nothing}),
			act: func(s *scene) error { return s.busy(s.winrm.Reset) }},
		{name: "the host ends a command, and does not say with which code", on: only("ssh", expect{engine.KindLost, atOnce, moment, no, perhaps}),
			act: func(s *scene) error {
				s.works()
				s.ssh.Forget(true)
				s.began()
				return s.do("echo done")
			}},
	}
}

// badAnswers are of hosts that answer, and wrongly.
func badAnswers() []fault {
	answers := func(name string, f wsman.Fault, opening, running expect) []fault {
		f.On = "Create"
		whole := f
		whole.On = "Receive"
		return []fault{
			{name: name + ", instead of a remote shell", on: only("winrm", opening), act: func(s *scene) error {
				s.winrm.Fail(f)
				return s.do("echo done")
			}},
			{name: name + ", while a command runs", on: only("winrm", running), act: func(s *scene) error {
				s.works()
				s.winrm.Fail(whole)
				s.began()
				return s.do("wait")
			}},
		}
	}
	lost := expect{engine.KindLost, atOnce, moment, no, nothing}
	html := "503 and a page of HTML"
	all := answers(html, wsman.Fault{Mode: wsman.Unavailable}, expect{engine.KindRefused, atOnce, moment, no, nothing}, lost)
	all = append(all, answers("an empty body", wsman.Fault{Mode: wsman.EmptyBody}, expect{engine.KindProtocol, atOnce, moment, no, nothing}, lost)...)
	all = append(all, answers("a fault", wsman.Fault{Mode: wsman.SOAPFault, Code: 2150858999}, expect{engine.KindProtocol, atOnce, moment, no, nothing}, lost)...)
	var asked int
	all = append(all, fault{
		name: html + ", twice, to a question (GET)", on: only("https", expect{"", "as `Retry-After` says, else some seconds", 10 * time.Second, "asked 3 times", nothing}),
		setup: func(s *setup) {
			asked = 0
			s.answer = func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked < 3 {
					w.Header().Set("Retry-After", "0")
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(http.StatusServiceUnavailable)
					fmt.Fprint(w, "<html><body>503 Service Unavailable</body></html>")
				}
			}
		},
		act: func(s *scene) error {
			conn, err := s.Get(s.t.Context(), s.host)
			if err != nil {
				return err
			}
			answer, err := conn.(engine.API).HTTP().Get(conn.(engine.API).Endpoint().String())
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return errors.New(answer.Status)
			}
			return nil
		},
	})
	return all
}
