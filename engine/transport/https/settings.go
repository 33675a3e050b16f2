package https

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/certs"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// Settings are the arguments of a connection "https" block.
type Settings struct {
	Kind     string        `hcl:"kind,optional" oneof:"vsphere dsm nsx nsxt" doc:"What answers there: vsphere (vCenter or ESXi), dsm (Deep Security Manager), nsx (NSX-V manager) or nsxt (NSX-T, NSX 4)."`
	Port     int           `hcl:"port,optional" doc:"TCP port; 443, for a dsm 4119."`
	User     string        `hcl:"user,optional" doc:"User name of the API."`
	Password engine.Secret `hcl:"password,optional" doc:"Password of the user."`
	APIKey   engine.Secret `hcl:"api_key,optional" doc:"API key (DSM 12 and later), preferred to user and password."`
	Tenant   string        `hcl:"tenant,optional" doc:"Tenant of the user, where the DSM has several."`

	CA          string `hcl:"ca,optional" doc:"PEM file of the authorities that are trusted instead of the system's."`
	Fingerprint string `hcl:"fingerprint,optional" doc:"SHA-256 (or SHA-1) of the server's certificate in hex, colons allowed. It is then trusted whatever its issuer, name and dates; every other one is refused."`
	Insecure    bool   `hcl:"insecure_no_tls_verification,optional" weakens:"true" doc:"Accept any certificate. Whoever sits between can then read the password and forge every answer: a weakening."`
	LegacyTLS   bool   `hcl:"legacy_tls,optional" weakens:"true" doc:"Also speak TLS 1.0 and 1.1 and RSA key exchange, for systems of before 2016: a weakening."`

	Proxy         string        `hcl:"proxy,optional" doc:"Proxy on the way to the host: socks5://USER@HOST:PORT, http://… or https://…; the proxy resolves the name. \"environment\" takes HTTPS_PROXY or ALL_PROXY, and NO_PROXY; without it they are ignored."`
	ProxyPassword engine.Secret `hcl:"proxy_password,optional" doc:"Password of the proxy's user."`
	SourceAddress string        `hcl:"source_address,optional" doc:"IP address of this machine, or name of one of its network interfaces, from which to connect."`
	AddressFamily string        `hcl:"address_family,optional" oneof:"any ipv4 ipv6" doc:"Which addresses of a name to use; any."`

	ConnectTimeout string `hcl:"connect_timeout,optional" doc:"How long name lookup, dial and TLS handshake may take together."`
	RequestTimeout string `hcl:"request_timeout,optional" doc:"How long one request may take, its answer included."`
}

// Validate refuses settings that can never work, with a BadArg.
func (s *Settings) Validate() error {
	_, err := s.parse()
	return err
}

// parsed is Settings in the types of their use.
type parsed struct {
	port             int
	pin              []byte // of the certificate; nil: none
	connect, request time.Duration
	dialer           *dialer.Dialer
}

func (s *Settings) parse() (p parsed, err error) {
	if p.connect, err = engine.DurationArg("connect_timeout", s.ConnectTimeout); err != nil {
		return p, err
	}
	if p.request, err = engine.DurationArg("request_timeout", s.RequestTimeout); err != nil {
		return p, err
	}
	if p.dialer, err = dialer.New(dialer.Options{Proxy: s.Proxy, ProxyPassword: s.ProxyPassword, SourceAddress: s.SourceAddress, AddressFamily: s.AddressFamily}); err != nil {
		return p, err
	}
	if p.port, err = s.port(); err != nil {
		return p, err
	}
	if s.Fingerprint != "" {
		if p.pin, err = pin(s.Fingerprint); err != nil {
			return p, err
		}
	}
	switch {
	case p.pin != nil && s.CA != "":
		return p, engine.BadArg{Arg: "fingerprint", Problem: "and ca exclude each other: the fingerprint alone decides"}
	case s.Insecure && (p.pin != nil || s.CA != ""):
		return p, engine.BadArg{Arg: "insecure_no_tls_verification", Problem: "contradicts ca and fingerprint; remove one of them"}
	}
	return p, nil
}

// Via names the proxy on the way to address; "": there is none.
func (s *Settings) Via(address string) string {
	p, err := s.parse()
	if err != nil {
		return ""
	}
	return p.dialer.Via(net.JoinHostPort(address, strconv.Itoa(p.port)))
}

func (s *Settings) port() (int, error) {
	switch {
	case s.Port < 0 || s.Port > 65535:
		return 0, engine.BadArg{Arg: "port", Problem: "must be from 1 to 65535, not " + strconv.Itoa(s.Port)}
	case s.Port != 0:
		return s.Port, nil
	case s.Kind == "dsm":
		return 4119, nil
	}
	return 443, nil
}

// pin reads a fingerprint as openssl, browsers and vCenter print it: "SHA256:AB:CD…", "ab:cd:…" or "abcd…".
func pin(text string) ([]byte, error) {
	sum, err := certs.Pin(text)
	if err != nil || len(sum) != 32 && len(sum) != 20 {
		return nil, engine.BadArg{Arg: "fingerprint", Problem: "must be 64 (SHA-256) or 40 (SHA-1) hex digits; " +
			"openssl x509 -noout -fingerprint -sha256 prints it"}
	}
	return sum, nil
}

// legacy adds what Go no longer offers by itself. RC4 stays out.
func legacy(c *tls.Config) {
	c.MinVersion = tls.VersionTLS10
	for _, suite := range tls.CipherSuites() {
		c.CipherSuites = append(c.CipherSuites, suite.ID)
	}
	for _, suite := range tls.InsecureCipherSuites() {
		if !strings.Contains(suite.Name, "RC4") {
			c.CipherSuites = append(c.CipherSuites, suite.ID)
		}
	}
}
