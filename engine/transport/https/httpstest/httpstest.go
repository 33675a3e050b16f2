// Package httpstest knows how to reach the HTTPS server of a test as dsplay reaches a host: over a real connection that trusts
// the server's certificate alone.
package httpstest

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/https"
)

// Open connects to a server with TLS under the name of a host; set gives kind and credentials. The connection ends with the
// test, before what the test has to clean up already, and fails it when it cannot be closed: sessions are left then.
func Open(t testing.TB, server *httptest.Server, name string, set func(*https.Settings)) engine.API {
	t.Helper()
	address, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	settings := https.Transport{}.Settings().(*https.Settings)
	if settings.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(server.Certificate().Raw)
	settings.Fingerprint = hex.EncodeToString(sum[:])
	set(settings)
	conn, err := https.Transport{}.Open(t.Context(), &engine.Host{Name: name, Address: address, Connection: engine.Connection{Type: "https", Settings: settings}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn.(engine.API)
}
