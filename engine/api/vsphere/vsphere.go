// Package vsphere knows how to ask a vCenter (or a single ESXi host) for all its machines at once, and how to power
// one on, over the TLS, the deadlines and the session of an API connection.
//
// It never dials by itself: govmomi's own transport, which takes proxies from the environment and knows no pins
// that hold against a valid chain, is replaced.
package vsphere

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

const (
	sessionName = "vsphere"
	asking      = "ask vSphere"
)

// login is one session. A vCenter allows some thousand of them in all; each is ended when the connection closes.
type login struct {
	client *vim25.Client
	key    string // of the session
	dead   sync.Once
}

// Do calls f with a client that is logged in. When the vCenter has ended the session meanwhile, it logs in again
// and calls f once more, so f must be fit for that. A reading f also survives a vCenter that is busy, see Asking.
func Do(ctx context.Context, api engine.API, f func(ctx context.Context, c *vim25.Client) error) error {
	return do(ctx, api, func(ctx context.Context, l *login) error { return f(ctx, l.client) })
}

func do(ctx context.Context, api engine.API, f func(ctx context.Context, l *login) error) error {
	if kind := api.Kind(); kind != "vsphere" && kind != "" {
		return &engine.Error{Kind: engine.KindModule, Op: "ask a vCenter", Msg: "the host is of kind " + kind, Hint: "on must name the vCenter"}
	}
	for again := true; ; again = false {
		x, err := api.Session(ctx, sessionName, func(ctx context.Context) (any, func(context.Context) error, error) { return open(ctx, api) })
		if err != nil {
			return explain("log in to vSphere", err)
		}
		l := x.(*login)
		err = f(ctx, l)
		if !again || !fault.Is(err, &types.NotAuthenticated{}) {
			return explain(asking, err)
		}
		l.dead.Do(func() { api.Forget(sessionName) }) // once: it must not drop the session of one who was faster
	}
}

func open(ctx context.Context, api engine.API) (any, func(context.Context) error, error) {
	user, password := api.Login()
	if user == "" {
		return nil, nil, &engine.Error{Kind: engine.KindAuth, Op: "log in to vSphere", Msg: "no credentials",
			Hint: `give user and password in its connection "https"`}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, nil, err
	}
	wire := soap.NewClient(api.Endpoint().JoinPath(vim25.Path), false)
	ours := api.HTTP()
	wire.Client = http.Client{Transport: asker{ours.Transport}, CheckRedirect: ours.CheckRedirect, Timeout: ours.Timeout, Jar: jar}
	wire.UserAgent = "dsplay"
	ctx = Asking(ctx) // a login that was answered 503 was not judged, so repeating it locks nobody out
	client, err := vim25.NewClient(ctx, wire)
	if err != nil {
		return nil, nil, err
	}
	manager := session.NewManager(client)
	var key string
	err = engine.LogIn(api, func() (err error) { key, err = logIn(ctx, client, user, password); return err },
		func(err error) bool { return fault.Is(err, &types.InvalidLogin{}) })
	if err != nil {
		return nil, nil, explain("log in to vSphere", err)
	}
	return &login{client: client, key: key}, func(ctx context.Context) error {
		if err := manager.Logout(ctx); err != nil && !fault.Is(err, &types.NotAuthenticated{}) {
			return explain("log out of vSphere", err)
		}
		return nil
	}, nil
}

// logIn gives the key of the session, which session.Manager keeps to itself and would have to ask for.
func logIn(ctx context.Context, c *vim25.Client, user string, password engine.Secret) (string, error) {
	r, err := methods.Login(ctx, c, &types.Login{This: *c.ServiceContent.SessionManager, UserName: user, Password: password.Reveal(), Locale: session.Locale})
	if err != nil {
		return "", err
	}
	return r.Returnval.Key, nil
}

type askingKey struct{}

// Asking marks the calls made with this context as harmless to repeat: the transport then repeats them while the
// vCenter is busy (503 while its services start). All of vSphere's calls are POSTs, so it cannot see it itself.
func Asking(ctx context.Context) context.Context { return context.WithValue(ctx, askingKey{}, true) }

// asker tells the transport which requests only ask, in net/http's way: by a header, which is not sent. It makes every body
// one that can be read again: for the repetition, and because whoever observes the requests finds the operation there.
type asker struct{ next http.RoundTripper }

func (a asker) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		return a.next.RoundTrip(req)
	}
	text, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	if req.Context().Value(askingKey{}) != nil {
		req.Header["Idempotency-Key"] = nil
	}
	req.ContentLength = int64(len(text))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	req.Body, _ = req.GetBody()
	return a.next.RoundTrip(req)
}

// privilege is the one that vSphere says is missing.
func privilege(err error) (id string) {
	fault.In(err, func(f types.BaseMethodFault, _ string, _ []types.LocalizableMessage) bool {
		if p, ok := f.(*types.NoPermission); ok {
			id = p.PrivilegeId
		}
		return id != ""
	})
	if id == "" {
		return "for it; reading needs System.View"
	}
	return id
}

// explain makes err an *engine.Error, for the person at 3 a.m.
func explain(op string, err error) error {
	var known *engine.Error
	if err == nil || errors.As(err, &known) {
		if known != nil {
			return known
		}
		return nil
	}
	e := &engine.Error{Kind: engine.KindModule, Op: op, Err: err}
	var status *url.Error
	switch {
	case fault.Is(err, &types.InvalidLogin{}):
		e.Kind, e.Hint = engine.KindAuth, `check user (with its domain: "user@vsphere.local") and password; they are not tried again, because vCenter locks accounts`
	case fault.Is(err, &types.NoPermission{}):
		e.Hint = "the user's role lacks the privilege " + privilege(err)
	case fault.Is(err, &types.HostNotConnected{}), fault.Is(err, &types.HostNotReachable{}), fault.Is(err, &types.HostCommunication{}):
		e.Hint = "the vCenter does not reach the ESXi host: look at its connection there"
	case fault.Is(err, &types.NotAuthenticated{}):
		e.Kind, e.Hint = engine.KindAuth, "the vCenter ends the session at once: look at its sessions and its log"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Kind = engine.KindTimeout
	case errors.As(err, &status):
		e.Kind, e.Hint = engine.KindProtocol, "its services may be starting; or this is no vCenter: check port and address"
	}
	return e
}
