package update

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// limit is how long a relay waits for an answer, in real time.
const limit = 5 * time.Second

// Old says what is wrong with the build of a relay.
type Old string

// The builds.
const (
	Current   Old = ""
	Expired   Old = "expired"   // it knows only the signing certificate that ended in 2025 (KA-0016311)
	Unrenewed Old = "unrenewed" // it goes on using the signature that it fetched first (KA-0012761, as far as that is known)
)

// Relay fetches packages for the computers of a manager. It is safe for use by several goroutines.
type Relay struct {
	public, code *x509.CertPool

	mu             sync.Mutex
	proxy          string // host:port
	user, password string
	old            Old
	kept           signed // the first signature, for Unrenewed
	version        string // that it has; "": none
}

// NewRelay makes a relay of a current build that trusts what the server is signed by, and reaches it through a proxy.
func NewRelay(s *Server, proxy string) *Relay {
	return &Relay{public: s.Public.Pool(), code: s.code.Pool(), proxy: proxy}
}

// Login are the relay's credentials for the proxy, as the manager's settings hold them; "" for none.
func (r *Relay) Login(user, password string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user, r.password = user, password
}

// Age makes the relay one of an old build, and Current replaces it by a new one.
func (r *Relay) Age(o Old) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old = o
}

// Build is the version that it shows.
func (r *Relay) Build() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.old != Current {
		return "11.0.0.662"
	}
	return "20.0.0.8438"
}

// Version is that of the patterns it has; "": none.
func (r *Relay) Version() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

// Fetch gets the patterns from a source and verifies them. A source that ends in // is fetched without verification of TLS:
// that is what a blog says of it, and no document of the vendor does; the signature of the package is verified in any case.
// The error is what an event would say; which words a real relay uses is known only for the code -24.
func (r *Relay) Fetch(ctx context.Context, source string) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	proxy := r.way()
	b, err := r.get(ctx, proxy, source)
	if err != nil {
		return "", fmt.Errorf("download from %s failed: %w", source, reason(err, proxy.Host))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.verify(b); err != nil {
		return "", err
	}
	r.version = b.Version
	return b.Version, nil
}

// way is the proxy, with the login for it.
func (r *Relay) way() *url.URL {
	r.mu.Lock()
	defer r.mu.Unlock()
	proxy := &url.URL{Scheme: "http", Host: r.proxy}
	if r.user != "" {
		proxy.User = url.UserPassword(r.user, r.password)
	}
	return proxy
}

func (r *Relay) get(ctx context.Context, proxy *url.URL, source string) (b bundle, err error) {
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: r.public, MinVersion: tls.VersionTLS12, InsecureSkipVerify: strings.HasSuffix(source, "//")}} //nolint:gosec // the very thing that is simulated
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(source, "/")+"/patterns", nil)
	if err != nil {
		return b, err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return b, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return b, fmt.Errorf("HTTP status %d", res.StatusCode)
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&b)
	return b, err
}

// reason words a failed download.
func reason(err error, proxy string) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	text := err.Error()
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the TLS certificate of the server cannot be verified (issuer: %s)", unknown.Cert.Issuer)
	case errors.As(err, &invalid):
		return fmt.Errorf("the TLS certificate of the server is not valid: %w", invalid)
	case strings.Contains(text, "Proxy Authentication Required"):
		return errors.New("the proxy " + proxy + " answers 407 Proxy Authentication Required")
	case strings.Contains(text, "Service Unavailable"):
		return errors.New("the proxy " + proxy + " answers 503 Service Unavailable (the name of the server cannot be resolved)")
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time through the proxy " + proxy)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// verify looks at the signature with the knowledge of the relay's build.
func (r *Relay) verify(b bundle) error {
	s := b.New
	switch {
	case r.old == Expired:
		s = b.Old
	case r.old == Unrenewed && r.kept.Signature != nil:
		s = r.kept
	case r.kept.Signature == nil:
		r.kept = s
	}
	cert, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return err
	}
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	_, err = cert.Verify(x509.VerifyOptions{Roots: r.code, KeyUsages: usage})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("error code: -24 / IAURELAY_STATUS_DIGITAL_SIGNATURE_CERT_EXPIRE")
	case err != nil:
		return fmt.Errorf("the digital signature of the package is of nobody who is known: %w", err)
	}
	sum := sha256.Sum256(b.Payload)
	if key, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || !ecdsa.VerifyASN1(key, sum[:], s.Signature) {
		return errors.New("the digital signature of the package does not match it; the build of the relay (11.0.0.662) is too old")
	}
	return nil
}

func patternVersion(n int) string { return fmt.Sprintf("21.%03d.00", n) }
