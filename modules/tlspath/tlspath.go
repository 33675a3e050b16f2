// Package tlspath knows who is met at the end of a way through proxies and firewalls: the host that is meant, somebody who
// inspects TLS, or nobody.
package tlspath

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/tlslook"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// Module looks at the certificates that hosts show.
func Module() engine.Module {
	return engine.Module{
		Name: "tls_path",
		Doc: `Looks what certificate is seen for hosts, directly and through a proxy, and who signed it.
On localhost it looks from the machine on which dsplay runs; on a POSIX host that has openssl, from there (openssl s_client -showcerts). Only a TLS handshake is made, nothing is sent after it. It never fails because of what it sees: that is the result.
A path is genuine (a chain to a public authority, for this name, now); intercepted (signed by somebody else: a proxy that inspects TLS, or another server); expired; wrong_name; proxy_auth (407); forbidden (the proxy's rules); dns (no address, for this machine or for the proxy); refused; timeout; no_tls; proxy (the proxy is not reached, or is none); unknown (it could not be looked at).
A company often makes its machines trust the authority of its own proxy: give ca (public authorities only) or expected_issuer, or an interception is taken for genuine. Where a host is genuine directly and another authority signs behind the proxy, that is an interception whatever is trusted.
cause is that of the paths through the proxy where a proxy is given: machines without a way of their own (no DNS, no route) are the normal case there.`,
		New:     func() any { return &look{Direct: true, Timeout: "15s"} },
		Result:  Result{},
		Targets: []string{"posix", "windows"},
	}
}

type look struct {
	Hosts         []string      `hcl:"hosts" executed:"true" doc:"Hosts to look at: NAME, or NAME:PORT; the port is 443."`
	Direct        bool          `hcl:"direct,optional" doc:"Look on the direct way, too."`
	Proxy         string        `hcl:"proxy,optional" executed:"true" doc:"Proxy on the other way: http://[USER@]HOST:PORT, https://… or socks5://…; on another host than localhost only http:// without a user."`
	ProxyPassword engine.Secret `hcl:"proxy_password,optional" doc:"Password of the proxy's user."`
	CA            string        `hcl:"ca,optional" doc:"PEM file on this machine with the authorities that count as public, relative to the playbook; without it those that this machine trusts."`
	Expected      string        `hcl:"expected_issuer,optional" doc:"Regular expression that the names of the issuers in a chain must match somewhere; else it is intercepted."`
	Timeout       string        `hcl:"timeout_each,optional" doc:"How long one look may take."`

	dir string
}

// Path is what was seen of one host on one way.
type Path struct {
	Host    string   `hcl:"host" doc:"The host and its port."`
	Via     string   `hcl:"via" doc:"direct or proxy."`
	State   string   `hcl:"state" doc:"genuine, intercepted, expired, wrong_name, proxy_auth, forbidden, dns, refused, timeout, no_tls, proxy or unknown."`
	Message string   `hcl:"message" doc:"Why it is not genuine; empty otherwise."`
	Subject string   `hcl:"subject" doc:"Whose certificate it is; empty when none came, as the next ones."`
	Issuer  string   `hcl:"issuer" doc:"Who signed it."`
	Chain   []string `hcl:"chain" doc:"Who signed each certificate that was shown, in order."`
	Until   string   `hcl:"until" doc:"When it ends to be valid, RFC 3339."`
	SHA256  string   `hcl:"sha256" doc:"Its fingerprint."`
}

// Result is what was seen of all of them.
type Result struct {
	Cause       string `hcl:"cause" doc:"none when every path that counts is genuine, else the state of the worst."`
	Intercepted bool   `hcl:"intercepted" doc:"Whether TLS is inspected on a path that counts."`
	By          string `hcl:"by" doc:"Who signed there; empty otherwise."`
	Message     string `hcl:"message" doc:"The cause in words, with the hosts that it concerns; empty when there is none."`
	Paths       []Path `hcl:"paths" doc:"Every host on every way."`
}

// Beside makes ca relative to the playbook.
func (l *look) Beside(dir string) { l.dir = dir }

// Validate refuses what can never be looked at.
func (l *look) Validate() error {
	for _, h := range l.Hosts {
		if _, err := target(h); err != nil {
			return engine.BadArg{Arg: "hosts", Problem: err.Error()}
		}
	}
	if _, err := l.timeout(); err != nil {
		return err
	}
	if _, err := regexp.Compile(l.Expected); err != nil {
		return engine.BadArg{Arg: "expected_issuer", Problem: "is no regular expression: " + err.Error()}
	}
	if !l.Direct && l.Proxy == "" {
		return engine.BadArg{Arg: "direct", Problem: "= false needs a proxy: no way is left"}
	}
	_, err := dialer.New(l.proxied())
	return err
}

// proxied are the options of the way through the proxy. An empty password is none.
func (l *look) proxied() dialer.Options {
	o := dialer.Options{Proxy: l.Proxy}
	if l.ProxyPassword.Reveal() != "" {
		o.ProxyPassword = l.ProxyPassword
	}
	return o
}

func (l *look) timeout() (time.Duration, error) {
	d, err := time.ParseDuration(l.Timeout)
	if err != nil || d <= 0 {
		return 0, engine.BadArg{Arg: "timeout_each", Problem: `must be a duration such as "15s", not ` + strconv.Quote(l.Timeout)}
	}
	return d, nil
}

// target is host and port of what is written.
func target(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), "443"
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 || host == "" || strings.ContainsAny(host, "/@ \t\"'") || strings.HasPrefix(host, "-") {
		return "", fmt.Errorf("must hold NAME or NAME:PORT, not %q", text)
	}
	return net.JoinHostPort(host, port), nil
}

// Probe looks at every host on every way.
func (l *look) Probe(ctx context.Context, host engine.Reader) (any, error) {
	roots, err := l.roots()
	if err != nil {
		return nil, err
	}
	each, err := l.timeout()
	if err != nil {
		return nil, err
	}
	way := l.fromHere
	if host.Name() != engine.Localhost {
		way = l.fromThere(host)
	}
	var paths []Path
	var seen []tlslook.Seen
	for _, h := range l.Hosts {
		address, err := target(h)
		if err != nil {
			return nil, engine.BadArg{Arg: "hosts", Problem: err.Error()}
		}
		for _, via := range l.ways() {
			paths, seen = append(paths, Path{Host: address, Via: via}), append(seen, tlslook.Seen{})
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, p := range paths {
		group.Go(func() (err error) {
			ctx, cancel := context.WithTimeout(ctx, each)
			defer cancel()
			seen[i], err = way(ctx, p.Host, p.Via == "proxy", roots)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return l.result(paths, seen), nil
}

func (l *look) ways() (ways []string) {
	if l.Direct {
		ways = append(ways, "direct")
	}
	if l.Proxy != "" {
		ways = append(ways, "proxy")
	}
	return ways
}
