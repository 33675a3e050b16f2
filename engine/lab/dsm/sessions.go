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
	failures map[string]int      // by user
}

type session struct {
	user string
	used time.Time
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
		return "", "ManagerLockoutException"
	}
	right, known := s.cfg.Users[user]
	if !known || subtle.ConstantTimeCompare([]byte(right), []byte(password)) != 1 {
		s.failures[user]++
		return "", "ManagerAuthenticationException"
	}
	s.failures[user] = 0
	if s.count(user) >= s.cfg.MaxSessions {
		return "", "ManagerMaxSessionsException"
	}
	sID = rand.Text()
	s.open[sID] = &session{user, time.Now()}
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
	one.used = time.Now()
	return one.user, true
}

func (s *sessions) end(sID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sID)
}

// unlock is what an administrator does: dsm_c -action unlockout.
func (s *sessions) unlock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.failures)
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
