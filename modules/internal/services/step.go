package services

import (
	"context"
	"fmt"

	"github.com/dsplay/dsplay/engine"
)

// Check compares the service with the arguments.
func (s *Service) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if s.State == "" && s.Enabled == nil {
		return engine.Diff{}, engine.BadArg{Arg: "state", Problem: "is missing: a step says state, enabled, or both"}
	}
	if s.manager == nil {
		m, err := managerOf(ctx, host, s.Name)
		if err != nil {
			return engine.Diff{}, err
		}
		s.manager = m
	}
	st, err := s.manager.look(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	if !st.Exists {
		return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "service", Msg: fmt.Sprintf("there is no service %q on %s", s.Name, host.Name()),
			Hint: "list them with: " + s.manager.list()}
	}
	if s.Enabled != nil {
		if st, err = s.manager.detail(ctx, host, st); err != nil {
			return engine.Diff{}, err
		}
	}
	diff, err := s.compare(st)
	if err != nil {
		return engine.Diff{}, err
	}
	return s.announce(ctx, host, st, diff)
}

// compare decides what is to be done.
func (s *Service) compare(st Status) (engine.Diff, error) {
	var diff engine.Diff
	s.verbs = nil
	if s.Enabled != nil {
		if st.Enabled == nil {
			return diff, engine.BadArg{Arg: "enabled", Problem: "cannot be told or set on this host"}
		}
		if *st.Enabled != *s.Enabled {
			diff.Changes = append(diff.Changes, engine.Change{What: s.Name + " at boot", Before: able(*st.Enabled), After: able(*s.Enabled)})
			s.verbs = append(s.verbs, map[bool]string{true: "enable", false: "disable"}[*s.Enabled])
		}
	}
	running, stopped := s.manager.words()
	switch {
	case s.State == "started" && !st.Running:
		diff.Changes = append(diff.Changes, engine.Change{What: s.Name, Before: st.State, After: running})
		s.verbs = append(s.verbs, "start")
	case s.State == "stopped" && !st.stopped:
		diff.Changes = append(diff.Changes, engine.Change{What: s.Name, Before: st.State, After: stopped})
		s.verbs = append(s.verbs, "stop")
	case s.State == "restarted":
		diff.Act = "restart " + s.Name
		s.verbs = append(s.verbs, "restart")
	}
	if diff.Empty() {
		diff.Note = s.Name + " is " + st.State
		if s.Enabled != nil {
			diff.Note += " and " + able(*st.Enabled)
		}
	}
	return diff, nil
}

func able(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}

// announce adds the exact commands of what compare decided.
func (s *Service) announce(ctx context.Context, host engine.Reader, st Status, diff engine.Diff) (engine.Diff, error) {
	for _, verb := range s.verbs {
		commands, err := s.manager.commands(verb, st)
		if err != nil {
			return engine.Diff{}, err
		}
		for _, c := range commands {
			line, err := host.Line(ctx, c)
			if err != nil {
				return engine.Diff{}, err
			}
			diff.Commands = append(diff.Commands, line)
		}
	}
	return diff, nil
}

// Apply does what Check announced and waits until the host says that it is so.
func (s *Service) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	for _, verb := range s.verbs {
		if err := s.manager.do(ctx, host, verb); err != nil {
			return nil, err
		}
	}
	return whole(ctx, host, s.manager)
}

// run executes commands one after the other.
func run(ctx context.Context, host engine.Machine, commands []engine.Command) error {
	for _, c := range commands {
		if _, err := host.Do(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
