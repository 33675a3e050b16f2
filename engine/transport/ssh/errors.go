package ssh

import (
	"context"
	"errors"
	"net"
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
	var stranger *strange
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
	case errors.As(err, &stranger):
		e := o.failure(engine.KindProtocol, stranger, "is the port right? OpenSSH from 9.8 on says so, too, for a while after many failed logins (PerSourcePenalties)")
		e.Msg = "what listens there does not speak SSH"
		return e
	case isBusy(err) && !o.login.used():
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
		return o.noCommon(negotiation)
	case o.login.used():
		return o.denied(err)
	case isDial(err):
		return o.failure(engine.KindRefused, err, "check the route from here to the host")
	}
	return o.failure(engine.KindProtocol, err, "is it an SSH server that listens there?")
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
