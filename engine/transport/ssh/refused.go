package ssh

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// refusals are the passwords that hosts did not take. A run that tries an entry again, or plans and then applies, opens a
// connection each time, and five of those would lock an account out. So it is for the life of a Transport, which is that
// of a run: a wrong password is one failed login, whatever the playbook says.
type refusals struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]*engine.Error
}

// proof is a password and its answers for a user of a host, as a hash, so that no secret lies about.
func (o *opening) proof() [sha256.Size]byte {
	words := []string{o.address, o.set.user, o.login.password.Reveal()}
	for _, question := range slices.Sorted(maps.Keys(o.login.answers)) {
		words = append(words, question, o.login.answers[question].Reveal())
	}
	text, err := json.Marshal(words)
	if err != nil {
		panic(err) // strings
	}
	return sha256.Sum256(text)
}

// refusedBefore is the error of an earlier connection that was refused the same password, or nil.
func (o *opening) refusedBefore() error {
	r := &o.transport.refusals
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 {
		return nil
	}
	before := r.seen[o.proof()]
	if before == nil {
		return nil
	}
	again := *before
	again.Msg += " (earlier in this run; it is not sent again)"
	return &again
}

// remember keeps e, after the host has seen the password.
func (o *opening) remember(e *engine.Error) {
	r := &o.transport.refusals
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[[sha256.Size]byte]*engine.Error{}
	}
	r.seen[o.proof()] = e
}
