package ssh

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
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
	open map[[sha256.Size]byte]int // how often a password was sent in a row without any verdict
}

// mostUnjudged is how often a password may be sent without a verdict, by a host that hangs or hangs up: it may count each as a
// failed login all the same, and hosts lock accounts after five.
const mostUnjudged = 3

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
	before := r.seen[o.proof()]
	r.mu.Unlock()
	if before == nil {
		return o.refusedLongAgo()
	}
	again := *before
	again.Msg += " (earlier in this run; it is not sent again)"
	return &again
}

// refusedLongAgo is what another run has found out. Where there are keys, they come first, and the password may not be wanted.
func (o *opening) refusedLongAgo() error {
	if o.transport.Refused == nil || o.login.password.IsZero() {
		return nil
	}
	var e *engine.Error
	if !errors.As(o.transport.Refused.Before(o.address, o.set.user, o.login.password), &e) {
		return nil
	}
	e.Host, e.Unreachable = o.host.Name, true
	if len(o.login.keys) > 0 {
		o.login.known = e
		return nil
	}
	o.keep(e)
	return e
}

// keep makes e the answer to whoever comes with the same password.
func (o *opening) keep(e *engine.Error) {
	r := &o.transport.refusals
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[[sha256.Size]byte]*engine.Error{}
	}
	r.seen[o.proof()] = e
}

// accepted ends what is remembered of a password that the host has taken.
func (o *opening) accepted() {
	if !o.login.used() || !o.login.gave() {
		return
	}
	r := &o.transport.refusals
	r.mu.Lock()
	delete(r.open, o.proof())
	r.mu.Unlock()
	if o.transport.Refused != nil {
		o.transport.Refused.Note(o.address, o.set.user, o.login.password, true)
	}
}

// unjudged counts a password that was sent and of which the host said nothing, as err tells.
func (o *opening) unjudged(err error) error {
	var e *engine.Error
	if !o.login.gave() || !errors.As(err, &e) {
		return err
	}
	r := &o.transport.refusals
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[o.proof()] != nil {
		return err
	}
	if r.open == nil {
		r.open, r.seen = map[[sha256.Size]byte]int{}, map[[sha256.Size]byte]*engine.Error{}
	}
	if r.open[o.proof()]++; r.open[o.proof()] >= mostUnjudged {
		kept := *e
		kept.Kind, kept.Hint = engine.KindAuth, "the host may count each as a failed login, and lock the account; look at it by hand"
		kept.Msg = fmt.Sprintf("the password was sent %d times, and the host never said whether it is right: %s", mostUnjudged, e.Msg)
		r.seen[o.proof()] = &kept
	}
	return err
}

// gave tells whether the host has seen the password.
func (l *login) gave() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent && !l.password.IsZero()
}

// remember keeps e, after the host has seen the password.
func (o *opening) remember(e *engine.Error) {
	if o.transport.Refused != nil && !o.login.password.IsZero() {
		o.transport.Refused.Note(o.address, o.set.user, o.login.password, false)
	}
	o.keep(e)
}
