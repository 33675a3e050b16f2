package nsx

import (
	"crypto/rand"
	"crypto/subtle"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// access is who may come in: by name and password with every request, or (NSX-T) in a session. An account is locked after
// some wrong passwords in a row, and then refuses the right one, too.
type access struct {
	cfg Config

	mu       sync.Mutex
	sessions map[string]*session // by cookie
	failures map[string]int      // in a row, by user
	wrong    int                 // in all
}

type session struct {
	user, token string
	used        time.Time
}

const cookie = "JSESSIONID"

func newAccess(cfg Config) *access {
	return &access{cfg: cfg, sessions: map[string]*session{}, failures: map[string]int{}}
}

// login judges a name and a password.
func (a *access) login(user, password string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failures[user] >= a.cfg.MaxFailures {
		return false
	}
	if user != a.cfg.User || subtle.ConstantTimeCompare([]byte(password), []byte(a.cfg.Password)) != 1 {
		a.failures[user]++
		a.wrong++
		return false
	}
	a.failures[user] = 0
	return true
}

// open makes a session; the token has to come with every request in it.
func (a *access) open(user string) (id, token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, token = rand.Text(), rand.Text()
	a.sessions[id] = &session{user, token, time.Now()}
	return id, token
}

// user of a request; ok is false for who may not come in.
func (a *access) user(r *http.Request) (user string, ok bool) {
	if name, password, basic := r.BasicAuth(); basic {
		return name, a.login(name, password)
	}
	c, err := r.Cookie(cookie)
	if err != nil {
		return "", false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[c.Value]
	if s == nil || time.Since(s.used) > a.cfg.Session || s.token != r.Header.Get("X-XSRF-TOKEN") {
		return "", false
	}
	s.used = time.Now()
	return s.user, true
}

func (a *access) end(r *http.Request) {
	if c, err := r.Cookie(cookie); err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.sessions, c.Value)
	}
}

func (a *access) endAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.sessions)
}

func (a *access) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.sessions)
}

func (a *access) wrongPasswords() (n int, locked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, failures := range a.failures {
		locked = locked || failures >= a.cfg.MaxFailures
	}
	return a.wrong, locked
}

func (a *access) unlock() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.failures)
}

// Sessions is how many are open.
func (m *Manager) Sessions() int { return m.access.count() }

const maxBody = 1 << 20

// ServeHTTP answers one request: it is written down, then admitted, then done.
func (m *Manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody))
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	session := m.cfg.Generation == T && strings.HasPrefix(r.URL.Path, "/api/session/")
	text := r.Method + " " + r.URL.RequestURI()
	if len(body) > 0 && !session { // the body of a login is a password
		text += " " + string(body)
	}
	user, ok := "", session
	if !session {
		user, ok = m.access.user(r)
	}
	m.cfg.Record(user, text, r.Method != http.MethodGet && !session)
	switch {
	case m.tooBusy():
		w.Header().Set("Retry-After", "1")
		m.refuse(w, http.StatusTooManyRequests, 98, "Client exceeded request rate")
	case !ok:
		m.intruder(w)
	default:
		m.mux.ServeHTTP(w, r)
	}
}

func (m *Manager) tooBusy() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	return m.busy > 0 && m.calls%m.busy == 0
}

// intruder refuses one who may not come in. A locked account is told nothing else than a wrong password.
func (m *Manager) intruder(w http.ResponseWriter) {
	if m.cfg.Generation == V {
		w.Header().Set("WWW-Authenticate", `Basic realm="NSX Manager"`)
		m.refuse(w, http.StatusUnauthorized, 0, "Unauthorized")
		return
	}
	m.refuse(w, http.StatusForbidden, 403, "The credentials were incorrect or the account specified has been locked.")
}

func (m *Manager) refuse(w http.ResponseWriter, status, code int, message string) {
	if m.cfg.Generation == V {
		writeXML(w, status, xmlError{Details: message, Code: code, Module: "core-services"})
		return
	}
	writeJSON(w, status, jsonError{http.StatusText(status), code, "common-services", message})
}
