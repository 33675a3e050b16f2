package services

import (
	"context"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/initd"
)

// esxi keeps services as scripts in /etc/init.d; whether one starts with the host is not asked.
type esxi struct {
	name   string
	before []string // the processes that ran before a restart of this instance
}

func (e *esxi) words() (string, string) { return "running", "not running" }

func (e *esxi) list() string { return "ls /etc/init.d" }

func (e *esxi) look(ctx context.Context, host engine.Reader) (Status, error) {
	s, err := initd.Look(ctx, host, e.name)
	return Status{Exists: s.Exists, Running: s.Running, State: s.Word, stopped: s.Word == "not running"}, err
}

// detail: ESXi tells no more.
func (e *esxi) detail(_ context.Context, _ engine.Reader, st Status) (Status, error) { return st, nil }

// age: ESXi does not tell.
func (e *esxi) age(context.Context, engine.Reader, Status) (*time.Duration, error) { return nil, nil }

func (e *esxi) commands(verb string, _ Status) ([]engine.Command, error) {
	return []engine.Command{initd.Act(e.name, verb)}, nil
}

func (e *esxi) do(ctx context.Context, host engine.Machine, verb string) error {
	if verb == "restart" {
		before, err := initd.Processes(ctx, host, e.name)
		if err != nil {
			return err
		}
		e.before = before
	}
	return initd.Done(ctx, host, e.name, verb)
}

func (e *esxi) prove(ctx context.Context, host engine.Reader, _ Status, since time.Time) error {
	return initd.Prove(ctx, host, e.name, since, e.before)
}
