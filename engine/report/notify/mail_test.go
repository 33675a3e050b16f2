package notify_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/pki"
	"github.com/dsplay/dsplay/engine/report/notify"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// sink is an SMTP server that keeps what it gets.
type sink struct {
	addr, ca string
	mechs    []string // what it offers

	mu      sync.Mutex
	letters []string
	logins  []string // user:password, as they came
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }

type session struct {
	*sink
	in bool
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string { return s.mechs }

func (s *session) Auth(mech string) (sasl.Server, error) {
	judge := func(user, password string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.logins = append(s.logins, mech+" "+user+":"+password)
		if user != "dsplay" || password != "s3cret-of-mail" {
			return errors.New("wrong password")
		}
		s.in = true
		return nil
	}
	if mech == "LOGIN" {
		return &login{judge: judge}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return judge(user, password) }), nil
}

// login is the server's side of LOGIN, which go-sasl has no more.
type login struct {
	judge func(user, password string) error
	said  []string
}

func (l *login) Next(response []byte) ([]byte, bool, error) {
	if response != nil {
		l.said = append(l.said, string(response))
	}
	switch len(l.said) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	return nil, true, l.judge(l.said[0], l.said[1])
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if len(s.mechs) > 0 && !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, string(text))
	return err
}

// serve starts a sink. How: starttls, implicit, or none, which offers no TLS.
func serve(t *testing.T, how string, mechs ...string) *sink {
	t.Helper()
	ca, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{addr: l.Addr().String(), ca: filepath.Join(t.TempDir(), "ca.pem"), mechs: mechs}
	if err := os.WriteFile(s.ca, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth = "localhost", how == "none"
	ends := &tls.Config{Certificates: []tls.Certificate{cert}}
	switch how {
	case "starttls":
		server.TLSConfig = ends
	case "implicit":
		l = tls.NewListener(l, ends)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return s
}

func (s *sink) mail(how string) *notify.Mail {
	var secrets engine.Secrets
	return &notify.Mail{Server: s.addr, TLS: how, CA: s.ca, Auth: "any", User: "dsplay", Password: secrets.Add("file:smtp", "s3cret-of-mail"),
		From: "dsplay@corp.example", To: []string{"On Call <oncall@corp.example>", "boss@corp.example"}}
}

var message = engine.Message{Subject: "dsplay on night1: FAILED on 1 of 2 hosts: Grüße 日本", Text: "A page.\nÄ line of 日本語.\n.a dot\n", Run: "20261123-010203-abcd"}

func TestMailArrives(t *testing.T) {
	for _, c := range []struct{ how, auth, mech string }{
		{"starttls", "any", "PLAIN"}, {"starttls", "login", "LOGIN"}, {"implicit", "plain", "PLAIN"}, {"implicit", "login", "LOGIN"},
	} {
		t.Run(c.how+" "+c.auth, func(t *testing.T) {
			s := serve(t, c.how, c.mech)
			m := s.mail(c.how)
			m.Auth = c.auth
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
			if err := m.Notify(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			if want := []string{c.mech + " dsplay:s3cret-of-mail"}; !slices.Equal(s.logins, want) {
				t.Errorf("logins %q, want %q", s.logins, want)
			}
			letter, err := mail.ReadMessage(strings.NewReader(s.letters[0]))
			if err != nil {
				t.Fatal(err)
			}
			for header, want := range map[string]string{"From": "dsplay@corp.example", "To": "boss@corp.example", "X-Dsplay-Run": message.Run, "Auto-Submitted": "auto-generated",
				"Content-Type": "UTF-8", "Date": "20", "Message-Id": "@"} {
				if got := letter.Header.Get(header); !strings.Contains(got, want) {
					t.Errorf("%s: %q does not hold %q", header, got, want)
				}
			}
		})
	}
}

// Nothing secret goes over a connection that others could read, and to nobody who cannot prove who he is.
func TestMailIsNotSent(t *testing.T) {
	t.Run("no TLS offered", func(t *testing.T) {
		s := serve(t, "none", "PLAIN")
		refused(t, s, s.mail("starttls"), "STARTTLS")
	})
	t.Run("certificate of others", func(t *testing.T) {
		s, other := serve(t, "starttls", "PLAIN"), serve(t, "starttls")
		m := s.mail("starttls")
		m.CA = other.ca
		refused(t, s, m, "certificate")
	})
	t.Run("certificate of others, implicit", func(t *testing.T) {
		s := serve(t, "implicit", "PLAIN")
		m := s.mail("implicit")
		m.CA = ""
		refused(t, s, m, "certificate")
	})
}

func refused(t *testing.T, s *sink, m *notify.Mail, why string) {
	t.Helper()
	err := m.Notify(t.Context(), message)
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v does not say %q", err, why)
	}
	if len(s.logins)+len(s.letters) > 0 {
		t.Errorf("logins %q, letters %q", s.logins, s.letters)
	}
}

func TestMailErrors(t *testing.T) {
	s := serve(t, "starttls", "PLAIN")
	m := s.mail("starttls")
	m.Password = engine.Plain("wrong-password")
	if err := m.Notify(t.Context(), message); err == nil || strings.Contains(err.Error(), "wrong-password") || !strings.Contains(err.Error(), s.addr) {
		t.Errorf("error: %v", err)
	}
	m = s.mail("starttls")
	m.To = []string{"nobody@corp.example"}
	if err := m.Notify(t.Context(), message); err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("error: %v", err)
	}
}

func TestMailToThisMachineNeedsNoTLS(t *testing.T) {
	s := serve(t, "none")
	m := &notify.Mail{Server: s.addr, TLS: "none", From: "a@corp.example", To: []string{"b@corp.example"}}
	if err := errors.Join(m.Validate(), m.Notify(t.Context(), message)); err != nil || len(s.letters) != 1 {
		t.Errorf("%v, %d letters", err, len(s.letters))
	}
}

// A server that accepts and says nothing holds nobody up for longer than the block allows.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := &notify.Mail{Server: l.Addr().String(), TLS: "starttls", From: "a@corp.example", To: []string{"b@corp.example"}}
	out := notify.Send(t.Context(), []engine.Notification{{Type: "mail", Name: "silent", On: engine.Occasions(), Timeout: 200 * time.Millisecond, Via: m}},
		engine.Message{Occasions: []engine.Occasion{engine.OnFailure}}, nil)
	if len(out) != 1 || out[0].Err == nil || !strings.Contains(out[0].Err.Error(), "not within 200ms") {
		t.Errorf("outcome: %+v", out)
	}
}

func TestSendChoosesByOccasion(t *testing.T) {
	told := map[string][]engine.Occasion{}
	var mu sync.Mutex
	to := func(name string, on ...engine.Occasion) engine.Notification {
		return engine.Notification{Type: "t", Name: name, On: on, Timeout: time.Minute, Via: ear(func(m engine.Message) {
			mu.Lock()
			defer mu.Unlock()
			told[name] = m.Occasions
		})}
	}
	all := []engine.Notification{to("failures", engine.OnFailure), to("changes", engine.OnChange, engine.OnRecovery), to("approvals", engine.OnApproval)}
	notify.Send(t.Context(), all, engine.Message{Occasions: []engine.Occasion{engine.OnRecovery, engine.OnChange}}, nil)
	if len(told) != 1 || !slices.Equal(told["changes"], []engine.Occasion{engine.OnRecovery, engine.OnChange}) {
		t.Errorf("told %v", told)
	}
	notify.Send(t.Context(), all, engine.Message{Test: true}, nil)
	if len(told) != 3 {
		t.Errorf("of a test everybody is told: %v", told)
	}
}

type ear func(engine.Message)

func (e ear) Validate() error { return nil }
func (e ear) Notify(_ context.Context, m engine.Message) error {
	e(m)
	return nil
}

func TestMemory(t *testing.T) {
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	memory := &notify.Memory{Dir: filepath.Join(t.TempDir(), "told"), Now: func() time.Time { return now }}
	times := 0
	to := []engine.Notification{{Type: "t", Name: "n", On: engine.Occasions(), Timeout: time.Minute, Repeat: 4 * time.Hour, Via: ear(func(engine.Message) { times++ })}}
	say := func(want int, what string, m engine.Message) {
		t.Helper()
		m.Occasions, m.Playbook = []engine.Occasion{engine.OnFailure}, "p.hcl"
		if notify.Send(t.Context(), to, m, memory); times != want {
			t.Errorf("%s: told %d times, want %d", what, times, want)
		}
	}
	bad := engine.Message{Exit: 3, Failed: []string{"esx1"}}
	say(1, "first", bad)
	now = now.Add(time.Hour)
	say(1, "the same", bad)
	say(2, "another host", engine.Message{Exit: 3, Failed: []string{"esx2"}})
	say(3, "what was done is always told", engine.Message{Exit: 3, Failed: []string{"esx2"}, Changed: []string{"dsva2"}})
	now = now.Add(5 * time.Hour)
	say(4, "the same, much later", engine.Message{Exit: 3, Failed: []string{"esx2"}, Changed: []string{"dsva2"}})
	now = now.Add(-48 * time.Hour)
	say(5, "a clock that was set back", bad)
}
