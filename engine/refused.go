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

// LogIn calls send, which sends the login of api, unless that was refused a short time ago, and remembers how the host took it.
// wrong tells whether an error of send means that the password is wrong; any other says nothing of it.
func LogIn(api API, send func() error, wrong func(error) bool) error {
	w, ok := api.(Wary)
	if !ok {
		return send()
	}
	if err := w.RefusedBefore(); err != nil {
		return err
	}
	err := send()
	if err == nil || wrong(err) {
		w.Judged(err == nil)
	}
	return err
}
