// Package ssh knows the client's side of SSH: one connection per host, host keys as OpenSSH's known_hosts has them,
// one try of a password, many commands at once, and how to end on the host what must not go on.
package ssh

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer"
	"github.com/dsplay/dsplay/engine/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

// Transport opens connections. It remembers parsed known_hosts files, keys and configurations, so one serves a whole run.
// It is safe for use by several goroutines.
type Transport struct {
	// Config is the ssh_config of connections whose blocks name none; "": none. It is not changed after the first Settings.
	Config string
	// Refused remembers refused passwords beyond the life of the Transport; nil: nothing does.
	Refused engine.Refused

	known    knownhosts.Files
	keys     keyring
	refusals refusals
	configs  configs
	shared   hops
	limits   limits
}

// New makes a transport.
func New() *Transport { return &Transport{} }

// Settings returns a fresh *Settings. Texts and numbers that are zero have defaults, which give way to a configuration.
func (t *Transport) Settings() any {
	return &Settings{Agent: true, Config: t.Config, configs: &t.configs}
}

// tries is how often a server that is too busy to say hello is asked again; see isBusy.
const tries = 6

// Open connects to h and logs in, within connect_timeout, which begins when the jump hosts are reached; each of those has
// its own. Every failure is an *engine.Error with Unreachable set.
func (t *Transport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	conn, err := t.open(ctx, h)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (t *Transport) open(ctx context.Context, h *engine.Host) (conn *Conn, err error) {
	o, err := t.opening(ctx, h)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			o.leave()
			o.advise(ctx, err)
		}
	}()
	if err := o.board(ctx); err != nil {
		return nil, err
	}
	free, err := t.limits.take(ctx, strings.Join(append(texts(o.set.jump), o.address), " "))
	if err != nil {
		return nil, o.explain(ctx, err)
	}
	defer free()
	return o.insist(ctx)
}

// insist connects, again and again while the host is too busy.
func (o *opening) insist(ctx context.Context) (conn *Conn, err error) {
	if o.login, err = o.transport.keys.login(o.settings, o.set); err != nil {
		return nil, o.failure(engine.KindAuth, err, "check key, passphrase and agent of the connection block")
	}
	defer o.login.close()
	if err := o.refusedBefore(); err != nil {
		return nil, err
	}
	o.login.accept(o.set.lists.publicKeys)
	ctx, cancel := context.WithTimeout(ctx, o.set.connect)
	defer cancel()
	for try := 1; ; try++ {
		conn, err := o.connect(ctx)
		if err == nil {
			o.accepted()
			return conn, nil
		}
		if broken := o.fromWay(ctx, err); broken != nil {
			return nil, broken
		}
		if try == tries || !isBusy(err) || o.login.used() {
			return nil, o.giveUp(ctx, err)
		}
		pause := time.Duration(try) * (100*time.Millisecond + rand.N(300*time.Millisecond))
		if engine.Wait(ctx, pause) != nil {
			return nil, o.giveUp(ctx, err)
		}
	}
}

func (o *opening) giveUp(ctx context.Context, err error) error {
	if tooBusy(err) {
		return o.explainJump(o.set.jump[len(o.set.jump)-1].text, err)
	}
	return o.unjudged(o.explain(ctx, err))
}

// isBusy knows the two ways in which sshd's MaxStartups shows: the connection ends in the middle of the handshake. And
// a jump host may say that it has no resources.
func isBusy(err error) bool {
	if tooBusy(err) {
		return true
	}
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
	via       *Conn  // to the last jump host; nil: there is none
	leave     func() // tells that via is not needed any more
	proved    string // kind and fingerprint of the key that the host proved to have
	ear       *ear   // of the last connection
}

func (t *Transport) opening(ctx context.Context, h *engine.Host) (*opening, error) {
	given := h.Connection.Settings
	if given == nil {
		given = t.Settings()
	}
	settings := given.(*Settings) // by the contract of engine.Transport
	o := &opening{transport: t, host: h, address: h.Address, settings: settings, leave: func() {}}
	var err error
	if o.set, err = settings.resolve(ctx, h.Address); err != nil {
		if ctx.Err() != nil {
			return nil, o.explain(ctx, err)
		}
		return nil, o.failure(engine.KindModule, err, "mend the connection block, or the configuration that it names; nothing was contacted")
	}
	o.address = net.JoinHostPort(cmp.Or(o.set.host, h.Address), o.set.port)
	return o, nil
}

// connect does all stages once. The end of ctx breaks any of them: by closing, because a connection through a jump
// host knows no deadlines.
func (o *opening) connect(ctx context.Context) (*Conn, error) {
	wire, err := o.wire(ctx)
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
	o.ear = &ear{Conn: hello, born: time.Now()}
	conn, channels, requests, err := ssh.NewClientConn(o.ear, o.address, config)
	told(conn, err)
	if err != nil {
		wire.Close()
		return nil, hello.explain(err)
	}
	return newConn(o, conn, channels, requests), nil
}

func (o *opening) config() (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: o.set.user, ClientVersion: "SSH-2.0-dsplay", Config: algorithms(o.settings.Legacy)}
	if err := o.trust(config); err != nil {
		return nil, err
	}
	if err := o.restrict(config); err != nil {
		return nil, err
	}
	o.login.configure(config)
	return config, nil
}

// advise adds to an error that ~/.ssh/config knows something of the host.
func (o *opening) advise(ctx context.Context, err error) {
	var e *engine.Error
	if errors.As(err, &e) && e.Kind != engine.KindModule {
		e.Hint += o.settings.unasked(ctx, o.host.Address)
	}
}
