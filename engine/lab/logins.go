package lab

import (
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
)

// What an ESXi host does about wrong passwords: Security.AccountLockFailures and Security.AccountUnlockTime, as they are by
// default (not verified on a host).
const (
	lockFailures = 5
	unlockTime   = 15 * time.Minute
)

// logins decide who comes in to an ESXi host over SSH, and count who did not. In lockdown mode nobody does, with whatever
// proof: the only account is root, which is not excepted. A password counts as wrong then: the careful reading.
type logins struct {
	clock clock.Clock

	mu       sync.Mutex
	lockdown bool
	refused  int       // proofs, keys among them
	wrong    int       // passwords in a row
	until    time.Time // the account is locked
}

func (l *logins) lock(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lockdown = on
}

// admit judges a proof that is right or not.
func (l *logins) admit(right, password bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if right && !l.lockdown && !(password && now.Before(l.until)) {
		if password {
			l.wrong = 0
		}
		return true
	}
	l.refused++
	if password {
		if l.wrong++; l.wrong >= lockFailures {
			l.wrong, l.until = 0, now.Add(l.clock.Real(unlockTime))
		}
	}
	return false
}

// reset is Clear.
func (l *logins) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lockdown, l.refused, l.wrong, l.until = false, 0, 0, time.Time{}
}

// truth tells what they counted.
func (l *logins) truth() (lockdown bool, refused int, locked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lockdown, l.refused, time.Now().Before(l.until)
}
