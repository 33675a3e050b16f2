package https

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

func api(t *testing.T, h http.HandlerFunc, set ...func(*Settings)) *conn {
	t.Helper()
	server, host, s := serve(t, h)
	s.Fingerprint = fingerprint(server.Certificate())
	for _, f := range set {
		f(s)
	}
	c := open(t, host).(*conn)
	c.client.Transport.(*caller).pause = time.Millisecond
	return c
}

func (c *conn) send(t *testing.T, method, body string, header http.Header) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.Endpoint().JoinPath("/x").String(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := c.HTTP().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// busy answers 429 and 503 by turns until the given number of requests was refused, then echoes.
func busy(refusals int64, seen *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch n := seen.Add(1); {
		case n > refusals:
			_, _ = io.Copy(w, r.Body)
		case n%2 == 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}

func TestRepeatsWhatOnlyAsks(t *testing.T) {
	for name, c := range map[string]struct {
		method   string
		header   http.Header
		refusals int64
		code     int
		requests int64
	}{
		"GET":               {"GET", nil, 3, 200, 4},
		"GET, for ever":     {"GET", nil, 99, 429, tries},
		"POST":              {"POST", nil, 3, 429, 1},
		"POST that asks":    {"POST", http.Header{"Idempotency-Key": nil}, 3, 200, 4},
		"DELETE":            {"DELETE", nil, 1, 429, 1},
		"POST, first is ok": {"POST", nil, 0, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			code, text, err := api(t, busy(c.refusals, &seen)).send(t, c.method, "question", c.header)
			if err != nil || code != c.code || seen.Load() != c.requests {
				t.Errorf("code %d after %d requests, want %d after %d; %v", code, seen.Load(), c.code, c.requests, err)
			}
			if code == 200 && text != "question" {
				t.Errorf("the body did not arrive: %q", text)
			}
		})
	}
}

func TestDoesNotWaitBeyondTheCallersDeadline(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", c.Endpoint().String(), nil)
	res, err := c.HTTP().Do(req)
	if err != nil || res.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("want the host's own answer: %v %v", res, err)
	}
	_ = res.Body.Close()
}

func TestKindsOfFailedRequests(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // returning would complete the answer, perhaps before the client has hung up
	}
	hangInBody := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		hang(w, r)
	}
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		method  string
		kind    engine.ErrorKind
	}{
		"hangs, GET":          {hang, "GET", engine.KindTimeout},
		"hangs, POST":         {hang, "POST", engine.KindLost},
		"hangs in the body":   {hangInBody, "GET", engine.KindTimeout},
		"hangs there, POST":   {hangInBody, "POST", engine.KindLost},
		"cuts the connection": {cut, "POST", engine.KindLost},
	} {
		t.Run(name, func(t *testing.T) {
			a := api(t, c.handler, func(s *Settings) { s.RequestTimeout = "300ms" })
			_, _, err := a.send(t, c.method, "x", nil)
			var e *engine.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !e.Unreachable || e.Host != "vc1" {
				t.Errorf("want %s, got %#v (%v)", c.kind, e, err)
			}
		})
	}
}

// TestAnswersHaveALimit: what has no end is not read until the memory is full.
func TestAnswersHaveALimit(t *testing.T) {
	c := api(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	c.client.Transport.(*caller).most = 3 << 20
	for method, hint := range map[string]string{"GET": "kind", "POST": "whether the host did it is not known"} {
		_, text, err := c.send(t, method, "x", nil)
		var e *engine.Error
		if !errors.As(err, &e) || e.Kind != engine.KindProtocol || e.Unreachable || e.Host != "vc1" || e.Error() != method+" /x: the answer has more than 3 MiB" || !strings.Contains(e.Hint, hint) {
			t.Errorf("got %#v (%v)", e, err)
		}
		if len(text) > 4<<20 {
			t.Errorf("%d bytes were read", len(text))
		}
	}
}

// TestFilesMayTakeLongerThanAnswers: a file that begins before a request begins, is larger than an answer may be, and ends
// after that request's time was over.
func TestFilesMayTakeLongerThanAnswers(t *testing.T) {
	over := make(chan struct{})
	c := api(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 1<<16))
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-over:
			_, _ = io.WriteString(w, "the end")
		}
	}, func(s *Settings) { s.RequestTimeout = "300ms" })
	c.client.Transport.(*caller).most = 1 << 16
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Endpoint().JoinPath("/guestFile").String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := c.Stream().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Body.Close()
	if _, _, err := c.send(t, "GET", "", nil); engine.KindOf(err) != engine.KindTimeout {
		t.Errorf("an answer that does not come: %v", err)
	}
	close(over)
	if text, err := io.ReadAll(file.Body); err != nil || !strings.HasSuffix(string(text), "the end") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestFollowsNoRedirect(t *testing.T) {
	var stolen atomic.Bool
	thief, _, _ := serve(t, func(http.ResponseWriter, *http.Request) { stolen.Store(true) })
	c := api(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, http.StatusFound) })
	code, _, err := c.send(t, "GET", "", http.Header{"Api-Secret-Key": {"k"}})
	if err != nil || code != http.StatusFound || stolen.Load() {
		t.Errorf("code %d, stolen %v, %v", code, stolen.Load(), err)
	}
}

func TestHostThatWentAwayIsRefused(t *testing.T) {
	server, host, s := serve(t, hello)
	s.Fingerprint = fingerprint(server.Certificate())
	c := open(t, host).(*conn)
	server.Close()
	_, _, err := c.send(t, "POST", "x", nil)
	if engine.KindOf(err) != engine.KindRefused || !engine.IsUnreachable(err) {
		t.Errorf("want refused, got %v", err)
	}
}
