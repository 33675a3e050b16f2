package notify

import (
	"context"
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	gomail "github.com/wneessen/go-mail"
)

// What tls and auth may be.
const (
	tlsStart    = "starttls"
	tlsImplicit = "implicit"
	tlsNone     = "none"

	authAny   = "any"
	authPlain = "plain"
	authLogin = "login"
)

// Mail hands messages to an SMTP server. A password goes over TLS only, to a server whose certificate was verified.
type Mail struct {
	Server   string        `hcl:"server" doc:"the SMTP server as \"HOST\" or \"HOST:PORT\" (default: 587, with tls = \"implicit\" 465, with \"none\" 25)"`
	TLS      string        `hcl:"tls,optional" oneof:"starttls implicit none" doc:"starttls (default): the connection must become TLS; implicit: it is from the start; none: only to a server on this machine, and without a password"`
	CA       string        `hcl:"ca,optional" doc:"a file of certificates (PEM) that the server's must lead to; default: those of this machine"`
	User     string        `hcl:"user,optional" doc:"who logs in; default: nobody does"`
	Password engine.Secret `hcl:"password,optional" doc:"of the user: secret(\"file:…\")"`
	Auth     string        `hcl:"auth,optional" oneof:"any plain login" doc:"how it logs in: plain, login, or any (default), the best that the server offers"`
	From     string        `hcl:"from" doc:"the sender"`
	To       []string      `hcl:"to" doc:"who gets the mail"`
}

// Validate implements engine.Validator.
func (m *Mail) Validate() error {
	host, _, err := m.address()
	switch {
	case err != nil:
		return engine.BadArg{Arg: "server", Problem: err.Error()}
	case m.TLS == tlsNone && !isLoopback(host):
		return engine.BadArg{Arg: "tls", Problem: `can be "none" only for a server on this machine (localhost, 127.0.0.1): others could read and change the mail`}
	case m.TLS == tlsNone && m.User != "":
		return engine.BadArg{Arg: "user", Problem: `logs in over TLS only; leave it out, or say tls = "starttls"`}
	case (m.User == "") != m.Password.IsZero():
		return engine.BadArg{Arg: "user", Problem: "and password go together"}
	case len(m.To) == 0:
		return engine.BadArg{Arg: "to", Problem: "names nobody"}
	}
	for _, a := range append([]string{m.From}, m.To...) {
		if _, err := mail.ParseAddress(a); err != nil {
			return engine.BadArg{Arg: map[bool]string{true: "from", false: "to"}[a == m.From], Problem: fmt.Sprintf("has %q, which is no address of a mail: %s", a, err)}
		}
	}
	return nil
}

// address takes server apart.
func (m *Mail) address() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(m.Server)
	if err != nil {
		host, text = strings.Trim(m.Server, "[]"), map[string]string{tlsStart: "587", tlsImplicit: "465", tlsNone: "25"}[m.TLS]
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || host == "" || strings.ContainsAny(host, " /") {
		return "", 0, fmt.Errorf("%q is no \"HOST\" or \"HOST:PORT\"", m.Server)
	}
	return host, port, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Notify implements engine.Notifier.
func (m *Mail) Notify(ctx context.Context, message engine.Message) error {
	letter, err := m.letter(message)
	if err != nil {
		return err
	}
	client, err := m.client(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1) // the library heeds ctx while it connects, and has deadlines of its own afterwards
	go func() { sent <- client.DialAndSendWithContext(ctx, letter) }()
	select {
	case err = <-sent:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("mail by %s: %w", m.Server, err)
	}
	return nil
}

func (m *Mail) client(ctx context.Context) (*gomail.Client, error) {
	host, port, err := m.address()
	if err != nil {
		return nil, err
	}
	trusted, err := trust(m.CA, host)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(port), gomail.WithTLSConfig(trusted), gomail.WithoutNoop()}
	if until, ok := ctx.Deadline(); ok {
		options = append(options, gomail.WithTimeout(max(time.Until(until), 0)+time.Second))
	}
	switch m.TLS {
	case tlsImplicit:
		options = append(options, gomail.WithSSL())
	case tlsNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.User != "" {
		kind := map[string]gomail.SMTPAuthType{authAny: gomail.SMTPAuthAutoDiscover, authPlain: gomail.SMTPAuthPlain, authLogin: gomail.SMTPAuthLogin}[m.Auth]
		options = append(options, gomail.WithSMTPAuth(kind), gomail.WithUsername(m.User), gomail.WithPassword(m.Password.Reveal()))
	}
	return gomail.NewClient(host, options...)
}

func (m *Mail) letter(message engine.Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := letter.From(m.From); err != nil {
		return nil, err
	}
	if err := letter.To(m.To...); err != nil {
		return nil, err
	}
	letter.Subject(message.Subject)
	letter.SetDate()
	letter.SetMessageID()
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence answers it
	letter.SetGenHeader("X-Dsplay-Run", message.Run)
	letter.SetBodyString(gomail.TypeTextPlain, message.Text)
	return letter, nil
}

// Beside implements engine.Sourced.
func (m *Mail) Beside(dir string) { m.CA = beside(dir, m.CA) }
