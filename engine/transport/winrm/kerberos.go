package winrm

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/kerberos"
)

// loginKerberos proves who we are with a ticket, and has the host prove that it is the one that the ticket is for. One
// request, without a body. Over https the login is bound to the channel, over http every message is sealed.
//
// The token goes under "Negotiate", as pywinrm and pypsrp send it; a host that offers Kerberos and not Negotiate (both
// are switches of its own: winrm get winrm/config/service/auth) gets it under "Kerberos". That is no weaker.
func (l *link) loginKerberos(ctx context.Context) error {
	d := l.dialer
	service, err := d.tickets.Service(ctx, d.login, d.services...)
	if err != nil {
		return d.ticketError(err)
	}
	l.user = service.Client()
	r, err := l.prove(ctx, service, negotiate)
	if err != nil || r.status != http.StatusUnauthorized {
		return err
	}
	if offers := offersOf(r.header); !offers.has(negotiate) && offers.has(kerberosOnly) {
		if r, err = l.prove(ctx, service, kerberosOnly); err != nil || r.status != http.StatusUnauthorized {
			return err
		}
	}
	return d.refused(r.header)
}

// prove sends the ticket. A 401 that does not say that the ticket is refused is the caller's.
func (l *link) prove(ctx context.Context, service *kerberos.Service, scheme string) (*httpReply, error) {
	d := l.dialer
	login, token, err := service.Begin(endPoint(l.certificate), d.tls == nil)
	if err != nil {
		return nil, d.loginError(engine.KindAuth, "Kerberos", "", err)
	}
	r, err := l.negotiate(ctx, scheme, token)
	if err != nil {
		return nil, err
	}
	answer, given := tokenOf(r.header, scheme)
	switch {
	case r.status == http.StatusUnauthorized && (given || offersOf(r.header).has(scheme)):
		return nil, d.ticketError(login.Refused(answer))
	case r.status == http.StatusUnauthorized:
		return r, nil
	case r.status/100 != 2:
		return nil, d.statusError(r)
	}
	if err := login.Finish(answer); err != nil {
		return nil, d.ticketError(err)
	}
	l.service, l.scheme = service.Service(), scheme
	if d.tls == nil {
		l.session, l.sealedAs = login, spnegoEncrypted
		if scheme == kerberosOnly {
			l.sealedAs = kerberosEncrypted
		}
	}
	return r, nil
}

// loginAgain answers a 401 to a message: where messages are sealed, the host has ended the login, and gets another one;
// where they are not, it may be that it keeps none (http.sys caches Kerberos logins only if its service asks for it), so
// that from now on each message carries its proof.
func (l *link) loginAgain(ctx context.Context) error {
	if l.dialer.tls != nil {
		l.dialer.proofs.Store(true)
		return nil
	}
	l.session = nil
	if err := l.login(ctx); err != nil {
		l.broken = true
		return err
	}
	return nil
}

// sendProved sends a message with a proof of its own, and verifies the host's.
func (l *link) sendProved(ctx context.Context, header http.Header, envelope []byte) (*httpReply, error) {
	d := l.dialer
	service, err := d.tickets.Service(ctx, d.login, d.services...)
	if err != nil {
		return nil, d.ticketError(err)
	}
	login, token, err := service.Begin(endPoint(l.certificate), false)
	if err != nil {
		return nil, d.ticketError(err)
	}
	header.Set("Authorization", l.scheme+" "+base64.StdEncoding.EncodeToString(token))
	r, err := l.roundTrip(ctx, header, envelope)
	if err != nil || r.status == http.StatusUnauthorized {
		return r, err
	}
	answer, _ := tokenOf(r.header, l.scheme)
	if err := login.Finish(answer); err != nil {
		l.broken = true
		return nil, &lost{msg: "the answer is not the host's", hint: "is somebody in between?", answered: true, err: err}
	}
	return r, nil
}

// ticketError is a failure of Kerberos as the error of a connection.
func (d *dialer) ticketError(err error) error {
	var f *kerberos.Failure
	switch {
	case errors.As(err, &f):
		return d.loginError(f.Kind, f.Msg, f.Hint, f.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return d.loginError(engine.KindTimeout, "no Kerberos ticket in time", "does the KDC answer? connect_timeout says how long to wait", nil)
	}
	return d.loginError(engine.KindAuth, "Kerberos", "", err)
}

// kerberosLogin reads the settings of auth = "kerberos"; names are the host's, the best first.
func (s *Settings) kerberosLogin(names ...string) (kerberos.Login, []string, error) {
	login := kerberos.Login{User: s.User, Realm: s.Realm, Password: s.Password, Keytab: engine.AtHome(s.Keytab), CCache: engine.AtHome(s.CCache), KDC: s.KDC, Config: engine.AtHome(s.Krb5Conf)}
	if s.SPN != "" {
		return login, []string{s.SPN}, nil
	}
	services, err := kerberos.HostNames(names...)
	return login, services, err
}
