package vsphere

import (
	"context"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// Check tells by which requests the service would become what it should be.
func (s *esxiService) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if s.State == "" && s.Policy == "" {
		return engine.Diff{}, engine.BadArg{Arg: "state", Problem: "or policy must say what a step makes of the service"}
	}
	list, now, err := s.now(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	diff := s.compare(list, now)
	if now.Required && s.State == "stopped" && !diff.Empty() {
		return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "stop " + s.Service + " of " + list.Host, Msg: "the ESXi host cannot do without it"}
	}
	for _, r := range s.requests {
		diff.Commands = append(diff.Commands, r.String())
	}
	if len(s.requests) == 0 {
		return diff, nil
	}
	return warned(ctx, host, diff, s.requests[0]) // all need the same
}

// now reads the service anew.
func (s *esxiService) now(ctx context.Context, host engine.Reader) (vsphere.Services, vsphere.Service, error) {
	h, err := which{s.Name, s.Ref}.must(ctx, host)
	if err != nil {
		return vsphere.Services{}, vsphere.Service{}, err
	}
	list, err := s.look(ctx, host, h)
	if err != nil {
		return list, vsphere.Service{}, err
	}
	now, ok := list.Find(s.Service)
	if !ok {
		keys := make([]string, len(list.List))
		for i, x := range list.List {
			keys[i] = x.Key
		}
		err = &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the service " + s.Service, Msg: h.Name + " does not list it",
			Hint: "it has " + strings.Join(keys, ", ")}
	}
	return list, now, err
}

// compare says what differs, and keeps the requests that change it.
func (s *esxiService) compare(list vsphere.Services, now vsphere.Service) (diff engine.Diff) {
	s.requests = nil
	what := s.Service + " of " + list.Host
	switch {
	case s.State == "restarted":
		diff.Act = "restart " + what
		diff.Note = "vSphere cannot show that it happened, only that the ESXi host answered it and that the service runs"
		s.requests = append(s.requests, list.Restarting(s.Service))
	case s.State == "started" && !now.Running:
		diff.Changes = append(diff.Changes, engine.Change{What: what, Before: "stopped", After: "running"})
		s.requests = append(s.requests, list.Starting(s.Service))
	case s.State == "stopped" && now.Running:
		diff.Changes = append(diff.Changes, engine.Change{What: what, Before: "running", After: "stopped"})
		s.requests = append(s.requests, list.Stopping(s.Service))
	}
	if s.Policy != "" && s.Policy != now.Policy {
		diff.Changes = append(diff.Changes, engine.Change{What: "policy of " + what, Before: now.Policy, After: s.Policy})
		s.requests = append(s.requests, list.Governing(s.Service, s.Policy))
	}
	if diff.Empty() {
		diff.Note = what + " is " + map[bool]string{true: "running", false: "stopped"}[now.Running] + ", its policy " + now.Policy
	}
	return diff
}

// Apply sends the requests of Check, each of which is answered when it is done.
func (s *esxiService) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	for _, r := range s.requests {
		if _, err := send(ctx, host, diff, r); err != nil {
			return nil, err
		}
	}
	s.answered = true
	list, _, err := s.now(ctx, host)
	if err != nil {
		return nil, err
	}
	return s.result(list), nil
}

// Prove shows as much as vSphere tells: that the host answered the restart, and that the service runs.
func (s *esxiService) Prove(ctx context.Context, host engine.Reader, _ time.Time) error {
	list, now, err := s.now(ctx, host)
	switch what := s.Service + " of " + list.Host; {
	case err != nil:
		return err
	case !now.Running:
		return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + what, Msg: "it does not run", Hint: "look at the log of the ESXi host; then start it"}
	case !s.answered:
		return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + what,
			Msg:  "it runs, and nobody can tell since when: vSphere tells neither the process nor the start time of a service",
			Hint: "is what it serves back? If not, restart it again", Err: engine.ErrUnprovable}
	}
	return nil
}
