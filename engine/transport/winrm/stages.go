package winrm

import (
	"net/http"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// note remembers what the first answers of a host tell by the way: its clock, and on a refusal the ways to log in.
func (l *link) note(r *http.Response) {
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil && l.clock.IsZero() {
		l.clock = date.Add(time.Second / 2) // the header is cut to seconds
	}
	if r.StatusCode != http.StatusUnauthorized {
		return
	}
	l.offered = offersOf(r.Header)
}

// loginStage is the stage of a login that is over. What a host offers is told by a refusal only: a challenge names the
// one way that was chosen.
func (l *link) loginStage(way string, err error) engine.Stage {
	s := engine.Stage{Detail: l.user + " by " + way, Clock: l.clock, Err: err}
	if err != nil {
		s.Detail, s.Offered = "", l.offered
	}
	return s
}
