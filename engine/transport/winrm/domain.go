package winrm

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// account is a password of an account of a domain, which counts the failed logins of all hosts together.
type account struct {
	turn    chan struct{} // full while somebody logs in
	mu      sync.Mutex
	taken   bool     // by a host
	refused []string // hosts
}

const (
	// doubts is how many hosts must refuse a password before no other host is asked. One is not enough: a host that has lost its
	// domain refuses what is right.
	doubts = 2
	// unanswered is how long a host may keep the others from logging in: one that says nothing has not judged the password.
	unanswered = 3 * time.Second
)

// inTurn calls login, which logs in to the host of d. Until a host has taken the password of a domain's account, the hosts are
// asked one after the other, so that a wrong one makes as few failed logins as doubts says, whatever the number of hosts.
func (r *refusals) inTurn(ctx context.Context, d *dialer, login func() error) error {
	a := r.account(d)
	if a == nil {
		return login()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case a.turn <- struct{}{}:
	}
	next := sync.OnceFunc(func() { <-a.turn })
	defer next()
	a.mu.Lock()
	taken, hosts := a.taken, slices.Clone(a.refused)
	a.mu.Unlock()
	switch {
	case taken:
		next()
	case len(hosts) >= doubts:
		return d.loginError(engine.KindAuth, strings.Join(hosts, " and ")+" refused "+d.settings.User+" with this password, so it is not sent here in this run: its domain would lock the account",
			"check user and password; if they are right, those hosts may have lost their domain: leave them out", nil)
	default:
		defer time.AfterFunc(unanswered, next).Stop()
	}
	err := login()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taken = a.taken || err == nil; r.before(d) != nil {
		a.refused = append(a.refused, d.host)
	}
	return err
}

// account is that of d; nil: none that a domain judges when a host asks it. Basic is for accounts of the host itself, and Kerberos
// asks the domain, once for all hosts.
func (r *refusals) account(d *dialer) *account {
	user := d.settings.User
	domain, _ := splitUser(user)
	computer, _, _ := strings.Cut(d.host, ".")
	if d.settings.Auth != "ntlm" || domain == "." || strings.EqualFold(domain, computer) || domain == "" && !strings.Contains(user, "@") {
		return nil
	}
	text, err := json.Marshal([]string{strings.ToLower(user), d.settings.Password.Reveal()})
	if err != nil {
		panic(err) // strings
	}
	key := sha256.Sum256(text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accounts == nil {
		r.accounts = map[[sha256.Size]byte]*account{}
	}
	if r.accounts[key] == nil {
		r.accounts[key] = &account{turn: make(chan struct{}, 1)}
	}
	return r.accounts[key]
}
