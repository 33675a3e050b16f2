package dsm

import (
	"crypto/rand"
	"crypto/subtle"
	"sync"
	"time"
)

// sessions are the SOAP logins. They are limited per user and expire when idle; an account is locked after some
// wrong passwords in a row, and then refuses the right one, too.
type sessions struct {
	cfg Config

	mu       sync.Mutex
	open     map[string]*session // by sID
	failures map[string]int      // by user, in a row
	wrong    int                 // wrong passwords, in all
	keys     int                 // wrong API keys, in all
	logins   int                 // that succeeded, in all
	perLogin int                 // calls after which a session ends; 0: none
	crowded  bool                // others have all sessions
}

type session struct {
	user  string
	used  time.Time
	calls int
}

// Logins are what a manager counts of who comes with a password or a key.
type Logins struct {
	Accepted       int
	WrongPasswords int
	WrongKeys      int
	Locked         bool // an account is
	Open           int  // sessions
}

// Logins counts.
func (m *Manager) Logins() Logins {
	s := m.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	l := Logins{Accepted: s.logins, WrongPasswords: s.wrong, WrongKeys: s.keys, Open: len(s.open)}
	for _, n := range s.failures {
		l.Locked = l.Locked || n >= s.cfg.MaxFailures
	}
	return l
}

// Lock makes every account one that is locked, as somebody else's wrong passwords do.
func (m *Manager) Lock() {
	s := m.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	for user := range s.cfg.Users {
		s.failures[user] = s.cfg.MaxFailures
	}
}

func (s *sessions) wrongKey() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys++
}

func (s *sessions) behave(perLogin int, crowded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.perLogin, s.crowded = perLogin, crowded
}

func newSessions(cfg Config) *sessions {
	return &sessions{cfg: cfg, open: map[string]*session{}, failures: map[string]int{}}
}

// login gives a sID, or the name of the SOAP exception.
func (s *sessions) login(user, password string) (sID, exception string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if s.failures[user] >= s.cfg.MaxFailures {
		s.wrong++ // whatever the password is: who goes on trying is counted
		return "", "ManagerLockoutException"
	}
	right, known := s.cfg.Users[user]
	if !known || subtle.ConstantTimeCompare([]byte(right), []byte(password)) != 1 {
		s.failures[user]++
		s.wrong++
		return "", "ManagerAuthenticationException"
	}
	s.failures[user] = 0
	if s.crowded || s.count(user) >= s.cfg.MaxSessions {
		return "", "ManagerMaxSessionsException"
	}
	sID = rand.Text()
	s.logins++
	s.open[sID] = &session{user: user, used: time.Now()}
	return sID, ""
}

// user tells whose session it is and keeps it alive.
func (s *sessions) user(sID string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	one := s.open[sID]
	if one == nil {
		return "", false
	}
	if one.calls++; s.perLogin > 0 && one.calls > s.perLogin {
		delete(s.open, sID)
		return "", false
	}
	one.used = time.Now()
	return one.user, true
}

func (s *sessions) end(sID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sID)
}

// clear is what an administrator does: dsm_c -action unlockout, and ending the sessions of others.
func (s *sessions) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.failures)
	s.perLogin, s.crowded = 0, false
}

func (s *sessions) expire() {
	for sID, one := range s.open {
		if time.Since(one.used) > s.cfg.Session {
			delete(s.open, sID)
		}
	}
}

func (s *sessions) count(user string) int {
	n := 0
	for _, one := range s.open {
		if one.user == user {
			n++
		}
	}
	return n
}
