package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Webhook posts messages as JSON.
type Webhook struct {
	URL     engine.Secret            `hcl:"url" doc:"where it is posted: https, or http on this machine. Where the URL itself is the secret: secret(\"file:…\")"`
	CA      string                   `hcl:"ca,optional" doc:"a file of certificates (PEM) that the server's must lead to; default: those of this machine"`
	Headers map[string]engine.Secret `hcl:"headers,optional" doc:"more headers: { Authorization = secret(\"file:…\") }"`

	body func(engine.Message) ([]byte, error)
}

// tries is how often a message is posted at most: again after a second and after two, when nobody answered or the server could not.
const tries = 3

// Shape implements engine.Shaped.
func (w *Webhook) Shape(body func(engine.Message) ([]byte, error)) { w.body = body }

// Validate implements engine.Validator.
func (w *Webhook) Validate() error {
	u, err := url.Parse(w.URL.Reveal())
	switch {
	case err != nil || u.Host == "":
		return engine.BadArg{Arg: "url", Problem: "is no URL"} // its text may be the secret
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return engine.BadArg{Arg: "url", Problem: "must begin with https://: what is said there says where the estate is weak (http only to this machine)"}
	}
	return nil
}

// Notify implements engine.Notifier.
func (w *Webhook) Notify(ctx context.Context, m engine.Message) error {
	body, err := w.json(m)
	if err != nil {
		return err
	}
	trusted, err := trust(w.CA, "")
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: trusted, Proxy: http.ProxyFromEnvironment}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var again bool
	for try := 1; ; try++ {
		if again, err = w.post(ctx, client, body); !again || try == tries {
			return err
		}
		if engine.Wait(ctx, time.Duration(try)*time.Second) != nil {
			return err
		}
	}
}

func (w *Webhook) json(m engine.Message) ([]byte, error) {
	if w.body != nil {
		return w.body(m)
	}
	return json.Marshal(m)
}

// post tries once; again: another try may go better.
func (w *Webhook) post(ctx context.Context, client *http.Client, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return false, errors.New("webhook: the url is none")
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range w.Headers {
		r.Header.Set(name, value.Reveal())
	}
	answer, err := client.Do(r)
	if err != nil {
		var inside *url.Error // its text has the URL, which may be a secret
		if errors.As(err, &inside) {
			err = inside.Err
		}
		return !errors.As(err, new(*tls.CertificateVerificationError)), fmt.Errorf("webhook at %s: %w", r.URL.Host, err)
	}
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 300)) // only to tell why
	_ = answer.Body.Close()
	if answer.StatusCode/100 == 2 {
		return false, nil
	}
	again = answer.StatusCode/100 == 5 || answer.StatusCode == http.StatusTooManyRequests
	return again, fmt.Errorf("webhook at %s answered %s: %s", r.URL.Host, answer.Status, strings.Join(strings.Fields(string(said)), " "))
}

// Beside implements engine.Sourced.
func (w *Webhook) Beside(dir string) { w.CA = beside(dir, w.CA) }
