package ssh

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer"
	"golang.org/x/crypto/ssh"
)

func (o *opening) failure(kind engine.ErrorKind, err error, hint string) *engine.Error {
	return &engine.Error{Kind: kind, Host: o.host.Name, Op: "connect to " + o.address, Err: err, Hint: hint, Unreachable: true}
}

// explain says why there is no connection.
func (o *opening) explain(ctx context.Context, err error) error {
	var known *engine.Error
	var dns *net.DNSError
	var negotiation *ssh.AlgorithmNegotiationError
	if e := dialer.Explain(o.host.Name, "connect to "+o.address, err); e != nil {
		return e
	}
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &dns):
		return o.failure(engine.KindDNS, err, "check the name, or give the host an address in the inventory")
	case errors.Is(ctx.Err(), context.Canceled):
		e := o.failure(engine.KindTimeout, ctx.Err(), "")
		e.Msg = "stopped"
		return e
	case isBusy(err):
		e := o.failure(engine.KindProtocol, err, "too many logins at once (MaxStartups of sshd), or an address filter on the host")
		e.Msg = "the host hangs up before it says anything"
		return e
	case ctx.Err() != nil || isTimeout(err):
		e := o.failure(engine.KindTimeout, err, "a firewall may drop it, or the host hangs; connect_timeout says how long to wait")
		e.Msg, e.Err = "no answer within "+o.set.connect.String(), context.DeadlineExceeded
		return e
	case errors.Is(err, syscall.ECONNREFUSED):
		return o.failure(engine.KindRefused, err, "nobody listens there: is SSH switched on, and the port right? On ESXi and on appliances it is often off")
	case errors.As(err, &negotiation):
		return o.failure(engine.KindProtocol, err, "an old system? legacy_algorithms = true in its connection block offers what was current then")
	case o.isAuth(err):
		return o.denied(err)
	case isDial(err):
		return o.failure(engine.KindRefused, err, "check the route from here to the host")
	}
	return o.failure(engine.KindProtocol, err, "is it an SSH server that listens there?")
}

// isAuth: the library has no type for it.
func (o *opening) isAuth(err error) bool {
	text := err.Error()
	return o.login.used() || errors.Is(err, errSecondTry) || o.login.reason != nil ||
		strings.Contains(text, "unable to authenticate") || strings.Contains(text, "authentication failures")
}

// denied says what was tried, because "permission denied" alone sends people to look in the wrong place.
func (o *opening) denied(err error) *engine.Error {
	e := o.failure(engine.KindAuth, nil, "")
	text := err.Error()
	offered := "no key"
	if len(o.login.signers) > 0 {
		offered = "keys"
	}
	switch {
	case o.login.reason != nil && !errors.Is(o.login.reason, errSecondTry):
		e.Msg, e.Hint = o.login.reason.Error(), "log in by hand as this user and see what it asks"
	case o.login.used():
		e.Msg = "the password of " + o.set.user + " was refused"
		e.Hint = "it was tried once, so as not to lock the account; check user and password"
	case strings.Contains(text, "authentication failures"):
		e.Msg = "too many keys were offered"
		e.Hint = "name the right one with key in the connection block"
	case !o.login.password.IsZero():
		e.Msg = "the host accepts no password from " + o.set.user
		e.Hint = "it wants a key; and PermitRootLogin of sshd may forbid root's password"
	default:
		e.Msg = "the host refused " + o.set.user + " (offered: " + offered + ")"
		e.Hint = "give key or password in the connection block; the public key must be in authorized_keys on the host"
	}
	return e
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
