package run

import (
	"maps"
	"slices"

	"github.com/dsplay/dsplay/engine"
)

// silent are the errors in the tree of err that say that a host did not answer.
func silent(err error) []*engine.Error {
	var found []*engine.Error
	if e, ok := err.(*engine.Error); ok && e.Unreachable { //nolint:errorlint // the tree is walked here
		found = append(found, e)
	}
	switch x := err.(type) { //nolint:errorlint // the tree is walked here
	case interface{ Unwrap() error }:
		found = append(found, silent(x.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, part := range x.Unwrap() {
			found = append(found, silent(part)...)
		}
	}
	return found
}

// blame notes the hosts that did not answer when they were asked for this one. How this one ends, it tells itself.
func (h *hostRun) blame(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range silent(err) {
		if e.Host != "" && e.Host != h.host.Name {
			h.pass.silent[e.Host] = e
		}
	}
}

// tellSilent reports the hosts that were asked for others and did not answer: they are unreachable themselves.
func (p *pass) tellSilent() error {
	for _, host := range slices.Sorted(maps.Keys(p.silent)) {
		if s := p.res.Hosts[host].Status; s != "" && s != engine.HostOK {
			continue // it told its end already
		}
		err := p.silent[host]
		p.note("", engine.Outcome{Host: host, Status: engine.HostUnreachable, Err: err})
		if err := p.write(engine.Event{Kind: engine.EventHostEnd, Host: host, Status: string(engine.HostUnreachable), Error: engine.NewEventError(err)}); err != nil {
			return err
		}
	}
	return nil
}
