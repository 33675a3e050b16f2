package guest

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

const (
	transferTries = 3
	retryPause    = 100 * time.Millisecond // before the second try; it grows
	dialTime      = 15 * time.Second
)

// transfers carry files by the URLs that a vCenter gives: GET and PUT at the ESXi host on which the machine runs, or, for a
// URL with the host "*", at the one who was asked. They are shared by all guests of a vCenter with the same settings.
//
// An ESXi host has to show the certificate that the vCenter knows of it, or one that the settings name: the vCenter, which
// was verified itself, has its hosts' certificates, which are seldom signed by an authority that anybody else knows.
type transfers struct {
	api   engine.API
	wire  *http.Transport
	pin   []byte
	roots *x509.CertPool

	mu    sync.Mutex
	known map[string]*trust // by host and port
}

// trust is how the certificate of an ESXi host is known.
type trust struct{ sha256, sha1 []byte }

func (c *conn) openTransfers(ctx context.Context, s *Settings, p parsed) (*transfers, error) {
	x, err := c.api.Session(ctx, "guest files "+s.TransferCA+" "+s.TransferFingerprint, func(context.Context) (any, func(context.Context) error, error) {
		t := &transfers{api: c.api, pin: p.pin, known: map[string]*trust{}}
		if s.TransferCA != "" {
			text, err := os.ReadFile(s.TransferCA)
			if err != nil {
				return nil, nil, &engine.Error{Kind: engine.KindTLS, Host: c.host, Op: "read transfer_ca", Err: err}
			}
			if t.roots = x509.NewCertPool(); !t.roots.AppendCertsFromPEM(text) {
				return nil, nil, &engine.Error{Kind: engine.KindTLS, Host: c.host, Op: "read transfer_ca", Msg: s.TransferCA + " holds no PEM certificate"}
			}
		}
		t.wire = &http.Transport{DialTLSContext: t.dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
		return t, func(context.Context) error { t.wire.CloseIdleConnections(); return nil }, nil
	})
	if err != nil {
		return nil, err
	}
	return x.(*transfers), nil
}

// reach goes the way of the vCenter's connection: through its proxy, from its source address.
func (t *transfers) reach(ctx context.Context, address string) (net.Conn, error) {
	if d, ok := t.api.(interface {
		Dial(ctx context.Context, address string) (net.Conn, error)
	}); ok {
		return d.Dial(ctx, address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// dial opens TLS to an ESXi host; nothing is sent before its certificate is verified.
func (t *transfers) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := t.reach(ctx, address)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // verified below: by what is known, not by the chain alone
		VerifyConnection: func(s tls.ConnectionState) error { return t.verify(address, host, s.PeerCertificates) }}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // err says what happened
		return nil, err
	}
	return secure, nil
}

// errTrust is a certificate that is not the expected one.
type errTrust struct {
	address, why string
	leaf         *x509.Certificate
}

func (e *errTrust) Error() string {
	return fmt.Sprintf("the certificate of %s (%s) is not trusted: %s", e.address, e.leaf.Subject, e.why)
}

func (t *transfers) verify(address, host string, chain []*x509.Certificate) error {
	leaf := chain[0]
	sum, old := sha256.Sum256(leaf.Raw), sha1.Sum(leaf.Raw)
	t.mu.Lock()
	known := t.known[address]
	t.mu.Unlock()
	bad := &errTrust{address: address, leaf: leaf}
	switch {
	case t.pin != nil && slices.Equal(t.pin, sum[:]):
		return nil
	case t.pin != nil:
		bad.why = "it is not the one of transfer_fingerprint"
	case t.roots != nil:
		o := x509.VerifyOptions{Roots: t.roots, DNSName: host, Intermediates: x509.NewCertPool()}
		for _, c := range chain[1:] {
			o.Intermediates.AddCert(c)
		}
		_, err := leaf.Verify(o)
		if err == nil {
			return nil
		}
		bad.why = err.Error()
	case known == nil || known.sha256 == nil && known.sha1 == nil:
		bad.why = "the vCenter does not tell its certificate"
	case known.sha256 != nil && slices.Equal(known.sha256, sum[:]), known.sha256 == nil && slices.Equal(known.sha1, old[:]):
		return nil
	default:
		bad.why = "it is not the one that the vCenter knows of this host"
	}
	return bad
}

// learn asks the vCenter for the certificate of the host on which the machine runs: the whole one, or its SHA-1 where that
// is all that it tells (summary.config.sslThumbprint).
func (t *transfers) learn(ctx context.Context, c *conn, address string) error {
	var vm mo.VirtualMachine
	var host mo.HostSystem
	err := c.ask(ctx, "ask for the certificate of the ESXi host", func(ctx context.Context, v *vim25.Client) error {
		pc := property.DefaultCollector(v)
		if err := pc.RetrieveOne(ctx, c.ref, []string{"runtime.host"}, &vm); err != nil || vm.Runtime.Host == nil {
			return err
		}
		return pc.RetrieveOne(ctx, *vm.Runtime.Host, []string{"config.certificate", "summary.config.sslThumbprint"}, &host)
	})
	if err != nil {
		return err
	}
	x := &trust{}
	if host.Config != nil {
		if block, _ := pem.Decode([]byte(strings.TrimSpace(string(host.Config.Certificate)))); block != nil {
			sum := sha256.Sum256(block.Bytes)
			x.sha256 = sum[:]
		}
	}
	x.sha1, _ = hex.DecodeString(strings.ReplaceAll(host.Summary.Config.SslThumbprint, ":", "")) // none is none
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[address] = x
	return nil
}

// client is who speaks to u, and the address to use.
func (t *transfers) client(ctx context.Context, c *conn, text string) (*http.Client, *url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" {
		return nil, nil, &engine.Error{Kind: engine.KindProtocol, Host: c.vc, Op: "hand over a file", Msg: "the vCenter gave no https URL for it"}
	}
	endpoint := t.api.Endpoint()
	if u.Hostname() == "*" || u.Host == endpoint.Host || u.Port() == "" && u.Hostname() == endpoint.Hostname() && endpoint.Port() == "443" {
		u.Host = endpoint.Host
		return &http.Client{Transport: t.own(), CheckRedirect: noRedirect}, u, nil // verified as the vCenter is
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "443")
	}
	t.mu.Lock()
	_, known := t.known[u.Host]
	t.mu.Unlock()
	if !known && t.pin == nil && t.roots == nil {
		if err := t.learn(ctx, c, u.Host); err != nil {
			return nil, nil, err
		}
	}
	return &http.Client{Transport: t.wire, CheckRedirect: noRedirect}, u, nil
}

// own is the way for files to the one who was asked. A file takes longer than request_timeout allows an answer to take.
func (t *transfers) own() http.RoundTripper {
	if s, ok := t.api.(interface{ Stream() http.RoundTripper }); ok {
		return s.Stream()
	}
	return t.api.HTTP().Transport
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// fetch writes a file of the guest to w, and returns its size.
func (t *transfers) fetch(ctx context.Context, c *conn, path string, w io.Writer) (int64, error) {
	var info types.FileTransferInformation
	err := c.ask(ctx, "fetch "+path, func(ctx context.Context, v *vim25.Client) error {
		r, err := methods.InitiateFileTransferFromGuest(ctx, v, &types.InitiateFileTransferFromGuest{This: c.file, Vm: c.ref, Auth: c.login, GuestFilePath: path})
		if err == nil {
			info = r.Returnval
		}
		return err
	})
	if err != nil || info.Size == 0 {
		return 0, err
	}
	n, err := t.send(ctx, c, "fetch "+path, http.MethodGet, info.Url, nil, info.Size, w)
	if err == nil && n < info.Size {
		err = &engine.Error{Kind: engine.KindLost, Host: c.host, Op: "fetch " + path, Msg: fmt.Sprintf("%d of %d bytes came", n, info.Size), Unreachable: true}
	}
	return n, err
}

// read is fetch for a small file.
func (t *transfers) read(ctx context.Context, c *conn, path string) ([]byte, error) {
	var text strings.Builder
	_, err := t.fetch(ctx, c, path, &text)
	return []byte(text.String()), err
}

// write makes path, or replaces it, with size bytes of r.
func (t *transfers) write(ctx context.Context, c *conn, path string, r io.Reader, size int64) error {
	var attributes types.BaseGuestFileAttributes = &types.GuestPosixFileAttributes{Permissions: 0o600}
	if c.windows {
		attributes = &types.GuestWindowsFileAttributes{}
	}
	var to string
	err := c.do(ctx, "hand over "+path, func(ctx context.Context, v *vim25.Client) error {
		r, err := methods.InitiateFileTransferToGuest(ctx, v, &types.InitiateFileTransferToGuest{This: c.file, Vm: c.ref, Auth: c.login,
			GuestFilePath: path, FileAttributes: attributes, FileSize: size, Overwrite: true})
		if err == nil {
			to = r.Returnval
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = t.send(ctx, c, "hand over "+path, http.MethodPut, to, r, size, io.Discard)
	return err
}

// send does one transfer. It ends with ctx, and when nothing moves for as long as the vCenter may be silent.
func (t *transfers) send(ctx context.Context, c *conn, op, method, to string, body io.Reader, size int64, w io.Writer) (int64, error) {
	client, u, err := t.client(ctx, c, to)
	if err != nil {
		return 0, err
	}
	ctx, alive := withIdle(ctx, c.patient)
	defer alive.stop()
	if method == http.MethodPut {
		body = io.NopCloser(&progress{Reader: body, alive: alive})
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return 0, &engine.Error{Kind: engine.KindProtocol, Host: c.vc, Op: op, Err: err}
	}
	if method == http.MethodPut {
		req.ContentLength = size
		req.Header.Set("Content-Type", "application/octet-stream")
		if size == 0 {
			req.Body = http.NoBody
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, t.failure(ctx, c, op, u.Host, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 200)) // for the error only
		return 0, &engine.Error{Kind: engine.KindProtocol, Host: c.host, Op: op, Msg: fmt.Sprintf("%s answers %s: %s", u.Host, res.Status, strings.TrimSpace(string(text))),
			Hint: "is the guest's disk full, or did the machine move meanwhile?"}
	}
	n, err := io.Copy(w, &progress{Reader: res.Body, alive: alive})
	if err != nil {
		return n, t.failure(ctx, c, op, u.Host, err)
	}
	return n, nil
}

func (t *transfers) failure(ctx context.Context, c *conn, op, address string, err error) error {
	var known *engine.Error
	if errors.As(err, &known) {
		return engine.Blame(known, c.vc)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the URL: who has it may fetch the file
	}
	e := &engine.Error{Kind: engine.KindLost, Host: c.host, Op: op, Msg: "the connection to " + address + " failed", Err: err, Unreachable: true,
		Hint: "files are handed over by the ESXi host of the machine: can it be reached from here, port 443?"}
	var bad *errTrust
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial" && ctx.Err() == nil:
		e.Kind, e.Msg = engine.KindRefused, "nobody hands files over at "+address
		if dial.Timeout() {
			e.Kind = engine.KindTimeout
		}
	case errors.As(err, &bad):
		e.Kind, e.Msg, e.Err = engine.KindTLS, "", bad
		e.Hint = fmt.Sprintf("give transfer_ca = \"FILE\" of its issuer, or, after comparing it on the host itself: transfer_fingerprint = \"sha256:%x\"", sha256.Sum256(bad.leaf.Raw))
		t.mu.Lock()
		delete(t.known, address) // it may have been renewed
		t.mu.Unlock()
	case errors.Is(context.Cause(ctx), errSilent):
		e.Kind, e.Msg, e.Err = engine.KindTimeout, address+" does not answer", nil
	case ctx.Err() != nil:
		e.Kind, e.Msg, e.Err = engine.KindTimeout, "stopped", ctx.Err()
	}
	return e
}

// idle ends a context when nothing happens for too long.
type idle struct {
	timer *time.Timer
	limit time.Duration
	stop  func()
}

func withIdle(ctx context.Context, limit time.Duration) (context.Context, *idle) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &idle{limit: limit}
	i.timer = time.AfterFunc(limit, func() { cancel(errSilent) })
	i.stop = func() {
		i.timer.Stop()
		cancel(nil)
	}
	return ctx, i
}

// progress keeps an idle awake.
type progress struct {
	io.Reader
	alive *idle
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if n > 0 {
		p.alive.timer.Reset(p.alive.limit)
	}
	return n, err
}

// pin reads a SHA-256 as openssl prints it.
func pin(text string) ([]byte, error) {
	plain := strings.ToLower(strings.TrimSpace(text))
	for _, prefix := range []string{"sha256", "sha-256"} {
		plain = strings.TrimPrefix(plain, prefix)
	}
	plain = strings.NewReplacer("fingerprint=", "", ":", "", " ", "", "=", "").Replace(plain)
	sum, err := hex.DecodeString(plain)
	if err != nil || len(sum) != sha256.Size {
		return nil, engine.BadArg{Arg: "transfer_fingerprint", Problem: "must be 64 hex digits (SHA-256); openssl x509 -noout -fingerprint -sha256 prints it"}
	}
	return sum, nil
}
