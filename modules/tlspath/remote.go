package tlspath

import (
	"context"
	"crypto/x509"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/tlslook"
)

// fromThere looks from a host with openssl. What it shows is judged here.
func (l *look) fromThere(host engine.Reader) func(context.Context, string, bool, *x509.CertPool) (tlslook.Seen, error) {
	return func(ctx context.Context, address string, proxied bool, roots *x509.CertPool) (tlslook.Seen, error) {
		name, _, err := net.SplitHostPort(address)
		if err != nil {
			return tlslook.Seen{State: tlslook.Unknown, Message: err.Error()}, nil
		}
		argv := []string{"openssl", "s_client", "-connect", address, "-showcerts"}
		if net.ParseIP(name) == nil {
			argv = append(argv, "-servername", name) // RFC 6066 has no addresses in it
		}
		if proxied {
			u, err := url.Parse(l.Proxy)
			if err != nil || u.Scheme != "http" || u.User != nil || u.Port() == "" {
				return tlslook.Seen{State: tlslook.Unknown, Message: "openssl s_client goes only through http://HOST:PORT here, without a user: a password would stand in the host's list of processes"}, nil
			}
			argv = append(argv, "-proxy", u.Host)
		}
		out, err := host.Run(ctx, engine.Command{Argv: argv, AnyOK: true})
		switch {
		case engine.KindOf(err) == engine.KindTimeout && ctx.Err() != nil:
			return tlslook.Seen{State: tlslook.Timeout, Message: address + " does not answer in time"}, nil
		case err != nil:
			return tlslook.Seen{}, err
		}
		if chain := tlslook.Parse([]byte(out.Stdout)); len(chain) > 0 {
			return tlslook.Judge(chain, roots, name, time.Now()), nil
		}
		return said(out), nil
	}
}

// connectFailed is how OpenSSL 1.1.1 and 3 say that a proxy refuses.
var connectFailed = regexp.MustCompile(`(?i)connect failed(?:,? reason=|:)? *(\d{3})`)

var statuses = map[string]tlslook.State{"407": tlslook.ProxyAuth, "403": tlslook.Forbidden, "451": tlslook.Forbidden, "502": tlslook.Refused,
	"503": tlslook.Refused, "504": tlslook.Timeout}

// said reads what openssl says where it got no certificate: texts of OpenSSL 1.1.1 and 3 and of the C library.
func said(out engine.Output) tlslook.Seen {
	text := out.Stderr + out.Stdout
	if m := connectFailed.FindStringSubmatch(text); m != nil {
		state, known := statuses[m[1]]
		if !known {
			state = tlslook.Proxy
		}
		return tlslook.Seen{State: state, Message: line(text, strings.ToLower(m[0]))}
	}
	lower := strings.ToLower(text)
	for _, t := range []struct {
		state tlslook.State
		words []string
	}{
		{tlslook.Refused, []string{"connection refused", "no route to host", "network is unreachable"}},
		{tlslook.Timeout, []string{"timed out"}},
		{tlslook.DNS, []string{"name or service not known", "nodename nor servname", "no address associated", "temporary failure in name resolution", "bio_lookup_ex", "getaddrinfo"}},
		{tlslook.NoTLS, []string{"wrong version number", "unknown protocol", "packet length too long", "no peer certificate available"}},
	} {
		for _, w := range t.words {
			if strings.Contains(lower, w) {
				return tlslook.Seen{State: t.state, Message: line(text, w)}
			}
		}
	}
	if out.Code == 127 || strings.Contains(lower, "not found") {
		return tlslook.Seen{State: tlslook.Unknown, Message: "the host has no openssl"}
	}
	return tlslook.Seen{State: tlslook.Unknown, Message: "openssl says nothing that is understood: " + firstLine(text)}
}

// line is the line that holds the words.
func line(text, words string) string {
	for l := range strings.Lines(text) {
		if strings.Contains(strings.ToLower(l), words) {
			return strings.TrimSpace(l)
		}
	}
	return words
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}
