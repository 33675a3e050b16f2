// Package dsmtest knows how a Deep Security Manager answers, as far as tests of its clients need: one state, told
// over REST v1 and over SOAP, in English or Japanese, with the ways in which a real one is unpleasant.
package dsmtest

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Computer is one computer of the manager.
type Computer struct {
	ID         int    `json:"id"`
	Name       string `json:"name"`
	Display    string `json:"display"`
	UUID       string `json:"uuid"`
	Protection string `json:"protection"` // "appliance" (the default), "agent", "none", or "is_appliance"
	Engine     string `json:"engine"`     // "online" (the default), "offline", "silent", "off", "unsupported" or "odd"
	Power      string `json:"power"`      // "on" (the default), "off", "suspended" or "standby"
	Heard      string `json:"heard"`      // how long ago the appliance reported, as a duration; "": never
	Appliance  string `json:"appliance"`
	ESXi       string `json:"esxi"`
	// Message replaces the text of the status.
	Message string `json:"message"`
	// REST is merged over what REST says of it: null takes a field away.
	REST map[string]any `json:"rest"`
}

// Server is the manager. Its fields may be changed between requests with Change.
type Server struct {
	Computers      []Computer
	Key            string // of the API
	User, Password string
	Tenant         string
	Japanese       bool
	NoREST, NoSOAP bool
	PageCap        int           // most computers in an answer; 0: 5000
	Busy           int           // so many of the next REST requests are refused with 429
	MaxSessions    int           // per user; 0: 10
	PerLogin       int           // calls after which a session ends; 0: none, -1: it is never valid
	Ahead          time.Duration // how far its clock is ahead
	NoDate         bool          // no Date header, no getManagerTime
	Zone           *time.Location
	UUIDsOnlyHigh  bool          // virtualUuid only at level HIGH
	Slow           time.Duration // how long every answer takes; set it before the first request

	mu       sync.Mutex
	calls    map[string]int
	sessions map[string]bool
	used     map[string]int // calls, by session
	serial   int
	failures int // wrong passwords in a row; from 5 on the account is locked

	gate      sync.Mutex
	now, most int // requests at the same time
}

// Change changes the manager between requests.
func (s *Server) Change(f func(*Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// Calls is how often an operation was asked for: "search", "authenticate", "hostGetStatus" …
func (s *Server) Calls(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// Sessions is how many sessions are open.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Most is how many requests were served at the same time, at most.
func (s *Server) Most() int {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.most
}

// Expire ends all sessions, as idle time or a restart of the manager does.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.enter(1)
	defer s.enter(-1)
	<-time.After(s.Slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Header()["Date"] = nil; !s.NoDate {
		w.Header().Set("Date", time.Now().Add(s.Ahead).UTC().Format(http.TimeFormat))
	}
	switch {
	case r.URL.Path == "/api/computers/search" && !s.NoREST:
		s.count("search")
		s.rest(w, r)
	case r.URL.Path == "/webservice/Manager" && !s.NoSOAP:
		s.soap(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, "<html><body>Not Found</body></html>")
	}
}

// enter counts the requests that are being served, those that wait for the state included.
func (s *Server) enter(n int) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.now += n
	s.most = max(s.most, s.now)
}

func (s *Server) count(op string) {
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[op]++
}

// heard is when the appliance reported, by the manager's clock; the zero time: never.
func (s *Server) heard(c Computer) time.Time {
	ago, err := time.ParseDuration(c.Heard)
	if err != nil {
		return time.Time{}
	}
	return time.Now().Add(s.Ahead - ago)
}

// words is what the manager says of a computer.
type words struct{ enum, general, malware, configured, state string }

func (s *Server) words(c Computer) words {
	offline := s.say("Anti-Malware Engine Offline", "不正プログラム対策エンジンがオフライン")
	w := words{"active", s.say("Managed (Online)", "管理対象 (オンライン)"), s.say("On, Real Time", "オン, リアルタイム"), "on", "ACTIVATED"}
	switch c.Engine {
	case "offline":
		w = words{"error", offline, offline, "on", "ACTIVATED"}
	case "silent":
		w = words{"error", s.say("Offline", "オフライン"), "", "on", "OFFLINE"}
	case "off":
		w = words{"inactive", w.general, s.say("Off, not installed, no configuration", "オフ, 未インストール, 設定なし"), "off", "ACTIVATED"}
	case "unsupported":
		w = words{"not-supported", s.say("Virtual Machine Moved to Unprotected ESX", "保護されていないESXに仮想マシンが移動"), "", "on", "ACTIVATED"}
	case "odd":
		w = words{"inactive", "Zustand unbekannt", "", "", "UNKNOWN"}
	}
	switch c.Power {
	case "off":
		w.general, w.state = s.say("Unmanaged (VM Stopped)", "非管理対象 (仮想マシンの停止)"), "VM_STOPPED"
	case "suspended":
		w.state = "VM_PAUSED"
	case "standby":
		w.state = "STANDBY"
	}
	if c.Message != "" {
		w.general, w.malware = c.Message, c.Message
	}
	return w
}

func (s *Server) say(english, japanese string) string {
	if s.Japanese {
		return japanese
	}
	return english
}
