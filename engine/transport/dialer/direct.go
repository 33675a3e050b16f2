package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// head start of IPv6 before IPv4 is tried, too (RFC 8305); net.Dialer has the same.
const headStart = 300 * time.Millisecond

// direct connects without a proxy: to all addresses of a name in turn, of both families at once.
func (d *Dialer) direct(ctx context.Context, address, what string) (net.Conn, error) {
	t := hear(ctx, what)
	conn, err := d.fromSource(t.context(ctx), address)
	t.end(conn, err)
	return conn, err
}

// fromSource dials from the source address, or from those of the interface.
func (d *Dialer) fromSource(ctx context.Context, address string) (net.Conn, error) {
	if d.source == "" {
		return d.dial(ctx, d.network, nil, address)
	}
	if ip, err := netip.ParseAddr(d.source); err == nil {
		conn, err := d.dial(ctx, d.network, &net.TCPAddr{IP: ip.AsSlice(), Zone: ip.Zone()}, address)
		return conn, d.explain(err)
	}
	sources, err := interfaceAddresses(d.source, d.network)
	if err != nil {
		return nil, &Error{Leg: FromHere, Target: address, Msg: err.Error(), Hint: "check source_address: it names a network interface of the machine on which dsplay runs"}
	}
	return d.race(ctx, sources, address)
}

func (d *Dialer) dial(ctx context.Context, network string, from *net.TCPAddr, address string) (net.Conn, error) {
	n := net.Dialer{Resolver: d.resolver, FallbackDelay: headStart}
	if from != nil {
		n.LocalAddr = from
	}
	conn, err := n.DialContext(ctx, network, address)
	var dns *net.DNSError
	if family := map[string]string{"tcp4": "IPv4", "tcp6": "IPv6"}[network]; family != "" && errors.As(err, &dns) && dns.IsNotFound {
		return nil, &Error{Leg: FromHere, Target: address, Msg: "the name has no " + family + " address, or there is none", Err: err,
			Hint: "check the name; source_address and address_family say that only " + family + " is used"}
	}
	return conn, err
}

// explain finds the error that is about the source address: it is none of this machine, or not of the host's family.
func (d *Dialer) explain(err error) error {
	var op *net.OpError
	var family *net.AddrError
	switch {
	case errors.As(err, &family) && family.Err == "no suitable address found":
		return &Error{Leg: FromHere, Msg: "the host has no address of the family of the source address " + d.source, Err: err, Hint: "choose a source_address of the other family, or leave it out"}
	case errors.As(err, &op) && isNotHere(op.Err):
		return &Error{Leg: FromHere, Msg: d.source + " is no address of this machine", Err: err, Hint: "check source_address: ip addr shows the addresses of this machine"}
	}
	return err
}

// interfaceAddresses are the first address of each family that an interface has, IPv6 first. Link-local ones do not count:
// with them nothing beyond the next router is reached.
func interfaceAddresses(name, network string) ([]*net.TCPAddr, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("there is no network interface %q here", name)
	}
	list, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	found := map[string]*net.TCPAddr{}
	for _, a := range list {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		family := "tcp6"
		if prefix.Addr().Is4() {
			family = "tcp4"
		}
		if found[family] == nil && (network == "tcp" || network == family) {
			found[family] = &net.TCPAddr{IP: prefix.Addr().AsSlice()}
		}
	}
	var sources []*net.TCPAddr
	for _, family := range []string{"tcp6", "tcp4"} {
		if found[family] != nil {
			sources = append(sources, found[family])
		}
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("the network interface %s has no address to connect from", name)
	}
	return sources, nil
}

// race dials from each source, the next after a head start or a failure; the first connection wins.
func (d *Dialer) race(ctx context.Context, sources []*net.TCPAddr, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result, len(sources))
	timer := time.NewTimer(0)
	defer timer.Stop()
	var failed error
	for next, running := 0, 0; ; {
		select {
		case <-timer.C:
			if next == len(sources) {
				continue
			}
			from := sources[next]
			next, running = next+1, running+1
			go func() {
				conn, err := d.dial(ctx, "tcp", from, address)
				results <- result{conn, err}
			}()
			timer.Reset(headStart)
		case r := <-results:
			running--
			if r.err == nil {
				go func() {
					for range running {
						if late := <-results; late.conn != nil {
							_ = late.conn.Close()
						}
					}
				}()
				return r.conn, nil
			}
			failed = better(failed, d.explain(r.err))
			if next < len(sources) {
				timer.Reset(0)
			} else if running == 0 {
				return nil, failed
			}
		}
	}
}

// better is the error that says more: that a family does not fit says nothing when another one was tried.
func better(a, b error) error {
	var e *Error
	if a == nil || errors.As(a, &e) {
		return b
	}
	return a
}

// tracer turns what net.Dialer does into stages. nil: nobody listens.
type tracer struct {
	ctx  context.Context
	what string

	mu        sync.Mutex
	lookup    func(engine.Stage)
	connect   func(engine.Stage)
	addresses []string
	missed    []string // addresses that were tried in vain
}

func hear(ctx context.Context, what string) *tracer {
	if !engine.HearsStages(ctx) {
		return nil
	}
	return &tracer{ctx: ctx, what: what}
}

func (t *tracer) context(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{DNSStart: t.asks, DNSDone: t.answered, ConnectStart: t.begins, ConnectDone: t.ends})
}

func (t *tracer) asks(httptrace.DNSStartInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lookup = engine.BeginStage(t.ctx, engine.StageLookup)
}

func (t *tracer) answered(i httptrace.DNSDoneInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range i.Addrs {
		t.addresses = append(t.addresses, a.String())
	}
	if t.lookup != nil {
		t.lookup(engine.Stage{Detail: strings.Join(t.addresses, " ") + t.what, Err: i.Err})
		t.lookup = nil
	}
}

func (t *tracer) begins(string, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.connect == nil {
		t.connect = engine.BeginStage(t.ctx, engine.StageTCP)
	}
}

func (t *tracer) ends(_, address string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && !errors.Is(err, context.Canceled) {
		t.missed = append(t.missed, address)
	}
}

func (t *tracer) end(conn net.Conn, err error) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.connect == nil && err == nil, t.connect == nil && len(t.addresses) == 0 && isDNS(err):
		return // the lookup has told it
	case t.connect == nil:
		t.connect = engine.BeginStage(t.ctx, engine.StageTCP)
	}
	s := engine.Stage{Err: err}
	if conn != nil {
		s.Detail = conn.RemoteAddr().String() + t.what
		if len(t.missed) > 0 {
			s.Detail += ", after " + strings.Join(t.missed, " ") + " in vain"
		}
	}
	t.connect(s)
}

func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}
