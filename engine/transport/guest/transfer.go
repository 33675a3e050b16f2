package guest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/certs"
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

func (c *conn) openTransfers(ctx context.Context, s *Settings, p parsed) (*transfers, error) {
	x, err := c.api.Session(ctx, "guest files "+s.TransferCA+" "+s.TransferFingerprint, func(context.Context) (any, func(context.Context) error, error) {
		roots, err := certs.Roots(s.TransferCA)
		if err != nil {
			return nil, nil, &engine.Error{Kind: engine.KindTLS, Host: c.host, Op: "read transfer_ca", Err: err}
		}
		t := &transfers{api: c.api, pin: p.pin, roots: roots, known: map[string]*trust{}}
		t.wire = &http.Transport{DialTLSContext: t.dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
		return t, func(context.Context) error { t.wire.CloseIdleConnections(); return nil }, nil
	})
	if err != nil {
		return nil, err
	}
	return x.(*transfers), nil
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
