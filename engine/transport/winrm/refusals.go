package winrm

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// refusals are the passwords that hosts did not take. A run that tries an entry again, or plans and then applies, opens a
// connection each time, and a few of those would lock the account out. What a host has once taken is right, though it may
// be refused while the host starts and does not reach its domain; that is tried again. The zero value is ready.
type refusals struct {
	mu    sync.Mutex
	right map[[sha256.Size]byte]bool
	seen  map[[sha256.Size]byte]*engine.Error
}

// proof is a password of a user at a host, as a hash, so that no secret lies about.
func (d *dialer) proof() [sha256.Size]byte {
	text, err := json.Marshal([]string{d.target, d.settings.Auth, d.settings.User, d.settings.Password.Reveal()})
	if err != nil {
		panic(err) // strings
	}
	return sha256.Sum256(text)
}

// before is the error of an earlier connection of this run that was refused the same password, or nil.
func (r *refusals) before(d *dialer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.seen[d.proof()]
	if e == nil {
		return nil
	}
	again := *e
	again.Msg += " (earlier in this run; it is not sent again)"
	return &again
}

// remember keeps e, which the host answered to a password.
func (r *refusals) remember(d *dialer, e *engine.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.right[d.proof()] {
		return
	}
	if r.seen == nil {
		r.seen = map[[sha256.Size]byte]*engine.Error{}
	}
	r.seen[d.proof()] = e
}

// took notes that the host has taken the password.
func (r *refusals) took(d *dialer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.right == nil {
		r.right = map[[sha256.Size]byte]bool{}
	}
	r.right[d.proof()] = true
}
