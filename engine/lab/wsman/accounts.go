package wsman

import (
	"crypto/hmac"
	"strings"
)

// accounts are the users with what happened to them. It is guarded by Server.mu.
type accounts struct {
	failures map[string]int
	locked   map[string]bool
}

// Failures is how often a wrong password was given for a user since the last right one.
func (s *Server) Failures(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts.failures[user]
}

// Locked tells whether wrong passwords have locked an account.
func (s *Server) Locked(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts.locked[user]
}

// Unlock lets a locked user in again, and forgets the failures.
func (s *Server) Unlock(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts.locked, user)
	delete(s.accounts.failures, user)
}

// admit decides on a try of a user who exists; right says that the proof was right. A locked or expired account is
// refused as a wrong password is, and its tries are counted no more.
func (s *Server) admit(user string, right bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.accounts
	switch {
	case a.locked[user]:
		return false
	case !right:
		if a.failures == nil {
			a.failures, a.locked = map[string]int{}, map[string]bool{}
		}
		a.failures[user]++
		a.locked[user] = s.opts.LockAfter > 0 && a.failures[user] >= s.opts.LockAfter
		return false
	}
	delete(a.failures, user)
	return !s.opts.Expired[user]
}

// basic checks "name:password".
func (s *Server) basic(pair string) string {
	name, password, _ := strings.Cut(pair, ":")
	user, want, known := lookup(s.opts.Users, "", name)
	if !known || !s.admit(user, hmac.Equal([]byte(want), []byte(password))) {
		return ""
	}
	return user
}

// lookup finds a user as Windows does: a local name is found whatever the domain, a domain's name only in it.
func lookup(users map[string]string, domain, name string) (user, password string, known bool) {
	if before, after, cut := strings.Cut(name, `\`); cut {
		domain, name = before, after
	}
	short, _, _ := strings.Cut(name, "@")
	for _, want := range []string{domain + `\` + name, name, short} {
		for user, password := range users {
			if strings.EqualFold(user, want) {
				return user, password, true
			}
		}
	}
	return "", "", false
}
