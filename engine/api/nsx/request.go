package nsx

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Request is one request to a manager: what a plan shows is what is sent.
type Request struct {
	Method, Path string // the path with its query
	Type, Body   string // content type and text; empty: none
}

// String is the request on one line, with its body.
func (r Request) String() string {
	if r.Body == "" {
		return r.Method + " " + r.Path
	}
	return r.Method + " " + r.Path + " " + r.Body
}

const sessionName = "nsx"

// login is what a manager took the credentials for: a cookie and a token (NSX-T), or nothing, and then they come along with
// every request (HTTP Basic).
type login struct {
	header http.Header
	clock  time.Time // of the manager, when it answered
	end    func(context.Context) error
	dead   sync.Once
}

// open logs in once per connection. API.Session keeps a refusal, so that nothing here can lock the account.
func open(ctx context.Context, api engine.API, g generation) (*login, error) {
	x, err := api.Session(ctx, sessionName, func(ctx context.Context) (any, func(context.Context) error, error) {
		if user, password := api.Login(); user == "" || password.IsZero() {
			return nil, nil, &engine.Error{Kind: engine.KindAuth, Op: "log in to NSX", Msg: "no credentials", Hint: `give user and password in its connection "https"`}
		}
		var l *login
		err := engine.LogIn(api, func() (err error) {
			l, err = g.login(ctx)
			return err
		}, func(err error) bool { return engine.KindOf(err) == engine.KindAuth }) // a lock, or a role that is missing, looks the same
		if err != nil {
			return nil, nil, err
		}
		return l, l.end, nil
	})
	if err != nil {
		return nil, err
	}
	return x.(*login), nil
}

// send sends r in a session. One that the manager has ended is replaced once: what was refused was not done.
func send(ctx context.Context, api engine.API, g generation, r Request) ([]byte, error) {
	for again := true; ; again = false {
		l, err := open(ctx, api, g)
		if err != nil {
			return nil, err
		}
		body, err := exchange(ctx, api, g, r, l.header)
		if !again || engine.KindOf(err) != engine.KindAuth {
			return body, err
		}
		l.dead.Do(func() { api.Forget(sessionName) }) // once: it must not drop the session of one who was faster
	}
}

// admitted is a login with these headers that the manager has answered.
func admitted(res *http.Response, header http.Header) *login {
	l := &login{header: header}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		l.clock = date.Add(time.Second / 2)
	}
	return l
}

// tried is a login with HTTP Basic, if the manager answers r with it.
func tried(ctx context.Context, api engine.API, g generation, r Request) (*login, error) {
	header := basic(api)
	res, body, err := post(ctx, api, r, header)
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode/100 != 2:
		return nil, refused(r, res, g.refusal(body))
	}
	return admitted(res, header), nil
}

// exchange sends r once with these headers, and gives the body of an answer 2xx.
func exchange(ctx context.Context, api engine.API, g generation, r Request, header http.Header) ([]byte, error) {
	res, body, err := post(ctx, api, r, header)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, refused(r, res, g.refusal(body))
	}
	return body, nil
}

// post is one round trip. Every request of this package may be repeated while the manager is busy: it only asks, logs in
// (what was answered 429 was not judged), or adds what it may add twice.
func post(ctx context.Context, api engine.API, r Request, header http.Header) (*http.Response, []byte, error) {
	target, err := api.Endpoint().Parse(r.Path)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target.String(), strings.NewReader(r.Body))
	if err != nil {
		return nil, nil, err
	}
	if r.Body == "" {
		req.Body, req.GetBody = nil, nil
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header["Idempotency-Key"] = nil // not sent
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	res, err := api.HTTP().Do(req)
	if err != nil {
		return nil, nil, plain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body) // the transport limits it
	return res, body, plain(err)
}

// plain takes the wrapping of net/http off an error that explains itself.
func plain(err error) error {
	var e *engine.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

// basic are the credentials as HTTP Basic.
func basic(api engine.API) http.Header {
	user, password := api.Login()
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password.Reveal())
	return r.Header
}

// refused explains a status for the person at 3 a.m.
func refused(r Request, res *http.Response, said string) error {
	e := &engine.Error{Kind: engine.KindModule, Op: r.Method + " " + r.Path, Msg: strings.TrimSpace(res.Status + " " + said)}
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		e.Kind, e.Hint = engine.KindAuth, "check user and password, and whether the user's role may do this; they are not tried again, because NSX locks accounts"
	case code == http.StatusNotFound:
		e.Err, e.Hint = errNotFound, "is it the right NSX manager, and of the kind that its connection says?"
	case code == http.StatusTooManyRequests:
		e.Hint = "the manager limits how many requests a client may send: try later"
	case code/100 == 4:
		e.Hint = "NSX has refused it and changed nothing; its words say why"
	case code/100 == 5:
		e.Hint = "the manager's services may be starting or ill: look at its appliance"
	case code/100 == 3:
		e.Kind, e.Hint = engine.KindProtocol, "it sends elsewhere, which is not followed: name the manager itself"
	}
	return e
}

// errNotFound is wrapped by the error of an answer 404.
var errNotFound = errors.New("not found")

func unreadable(r Request, err error) error {
	return &engine.Error{Kind: engine.KindProtocol, Op: r.Method + " " + r.Path, Msg: "the answer cannot be read", Err: err,
		Hint: "is it an NSX manager of the kind that its connection says?"}
}
