// Package winrm knows how a Windows host runs command lines over WS-Management: the remote shell (MS-WSMV), logging in by
// NTLM, Kerberos, client certificate and Basic, message encryption, and which failure left something running.
//
// Its requests are those of masterzen/winrm; the wire, the loop of a command and the reading of answers are its own,
// because the library's transports fall back to clear text and send a password as Basic to whoever asks for it, its loop
// goes on for ever after a fault and cannot be interrupted, and its parsers panic on an empty answer and lose exit codes.
package winrm

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
	"github.com/dsplay/dsplay/engine/transport/accounts"
	tcp "github.com/dsplay/dsplay/engine/transport/dialer"
	"github.com/dsplay/dsplay/engine/transport/kerberos"
)

// Transport is the transport "winrm" of one run. Its connections share Kerberos tickets (one ticket-granting ticket per
// account, whatever the number of hosts), and a password that a host has refused is not sent there again.
type Transport struct {
	tickets  kerberos.Tickets
	refusals refusals
	accounts accounts.Accounts
}

// New makes a transport.
func New() *Transport { return &Transport{} }

var (
	_ engine.Transport = (*Transport)(nil)
	_ engine.Shell     = (*conn)(nil)
	_ engine.Encoded   = (*conn)(nil)
)

// Settings are the arguments of a connection "winrm" block.
type Settings struct {
	User     string        `hcl:"user,optional" doc:"Account: DOMAIN\\name, name@domain, or the name of a local account. It has to be an administrator or in Remote Management Users. Not for certificate, where the host knows; a ticket cache knows by itself."`
	Password engine.Secret `hcl:"password,optional" doc:"Password of the account. It is tried once, so that a wrong one does not lock the account."`
	Auth     string        `hcl:"auth,optional" oneof:"ntlm kerberos certificate basic" doc:"How to log in: ntlm never shows the password, and over http it encrypts every message; kerberos does so, too, and has the host prove who it is; certificate and basic need https, basic sends the password."`
	HTTPS    bool          `hcl:"https,optional" doc:"Speak TLS. Without it only ntlm and kerberos are allowed, which encrypt by themselves."`
	Port     int           `hcl:"port,optional" doc:"TCP port; 5986, without https 5985."`

	CA          string `hcl:"ca,optional" doc:"PEM file of the authorities that are trusted instead of the system's."`
	Fingerprint string `hcl:"fingerprint,optional" doc:"SHA-256 of the host's certificate in hex, colons allowed. It is then trusted whatever its issuer, name and dates; every other one is refused."`

	Realm    string   `hcl:"realm,optional" doc:"Kerberos realm of the account: the DNS name of its domain in capitals. By default what follows the @ in user, else default_realm of krb5.conf."`
	Keytab   string   `hcl:"keytab,optional" doc:"File with the account's Kerberos keys, instead of a password."`
	CCache   string   `hcl:"ccache,optional" doc:"File with Kerberos tickets that kinit got, instead of a password; with neither password nor keytab $KRB5CCNAME, else /tmp/krb5cc_UID."`
	KDC      []string `hcl:"kdc,optional" doc:"KDCs (domain controllers) of the realm, host or host:port; by default those of krb5.conf, else of DNS. They are spoken to over TCP."`
	Krb5Conf string   `hcl:"krb5_conf,optional" doc:"File with Kerberos' configuration; $KRB5_CONFIG, else /etc/krb5.conf, which may be absent."`
	SPN      string   `hcl:"spn,optional" doc:"Kerberos name of the host: HTTP/ and its name, else WSMAN/ and its name. Names are never looked up in DNS."`

	Cert       string        `hcl:"cert,optional" doc:"File with the client certificate, PEM; or .pfx or .p12, which hold the key, too."`
	Key        string        `hcl:"key,optional" doc:"PEM file with the client certificate's key."`
	Passphrase engine.Secret `hcl:"passphrase,optional" doc:"Passphrase of key, or of a .pfx or .p12."`

	AllowPlaintext bool `hcl:"allow_plaintext,optional" weakens:"true" doc:"Allow basic without https: everybody on the way reads the password and every command: a weakening."`

	Proxy         string        `hcl:"proxy,optional" doc:"Proxy on the way to the host: socks5://USER@HOST:PORT, http://… or https://…; the proxy resolves the name. \"environment\" takes HTTPS_PROXY or ALL_PROXY, and NO_PROXY; without it they are ignored."`
	ProxyPassword engine.Secret `hcl:"proxy_password,optional" doc:"Password of the proxy's user."`
	SourceAddress string        `hcl:"source_address,optional" doc:"IP address of this machine, or name of one of its network interfaces, from which to connect."`
	AddressFamily string        `hcl:"address_family,optional" oneof:"any ipv4 ipv6" doc:"Which addresses of a name to use; any."`

	ConnectTimeout   string `hcl:"connect_timeout,optional" doc:"How long name lookup, dial, TLS handshake and login may take together."`
	OperationTimeout string `hcl:"operation_timeout,optional" doc:"How long the host may wait for news before it answers that there are none. A host that is silent for half as long again (at most 10s more) counts as lost."`

	Encoding string `hcl:"encoding,optional" doc:"Code page of the host's programs: utf-8, or what they write in spite of being asked for UTF-8: cp932, cp1252, cp850, cp437 and their like. It is that of the remote shell, of output and of standard input."`
}

// Settings returns *Settings: https and ntlm, 10 s to connect, 20 s for an operation.
func (*Transport) Settings() any {
	return &Settings{Auth: "ntlm", HTTPS: true, ConnectTimeout: "10s", OperationTimeout: "20s", Encoding: "utf-8"}
}

// Validate refuses settings that can never work, with a BadArg.
func (s *Settings) Validate() error {
	_, err := s.parse()
	return err
}

// parsed is Settings in the types of their use.
type parsed struct {
	port               int
	pin                []byte // SHA-256 of the certificate; nil: none
	connect, operation time.Duration
	page               codepage.Page
	dialer             *tcp.Dialer
}

func (s *Settings) parse() (p parsed, err error) {
	if p.connect, err = engine.DurationArg("connect_timeout", s.ConnectTimeout); err != nil {
		return p, err
	}
	if p.operation, err = engine.DurationArg("operation_timeout", s.OperationTimeout); err != nil {
		return p, err
	}
	if p.page, err = codepage.Find(s.Encoding); err != nil {
		return p, engine.BadArg{Arg: "encoding", Problem: "is wrong: " + err.Error()}
	}
	if p.dialer, err = tcp.New(tcp.Options{Proxy: s.Proxy, ProxyPassword: s.ProxyPassword, SourceAddress: s.SourceAddress, AddressFamily: s.AddressFamily}); err != nil {
		return p, err
	}
	if s.Fingerprint != "" {
		if p.pin, err = pin(s.Fingerprint); err != nil {
			return p, err
		}
	}
	p.port = s.Port
	switch {
	case s.Port < 0 || s.Port > 65535:
		return p, engine.BadArg{Arg: "port", Problem: "must be from 1 to 65535, not " + strconv.Itoa(s.Port)}
	case s.Port == 0 && s.HTTPS:
		p.port = 5986
	case s.Port == 0:
		p.port = 5985
	}
	return p, s.contradiction()
}

func (s *Settings) contradiction() error {
	switch {
	case !s.HTTPS && (s.Auth == "basic" && !s.AllowPlaintext):
		return engine.BadArg{Arg: "auth", Problem: `basic sends the password, so it needs https = true; use "ntlm" or "kerberos", which encrypt by themselves`}
	case !s.HTTPS && s.Auth == "certificate":
		return engine.BadArg{Arg: "https", Problem: "is false, so there is no TLS in which a client certificate could be shown"}
	case s.Fingerprint != "" && s.CA != "":
		return engine.BadArg{Arg: "fingerprint", Problem: "and ca exclude each other: the fingerprint alone decides"}
	case !s.HTTPS && (s.Fingerprint != "" || s.CA != ""):
		return engine.BadArg{Arg: "https", Problem: "is false, so there is no certificate that ca or fingerprint could verify"}
	}
	return s.credentials()
}

// credentials refuses what a way of logging in lacks, or would not look at.
func (s *Settings) credentials() error {
	switch s.Auth {
	case "ntlm", "basic":
		if s.User == "" {
			return engine.BadArg{Arg: "user", Problem: "is missing"}
		}
		if s.Password.IsZero() {
			return engine.BadArg{Arg: "password", Problem: "is missing"}
		}
	case "kerberos":
		if given := count(!s.Password.IsZero(), s.Keytab != "", s.CCache != ""); given > 1 {
			return engine.BadArg{Arg: "auth", Problem: "kerberos takes one of password, keytab and ccache, not several"}
		}
		if s.User == "" && !s.Password.IsZero() {
			return engine.BadArg{Arg: "user", Problem: "is missing"}
		}
	case "certificate":
		return s.certificate()
	default:
		return engine.BadArg{Arg: "auth", Problem: `must be "ntlm", "kerberos", "certificate" or "basic", not ` + strconv.Quote(s.Auth)}
	}
	return s.unused()
}

func (s *Settings) certificate() error {
	ext := strings.ToLower(filepath.Ext(s.Cert))
	switch {
	case s.Cert == "":
		return engine.BadArg{Arg: "cert", Problem: `is missing: auth = "certificate" logs in by it`}
	case s.Key == "" && ext != ".p12" && ext != ".pfx":
		return engine.BadArg{Arg: "key", Problem: "is missing (only a .pfx or .p12 holds the key, too)"}
	case s.User != "":
		return engine.BadArg{Arg: "user", Problem: `is not looked at by auth = "certificate": the host knows whose certificate it is`}
	case !s.Password.IsZero():
		return engine.BadArg{Arg: "password", Problem: `is not looked at by auth = "certificate"`}
	}
	return s.unused()
}

// unused refuses settings of another way of logging in: who wrote them believes that they do something.
func (s *Settings) unused() error {
	kerberos, certificate := s.Auth == "kerberos", s.Auth == "certificate"
	for _, a := range []struct {
		name     string
		given    bool
		lookedAt bool
	}{
		{"keytab", s.Keytab != "", kerberos}, {"ccache", s.CCache != "", kerberos}, {"realm", s.Realm != "", kerberos}, {"kdc", len(s.KDC) > 0, kerberos},
		{"krb5_conf", s.Krb5Conf != "", kerberos}, {"spn", s.SPN != "", kerberos},
		{"cert", s.Cert != "", certificate}, {"key", s.Key != "", certificate}, {"passphrase", !s.Passphrase.IsZero(), certificate},
	} {
		if a.given && !a.lookedAt {
			return engine.BadArg{Arg: a.name, Problem: "is not looked at by auth = " + strconv.Quote(s.Auth)}
		}
	}
	return nil
}

// Via names the proxy on the way to address; "": there is none.
func (s *Settings) Via(address string) string {
	p, err := s.parse()
	if err != nil {
		return ""
	}
	return p.dialer.Via(net.JoinHostPort(address, strconv.Itoa(p.port)))
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// Open logs in and creates the remote shell, so that what is wrong with name, network, certificate, account or
// rights is said here. The shell is reused for every command and deleted by Close.
func (t *Transport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	s, ok := h.Connection.Settings.(*Settings)
	if !ok {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: "connect", Msg: "the connection is not of type winrm", Unreachable: true}
	}
	p, err := s.parse()
	if err != nil {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: `read the settings of connection "winrm"`, Err: err, Unreachable: true}
	}
	address := h.Address
	if address == "" {
		address = h.Name
	}
	d, err := t.newDialer(s, p, h.Name, address)
	if err != nil {
		return nil, err
	}
	if err := t.refusals.before(d); err != nil {
		return nil, err
	}
	c := newConn(ctx, d, p.operation)
	c.page = p.page
	if err := c.open(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
