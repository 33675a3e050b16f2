// Package accounts knows the accounts of domains: a domain counts the failed logins of all its hosts together, and locks an
// account after some of them.
package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const (
	// doubts is how many hosts must refuse a password before no other host is asked. One is not enough: a host that has lost its
	// domain refuses what is right.
	doubts = 2
	// unanswered is how long a host may keep the others from logging in: one that says nothing has not judged the password.
	unanswered = 3 * time.Second
)

// Accounts are those of a run. The zero value is ready. It is safe for use by several goroutines.
type Accounts struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*account
}

// account is a password of an account of a domain.
type account struct {
	turn    chan struct{} // full while somebody logs in
	mu      sync.Mutex
	taken   bool     // by a host
	refused []string // hosts
}

// Login is one to a host whose domain judges it: DOMAIN\name or name@domain. That of any other user is a host's own business.
type Login struct {
	Host, User string
	Password   engine.Secret
	Op         string // of the error where it is not sent
	// Send sends it. Refused tells whether its error means that the password was judged, and is wrong.
	Send    func() error
	Refused func(error) bool
}

// InTurn sends a login. Until a host has taken the password of a domain's account, the hosts are asked one after the other, so that
// a wrong one makes two failed logins, whatever the number of hosts. Where it is not sent for that the error is ErrNotSent, in an
// *engine.Error for the host.
func (a *Accounts) InTurn(ctx context.Context, l Login) error {
	x := a.of(l)
	if x == nil {
		return l.Send()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case x.turn <- struct{}{}:
	}
	next := sync.OnceFunc(func() { <-x.turn })
	defer next()
	x.mu.Lock()
	taken, hosts := x.taken, slices.Clone(x.refused)
	x.mu.Unlock()
	switch {
	case taken:
		next()
	case len(hosts) >= doubts:
		return &engine.Error{Kind: engine.KindAuth, Host: l.Host, Op: l.Op, Unreachable: true, Err: ErrNotSent,
			Msg:  strings.Join(hosts, " and ") + " refused " + l.User + " with this password",
			Hint: "check user and password; if they are right, those hosts may have lost their domain: leave them out"}
	default:
		defer time.AfterFunc(unanswered, next).Stop()
	}
	err := l.Send()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.taken = x.taken || err == nil; err != nil && l.Refused(err) {
		x.refused = append(x.refused, l.Host)
	}
	return err
}

// ErrNotSent is why a password was not sent.
var ErrNotSent = errors.New("it is not sent here in this run: its domain would lock the account")

// of is the account of a login; nil: it is none of a domain.
func (a *Accounts) of(l Login) *account {
	domain, _, found := strings.Cut(l.User, `\`)
	if !found {
		domain = ""
	}
	computer, _, _ := strings.Cut(l.Host, ".")
	if domain == "." || strings.EqualFold(domain, computer) || domain == "" && !strings.Contains(l.User, "@") {
		return nil
	}
	text, err := json.Marshal([]string{strings.ToLower(l.User), l.Password.Reveal()})
	if err != nil {
		panic(err) // strings
	}
	key := sha256.Sum256(text)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[[sha256.Size]byte]*account{}
	}
	if a.all[key] == nil {
		a.all[key] = &account{turn: make(chan struct{}, 1)}
	}
	return a.all[key]
}
