package engine

// Refused remembers beyond a run which passwords were refused, so that runs that follow each other (cron, resume, a person in
// despair) do not lock an account out by sending the same wrong one again and again. It is safe for use by several goroutines.
type Refused interface {
	// Before is why a password is not to be sent to a system now; nil: it may be sent. The system is its address with port,
	// and what counts logins there: an account.
	Before(address, user string, password Secret) error
	// Note says that a system has judged a password.
	Note(address, user string, password Secret, accepted bool)
}

// Wary is an API connection that has a memory for its login.
type Wary interface {
	// RefusedBefore is why its login is not to be sent now; nil: it may be.
	RefusedBefore() error
	// Judged says how the host took its login.
	Judged(accepted bool)
}
