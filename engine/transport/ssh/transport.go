// Package ssh knows the client's side of SSH: one connection per host, host keys as OpenSSH's known_hosts has them,
// one try of a password, many commands at once, and how to end on the host what must not go on.
package ssh

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer"
	"github.com/dsplay/dsplay/engine/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

// Transport opens connections. It remembers parsed known_hosts files and keys, so one serves a whole run.
// It is safe for use by several goroutines.
type Transport struct {
	known    knownhosts.Files
	keys     keyring
	refusals refusals
}

// New makes a transport.
func New() *Transport { return &Transport{} }

// Settings returns a fresh *Settings with its defaults.
func (t *Transport) Settings() any {
	return &Settings{
		Port: 22, Agent: true, HostKeys: "strict",
		ConnectTimeout: "30s", Keepalive: "15s",
	}
}

// tries is how often a server that is too busy to say hello is asked again; see isBusy.
const tries = 6

// Open connects to h and logs in, within connect_timeout. Every failure is an *engine.Error with Unreachable set.
func (t *Transport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	o, err := t.opening(h)
	if err != nil {
		return nil, err
	}
	defer o.login.close()
	ctx, cancel := context.WithTimeout(ctx, o.set.connect)
	defer cancel()
	for try := 1; ; try++ {
		conn, err := o.connect(ctx)
		if err == nil {
			return conn, nil
		}
		if try == tries || !isBusy(err) || o.login.used() {
			return nil, o.explain(ctx, err)
		}
		pause := time.Duration(try) * (100*time.Millisecond + rand.N(300*time.Millisecond))
		if engine.Wait(ctx, pause) != nil {
			return nil, o.explain(ctx, err)
		}
	}
}

// isBusy knows the two ways in which sshd's MaxStartups shows: the connection ends in the middle of the handshake.
func isBusy(err error) bool {
	var way *dialer.Error // a proxy that hangs up is none
	return !errors.As(err, &way) && !errors.As(err, new(*strange)) && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET))
}

// opening is one Open: what it needs, and what it learns.
type opening struct {
	transport *Transport
	host      *engine.Host
	address   string
	set       parsed
	settings  *Settings
	login     *login
	hostKey   ssh.PublicKey // what the host proved to have
}

func (t *Transport) opening(h *engine.Host) (*opening, error) {
	settings := t.Settings().(*Settings)
	if h.Connection.Settings != nil {
		settings = h.Connection.Settings.(*Settings) // by the contract of engine.Transport
	}
	set, err := settings.parse()
	if err != nil {
		return nil, &engine.Error{Kind: engine.KindProtocol, Host: h.Name, Op: "connect to " + h.Address, Err: err, Unreachable: true}
	}
	o := &opening{transport: t, host: h, address: net.JoinHostPort(h.Address, set.port), set: set, settings: settings}
	if o.login, err = t.keys.login(settings, set); err != nil {
		return nil, o.failure(engine.KindAuth, err, "check key, passphrase and agent of the connection block")
	}
	return o, nil
}

// connect does all stages once. The end of ctx breaks any of them: by closing, because a connection through a jump
// host knows no deadlines.
func (o *opening) connect(ctx context.Context) (*Conn, error) {
	wire, err := o.set.dialer.Dial(ctx, o.address)
	if err != nil {
		return nil, err
	}
	unwatch := context.AfterFunc(ctx, func() { wire.Close() })
	defer unwatch()
	config, err := o.config()
	if err != nil {
		wire.Close()
		return nil, err
	}
	told := o.hear(ctx, config)
	hello := &greeting{Conn: wire}
	conn, channels, requests, err := ssh.NewClientConn(hello, o.address, config)
	told(conn, err)
	if err != nil {
		return nil, hello.explain(err)
	}
	return newConn(o, ssh.NewClient(conn, channels, requests)), nil
}

func (o *opening) config() (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: o.set.user, ClientVersion: "SSH-2.0-dsplay", Config: algorithms(o.settings.Legacy)}
	if err := o.trust(config); err != nil {
		return nil, err
	}
	if err := o.refusedBefore(); err != nil {
		return nil, err
	}
	o.login.configure(config)
	return config, nil
}
