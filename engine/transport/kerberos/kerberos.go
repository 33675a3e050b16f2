// Package kerberos knows how a client proves itself with Kerberos 5: tickets from a KDC (RFC 4120), the proof that a
// service gets and the one that it gives back (RFC 4121, GSS-API), and messages that both seal.
//
// Formats and ciphers are gokrb5's. Its client is not used: it tries a wrong password twice, cannot be interrupted,
// leaves goroutines behind, and tells errors as text.
package kerberos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Login says who logs in and with what: one of Password, Keytab and CCache; with none of them the user's ticket
// cache is taken ($KRB5CCNAME, else /tmp/krb5cc_UID).
type Login struct {
	User     string // "name@REALM", "REALM\name", "name"; may be empty with a cache, or a keytab of one principal
	Realm    string // where the account is; empty: as User or krb5.conf says. With name@suffix, another realm than the suffix makes it a UPN
	Password engine.Secret
	Keytab   string   // file
	CCache   string   // file, "FILE:" allowed
	KDC      []string // host or host:port of the realm's KDCs; empty: krb5.conf, else DNS (_kerberos._tcp.REALM)
	Config   string   // krb5.conf; empty: $KRB5_CONFIG, else /etc/krb5.conf, which may be absent
}

// Failure is why there is no ticket, or no proof: what a person should read, and whether trying again makes sense.
type Failure struct {
	Kind engine.ErrorKind // KindAuth: the KDC refuses; KindDNS, KindRefused, KindTimeout: no KDC answers; KindModule: the settings
	Msg  string
	Hint string
	Err  error // may be nil
	code int32 // of RFC 4120, 7.5.9; 0: not said by a KDC
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Msg
	}
	return f.Msg + ": " + f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

// Tickets are those of a run: one ticket-granting ticket per login, one ticket per service. They are asked for when
// needed, by one caller at a time, and anew when they run out. A login that the KDC refused is not tried again.
// The zero value is ready; it is safe for use by several goroutines.
type Tickets struct {
	now func() time.Time // nil: time.Now

	mu     sync.Mutex
	logins map[string]*identity
}

// ticket is a ticket with what belongs to it.
type ticket struct {
	messages.Ticket
	key         types.EncryptionKey
	client      types.PrincipalName
	clientRealm string
	start, end  time.Time
	renewTill   time.Time // zero: it cannot be renewed
}

// identity is one login and its tickets.
type identity struct {
	login    Login
	config   *config.Config
	source   credential
	now      func() time.Time
	tickets  memo
	asking   chan struct{} // full: enough requests are on their way
	mu       sync.Mutex
	answered map[string]string // realm → address of the KDC that answered last
}

// Service gives the proof for the first of the service names ("HTTP/host.example") that the KDC knows. A name may end
// in "@REALM". Errors are *Failure, or what ctx says.
func (t *Tickets) Service(ctx context.Context, l Login, names ...string) (*Service, error) {
	id, err := t.identity(l)
	if err != nil {
		return nil, err
	}
	var first error
	for _, name := range names {
		tkt, err := id.tickets.get(ctx, "service "+name, id.now, func(ctx context.Context) (*ticket, error) { return id.forService(ctx, name) })
		var f *Failure
		switch {
		case err == nil:
			return &Service{Name: name, ticket: tkt, now: id.now}, nil
		case !errors.As(err, &f) || f.code != unknownService:
			return nil, err
		case first == nil:
			first = err
		}
	}
	return nil, unknownNames(names, first)
}

// identity finds what was read of a login, or reads it.
func (t *Tickets) identity(l Login) (*identity, error) {
	now := t.now
	if now == nil {
		now = time.Now
	}
	key := l.key()
	t.mu.Lock()
	defer t.mu.Unlock()
	if id := t.logins[key]; id != nil {
		return id, nil
	}
	id := &identity{login: l, now: now, answered: map[string]string{}, asking: make(chan struct{}, askers)}
	var err error
	if id.config, err = readConfig(l.Config); err != nil {
		return nil, err
	}
	if id.source, err = newCredential(l, id.config); err != nil {
		return nil, err
	}
	if t.logins == nil {
		t.logins = map[string]*identity{}
	}
	t.logins[key] = id
	return id, nil
}

// key tells logins apart without keeping a password as a key.
func (l Login) key() string {
	sum := sha256.Sum256([]byte(l.Password.Reveal()))
	return strings.Join([]string{l.User, l.Realm, hex.EncodeToString(sum[:]), l.Keytab, l.CCache, strings.Join(l.KDC, ","), l.Config}, "\x00")
}

// HostNames are the names under which a Windows host is known to its domain, for one that is reached under one of
// these addresses. An IP address is no name: Windows registers none for it. Nothing is looked up in DNS, where an
// answer could be forged.
//
// HTTP/host is what Windows' own client asks for; no host registers it, the KDC takes HOST/host for it (attribute
// sPNMappings). A domain in which an account of IIS has taken HTTP/host needs WSMAN/host, which the WinRM service
// registers itself.
func HostNames(addresses ...string) ([]string, error) {
	for _, a := range addresses {
		a = strings.TrimSuffix(a, ".")
		if a != "" && net.ParseIP(a) == nil {
			return []string{"HTTP/" + a, "WSMAN/" + a}, nil
		}
	}
	return nil, &Failure{Kind: engine.KindModule, Msg: fmt.Sprintf("Kerberos needs the host's name, and %q is an address", addresses[0]),
		Hint: `set spn = "HTTP/name.of.the.host", or give the host its name as address`}
}
