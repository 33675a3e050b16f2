package dsm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Act is one request that changes a DSM.
type Act struct {
	Text string // as a plan shows it: method, path and body, or SOAP operation and arguments without the session
	do   func(ctx context.Context, api engine.API) error
}

// Do makes the request, once.
func (a Act) Do(ctx context.Context, api engine.API) error { return a.do(ctx, api) }

// restCall makes one request of REST v1. A body is sent as JSON, an answer is decoded into into; nil: neither.
func restCall(ctx context.Context, api engine.API, method, path string, body, into any) error {
	return restAsk(ctx, api, method, path, body, into, new(http.Header))
}

// restAsk is restCall for a path that may have a query, and gives the header of the answer, too.
func restAsk(ctx context.Context, api engine.API, method, path string, body, into any, header *http.Header) error {
	path, query, _ := strings.Cut(path, "?")
	op := method + " /api/" + path
	var send io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(text)
	}
	u := api.Endpoint().JoinPath("api", path)
	u.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, method, u.String(), send)
	if err != nil {
		return err
	}
	req.Header = http.Header{"Api-Version": {"v1"}, "Api-Secret-Key": {api.Key().Reveal()}}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := api.HTTP().Do(req)
	if err != nil {
		return plain(err)
	}
	defer res.Body.Close()
	*header = res.Header
	if res.StatusCode/100 != 2 {
		return refusal(op, res)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		if engine.KindOf(err) != engine.KindModule {
			return err
		}
		return &engine.Error{Kind: engine.KindProtocol, Op: op, Msg: "the answer of the DSM is no JSON as expected", Err: err}
	}
	return nil
}

// refusal explains a status. A 404 without a message in JSON is that of a DSM without REST v1 (errNoREST).
func refusal(op string, res *http.Response) error {
	var said struct{ Message string }
	text, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	isJSON := json.Unmarshal(text, &said) == nil && said.Message != ""
	e := &engine.Error{Kind: engine.KindModule, Op: op, Msg: strings.TrimSpace("the DSM answers " + res.Status + " " + said.Message)}
	switch code := res.StatusCode; {
	case code == http.StatusNotFound && !isJSON, code == http.StatusMethodNotAllowed && !isJSON, code/100 == 3:
		return fmt.Errorf("%w: %s", errNoREST, res.Status)
	case code == http.StatusUnauthorized:
		e.Kind, e.Hint = engine.KindAuth, "check api_key: is it of this DSM and not expired?"
	case code == http.StatusForbidden:
		e.Hint = "the role of api_key may not do it, the value is none that this DSM takes, or the setting belongs to the primary tenant (T0)"
	case code == http.StatusTooManyRequests:
		e.Hint = "the DSM limits API requests per user: ask less often, or raise its limit"
	case code/100 == 5:
		e.Hint = "look at the DSM's server0.log"
	}
	return e
}

// jsonText is a value as it stands in a body.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(true) // as json.Marshal, which writes the body
	_ = e.Encode(v)       // strings and numbers always are JSON
	return strings.TrimSpace(b.String())
}
