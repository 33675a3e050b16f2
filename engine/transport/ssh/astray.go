package ssh

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

var errJumpBroke = errors.New("the connection to the jump host broke")

// tooBusy knows the answers of a jump host that has no resources for now.
func tooBusy(err error) bool {
	var refused *ssh.OpenChannelError
	return errors.As(err, &refused) && refused.Reason == ssh.ResourceShortage
}

// explainJump says what a jump host's refusal means.
func (o *opening) explainJump(name string, err error) error {
	var refused *ssh.OpenChannelError
	switch {
	case errors.Is(err, errJumpBroke):
		return o.brokeAt(name)
	case !errors.As(err, &refused):
		return err
	}
	e := o.failure(engine.KindRefused, err, "the jump host works; check address and port of the host as seen from there")
	e.Msg = "the jump host " + name + " does not reach it"
	text := strings.ToLower(refused.Message)
	switch {
	case refused.Reason == ssh.Prohibited:
		e.Kind, e.Msg = engine.KindProtocol, "the jump host "+name+" lets no connections through"
		e.Hint = "AllowTcpForwarding, PermitOpen and DisableForwarding of its sshd, and restrict in authorized_keys, must allow " + o.address + "; on ESXi and on appliances it is off"
	case refused.Reason == ssh.ResourceShortage:
		e.Kind, e.Msg = engine.KindProtocol, "the jump host "+name+" has no resources for it"
		e.Hint = "it was asked several times; look at its load and limits"
	case strings.Contains(text, "timed out"):
		e.Kind = engine.KindTimeout
	case strings.Contains(text, "not known"), strings.Contains(text, "resolve"), strings.Contains(text, "resolution"), strings.Contains(text, "no address"):
		e.Kind, e.Hint = engine.KindDNS, "the jump host looks the name up: give the host an address in the inventory that is good there"
	}
	return e
}

// brokeAt blames a jump host.
func (o *opening) brokeAt(name string) *engine.Error {
	e := o.failure(engine.KindRefused, nil, "look at the jump host; its own log says why")
	e.Msg = "the connection to the jump host " + name + " broke"
	return e
}

// fromWay explains what broke in the middle of handshake or login, where the way is to blame; nil: it is not.
func (o *opening) fromWay(ctx context.Context, err error) error {
	var left *commandError
	var known *engine.Error
	switch {
	case ctx.Err() != nil, errors.As(err, &known):
		return nil
	case errors.As(err, new(*ssh.OpenChannelError)) && !tooBusy(err), errors.Is(err, errJumpBroke):
		return o.explainJump(o.set.jump[len(o.set.jump)-1].text, err)
	case errors.As(err, &left):
		return o.failure(engine.KindRefused, left, "run the ProxyCommand by hand")
	case o.via != nil && o.via.brokeSoon():
		return o.brokeAt(o.set.jump[len(o.set.jump)-1].text)
	}
	return nil
}

// brokeSoon is Broken, which may become true a moment after what leads through the connection has seen its end.
func (c *Conn) brokeSoon() bool {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}
