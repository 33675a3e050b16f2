package dsm_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/https/httpstest"
)

// A DSM that counts logins and answers none gets three of them, whoever asks how often.
func TestUnansweredLogins(t *testing.T) {
	var logins atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		logins.Add(1)
		panic(http.ErrAbortHandler) // the connection breaks
	}))
	t.Cleanup(server.Close)
	api := httpstest.Open(t, server, "dsm1", func(s *https.Settings) { s.Kind = "dsm"; byUser(s) })
	var err error
	for range 10 {
		_, err = dsm.Fetch(t.Context(), api)
	}
	if logins.Load() != 3 || engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), "did not answer 3 logins") {
		t.Errorf("%d logins: %v", logins.Load(), err)
	}
}
