// Package update is a simulated way of security updates: a server that signs its packages, a relay that fetches and
// verifies them, and a proxy between that may sign TLS anew. TLS, CONNECT and signatures are real; the format of the
// packages is made up, because that of a real one is not published.
package update

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/pki"
)

// Host is the name of the update server in the lab. It ends in .invalid (RFC 6761), so that no query for it leaves a machine:
// only the lab's proxy knows where it is.
const Host = "iaus.lab.invalid"

// Path is that of the update service, as on Trend Micro's servers.
const Path = "/iau_server.dll"

// URL is the source that a manager uses unless it is told another one.
const URL = "https://" + Host + Path

// signedUntil is the end of the old signing certificate: that of 2025 (KA-0016311).
var signedUntil = time.Date(2025, 9, 25, 23, 59, 59, 0, time.UTC)

// signed is one signature of a package.
type signed struct {
	Certificate []byte `json:"certificate"` // DER
	Signature   []byte `json:"signature"`   // ECDSA over SHA-256 of the payload
}

// bundle is what the server gives: one payload, signed for old and for new builds of relays.
type bundle struct {
	Version string `json:"version"`
	Payload []byte `json:"payload"`
	Old     signed `json:"old"`
	New     signed `json:"new"`
}

// Server is an update server behind TLS of a public authority.
type Server struct {
	Public *pki.Authority // who signs its TLS
	code   *pki.Authority // who signs its packages

	listener net.Listener
	server   *http.Server
	done     sync.WaitGroup

	mu       sync.Mutex
	version  int
	old, new signer
}

type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Listen starts a server on addr. told hears of every request; nil: nobody.
func Listen(addr string, told func(request string)) (*Server, error) {
	s := &Server{version: 1}
	var err error
	if s.Public, err = pki.Named("dsplay lab public CA"); err != nil {
		return nil, err
	}
	if s.code, err = pki.Named("dsplay lab code signing CA"); err != nil {
		return nil, err
	}
	if s.old.cert, s.old.key, err = s.code.Signer("update signing 2022", signedUntil.AddDate(-3, 0, 0), signedUntil); err != nil {
		return nil, err
	}
	if s.new.cert, s.new.key, err = s.code.Signer("update signing 2025", time.Now().AddDate(-1, 0, 0), time.Now().AddDate(3, 0, 0)); err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	cert, err := s.Public.Server(Host, host)
	if err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", addr); err != nil {
		return nil, err
	}
	s.server = &http.Server{Handler: s.handler(told), ReadHeaderTimeout: time.Minute, ErrorLog: stdlog.New(io.Discard, "", 0)}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	s.done.Go(func() { _ = s.server.Serve(tls.NewListener(s.listener, config)) })
	return s, nil
}

// Addr is host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close cuts every connection.
func (s *Server) Close() {
	_ = s.server.Close()
	s.done.Wait()
}

// Publish makes a new version of the patterns.
func (s *Server) Publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
}

// handler serves the package below Path. Slashes that are doubled do not matter to it: a base that ends in // still works.
func (s *Server) handler(told func(string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if told != nil {
			told(r.Method + " " + r.URL.RequestURI())
		}
		if path.Clean(r.URL.Path) != Path+"/patterns" {
			http.NotFound(w, r)
			return
		}
		s.mu.Lock()
		version := s.version
		s.mu.Unlock()
		b, err := s.bundle(version)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(b)
	})
}

func (s *Server) bundle(version int) (bundle, error) {
	name := patternVersion(version)
	b := bundle{Version: name, Payload: []byte("patterns " + name + strings.Repeat(".", 64))}
	var err error
	if b.Old, err = s.old.sign(b.Payload); err == nil {
		b.New, err = s.new.sign(b.Payload)
	}
	return b, err
}

func (s signer) sign(payload []byte) (signed, error) {
	sum := sha256.Sum256(payload)
	signature, err := ecdsa.SignASN1(rand.Reader, s.key, sum[:])
	return signed{s.cert.Raw, signature}, err
}
