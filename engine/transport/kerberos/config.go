package kerberos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/config"
)

// readConfig reads a krb5.conf. Of it these count: default_realm, ticket_lifetime, [realms] kdc and [domain_realm];
// include lines are not followed. The one that nobody named may be absent.
func readConfig(file string) (*config.Config, error) {
	named := file != ""
	for _, where := range []string{os.Getenv("KRB5_CONFIG"), "/etc/krb5.conf"} {
		if file == "" {
			file, _, _ = strings.Cut(where, ":")
		}
	}
	c, err := config.Load(file)
	var unsupported config.UnsupportedDirective
	switch {
	case err == nil, errors.As(err, &unsupported):
		return c, nil
	case !named && notThere(err):
		return config.New(), nil
	}
	return nil, &Failure{Kind: engine.KindModule, Msg: "krb5_conf " + file + " cannot be used", Err: err, Hint: "settings realm and kdc do without it, if krb5_conf names an empty file"}
}

// notThere tells whether a file is absent; gokrb5 wraps the error as text.
func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "no such file") || strings.Contains(err.Error(), "cannot find the")
}

// kdcs gives the addresses of a realm's KDCs, best first; the one that answered last leads.
func (id *identity) kdcs(ctx context.Context, realm string) ([]string, error) {
	var hosts []string
	if realm == id.source.realm() {
		hosts = slices.Clone(id.login.KDC)
	}
	if len(hosts) == 0 {
		for _, r := range id.config.Realms {
			if strings.EqualFold(r.Realm, realm) {
				hosts = append(hosts, r.KDC...)
			}
		}
	}
	var addresses []string
	for _, h := range hosts {
		if a, ok := kdcAddress(h); ok {
			addresses = append(addresses, a)
		}
	}
	if len(addresses) == 0 {
		var err error
		if addresses, err = fromDNS(ctx, realm); err != nil {
			return nil, err
		}
	}
	id.mu.Lock()
	last := id.answered[realm]
	id.mu.Unlock()
	slices.SortStableFunc(addresses, func(a, b string) int {
		return cmp.Compare(btoi(a != last), btoi(b != last))
	})
	return addresses, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// kdcAddress reads "host", "host:port", and the "tcp/host" and "udp/host" of krb5.conf. A KDC proxy (https) is not spoken to.
func kdcAddress(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "://") || text == "" {
		return "", false
	}
	for _, p := range []string{"tcp/", "udp/"} {
		text = strings.TrimPrefix(text, p)
	}
	if _, _, err := net.SplitHostPort(text); err == nil {
		return text, true
	}
	return net.JoinHostPort(strings.Trim(text, "[]"), "88"), true
}

func fromDNS(ctx context.Context, realm string) ([]string, error) {
	_, found, err := net.DefaultResolver.LookupSRV(ctx, "kerberos", "tcp", realm)
	var addresses []string
	for _, f := range found {
		addresses = append(addresses, net.JoinHostPort(strings.TrimSuffix(f.Target, "."), fmt.Sprint(f.Port)))
	}
	if len(addresses) == 0 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Failure{Kind: engine.KindDNS, Msg: "no KDC of realm " + realm + " is known", Err: err,
			Hint: `set kdc = ["dc1.example"], or [realms] in krb5.conf; DNS has no _kerberos._tcp.` + realm + ". Is the realm right?"}
	}
	return addresses, nil
}
