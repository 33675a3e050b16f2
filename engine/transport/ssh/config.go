package ssh

import (
	"context"
	"os"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh/sshconfig"
)

// configs are the configurations of OpenSSH that were read, and what they said last about a host.
type configs struct {
	mu      sync.Mutex
	files   map[string]*sshconfig.File // by what the settings say
	answers map[question]answer
}

type question struct {
	file  string
	query sshconfig.Query
}

type answer struct {
	options sshconfig.Options
	notices []sshconfig.Notice
}

// load reads a file, once.
func (c *configs) load(name string) (*sshconfig.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.files[name]; ok {
		return f, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	f, err := sshconfig.Load(home, name)
	if err != nil {
		return nil, err
	}
	if c.files == nil {
		c.files = map[string]*sshconfig.File{}
	}
	c.files[name] = f
	return f, nil
}

// ask asks the file of q, and remembers the answer.
func (c *configs) ask(ctx context.Context, q question) (answer, error) {
	f, err := c.load(q.file)
	if err != nil {
		return answer{}, err
	}
	var a answer
	if a.options, a.notices, err = f.Resolve(ctx, q.query); err != nil {
		return answer{}, err
	}
	a.notices = append(a.notices, unknownAlgorithms(a.options)...)
	if !q.query.NoExec {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.answers == nil {
			c.answers = map[question]answer{}
		}
		c.answers[q] = a
	}
	return a, nil
}

// last is what the file said when a connection was made; else what it says as far as no command has to be run for it.
func (c *configs) last(ctx context.Context, q question) (answer, error) {
	c.mu.Lock()
	a, ok := c.answers[q]
	c.mu.Unlock()
	if ok {
		return a, nil
	}
	q.query.NoExec = true
	return c.ask(ctx, q)
}

// question is what the file of s is asked about a host; ok is false when there is no file.
func (s *Settings) question(address string) (q question, ok bool) {
	if s.Config == "" || s.Config == "none" {
		return q, false
	}
	return question{s.Config, sshconfig.Query{Host: address, User: s.User, Port: s.Port}}, true
}

// read returns where s keeps what was read.
func (s *Settings) read() *configs {
	if s.configs == nil {
		return &configs{}
	}
	return s.configs
}

// resolve is parse, with what the configuration adds for the host at address.
func (s *Settings) resolve(ctx context.Context, address string) (parsed, error) {
	q, ok := s.question(address)
	if !ok {
		return s.parse()
	}
	a, err := s.read().ask(ctx, q)
	if err != nil {
		return parsed{}, err
	}
	return s.with(a.options)
}

// checkConfig reads the file of s, so that mistakes show before anything is contacted.
func (s *Settings) checkConfig() error {
	if q, ok := s.question(""); ok {
		if _, err := s.read().load(q.file); err != nil {
			return engine.BadArg{Arg: "config", Problem: "cannot be read: " + err.Error()}
		}
	}
	return nil
}
