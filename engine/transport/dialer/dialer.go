// Package dialer knows how a TCP connection to a host is made: names with several addresses, a chosen source address or
// family, and the way through a SOCKS5 or HTTP CONNECT proxy.
//
// No proxy is used that the settings do not name: management networks are not reached through the proxy of an office,
// which would see every password. HTTP_PROXY and its relatives count only where proxy = "environment" asks for them.
package dialer

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"github.com/dsplay/dsplay/engine"
)

// Options are the settings of a connection block that say how its TCP connection is made. The zero value dials directly.
type Options struct {
	Proxy         string        // socks5://[USER@]HOST[:PORT], http://…, https://… or "environment"; "": none
	ProxyPassword engine.Secret // for the user of Proxy
	SourceAddress string        // an IP address of this machine, or the name of one of its interfaces; "": as the system chooses
	AddressFamily string        // "ipv4", "ipv6", or "any" and "": both
}

// Dialer makes connections as its options say. It is safe for use by several goroutines.
type Dialer struct {
	network  string // tcp, tcp4, tcp6
	source   string
	route    func(address string) (*proxy, error) // nil proxy: directly
	resolver *net.Resolver                        // nil: the system's
}

// New judges the options; its error is an engine.BadArg. Nothing is looked up or contacted.
func New(o Options) (*Dialer, error) {
	d := &Dialer{source: o.SourceAddress}
	var err error
	if d.network, err = network(o); err != nil {
		return nil, err
	}
	switch {
	case o.Proxy == "" && !o.ProxyPassword.IsZero():
		return nil, engine.BadArg{Arg: "proxy_password", Problem: "is for a proxy, and none is given"}
	case o.Proxy == "":
		d.route = func(string) (*proxy, error) { return nil, nil }
	case o.Proxy == environment && !o.ProxyPassword.IsZero():
		return nil, engine.BadArg{Arg: "proxy_password", Problem: `does not go with proxy = "environment", whose variables hold user and password`}
	case o.Proxy == environment:
		d.route = fromEnvironment
	default:
		p, err := parseProxy(o.Proxy, o.ProxyPassword)
		if err != nil {
			return nil, err
		}
		d.route = func(string) (*proxy, error) { return p, nil }
	}
	return d, nil
}

// network is the one of package net for the family, which must be that of the source address.
func network(o Options) (string, error) {
	name, ok := map[string]string{"": "tcp", "any": "tcp", "ipv4": "tcp4", "ipv6": "tcp6"}[o.AddressFamily]
	if !ok {
		return "", engine.BadArg{Arg: "address_family", Problem: "must be any, ipv4 or ipv6"}
	}
	ip, err := netip.ParseAddr(o.SourceAddress)
	switch {
	case o.SourceAddress == "":
	case err != nil && (strings.ContainsAny(o.SourceAddress, "/: ") || len(o.SourceAddress) > 64):
		return "", engine.BadArg{Arg: "source_address", Problem: "must be an IP address of this machine, or the name of one of its network interfaces"}
	case err == nil && (ip.Is4() && name == "tcp6" || !ip.Is4() && name == "tcp4"):
		return "", engine.BadArg{Arg: "source_address", Problem: "is not of the address_family " + o.AddressFamily}
	case err == nil && ip.Is4():
		return "tcp4", nil
	case err == nil:
		return "tcp6", nil
	}
	return name, nil
}

// Dial connects to address, a host and a port. It ends with ctx, which is its only limit: give ctx a deadline.
// Where the proxy or what lies behind it is to blame, the error wraps an *Error; else it is that of net.Dialer.
// Its stages lookup, tcp and proxy are told to who listens.
func (d *Dialer) Dial(ctx context.Context, address string) (net.Conn, error) {
	if strings.ContainsFunc(address, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		// Some come from what guests say of themselves; a proxy would take a line end for that of our request.
		return nil, &Error{kind: engine.KindDNS, Leg: FromHere, Target: strconv.Quote(address), Msg: "there is a blank or a control character in it", Hint: "correct the address in the inventory, or its source"}
	}
	p, err := d.route(address)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return d.direct(ctx, address, "")
	}
	conn, err := d.direct(ctx, p.address, " (the proxy)")
	if err != nil {
		return nil, &Error{Leg: ToProxy, Proxy: p.String(), Target: address, Err: err}
	}
	end := engine.BeginStage(ctx, engine.StageProxy)
	through, err := p.tunnel(ctx, conn, address)
	if err != nil {
		_ = conn.Close() // err says what happened
		end(engine.Stage{Err: err})
		return nil, err
	}
	end(engine.Stage{Detail: p.String() + " → " + address})
	return through, nil
}

// Via names the proxy on the way to address, without its password: "socks5 proxy ops@198.51.100.9:1080"; "": none.
func (d *Dialer) Via(address string) string {
	p, err := d.route(address)
	switch {
	case err != nil:
		return "a proxy of the environment that cannot be used"
	case p == nil:
		return ""
	}
	return p.String()
}
