package ssh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// Via says what the way to address leads through, and what of it an ssh_config says, with the lines; "": nothing.
func (s *Settings) Via(address string) string {
	p, parts, err := s.viaConfig(address)
	if err != nil {
		return strings.Join(parts, "; ")
	}
	var way string
	switch {
	case len(p.jump) > 0:
		way = "jump host " + texts(p.jump)[0]
		if len(p.jump) > 1 {
			way = "jump hosts " + strings.Join(texts(p.jump), ", ")
		}
	case p.command != "":
		way = "a ProxyCommand"
	default:
		way = p.dialer.Via(address)
	}
	if way != "" {
		parts = append([]string{way}, parts...)
	}
	return strings.Join(parts, "; ")
}

func (s *Settings) viaConfig(address string) (p parsed, parts []string, err error) {
	q, ok := s.question(address)
	if !ok {
		p, err = s.parse()
		return p, nil, err
	}
	a, err := s.read().last(context.Background(), q) //nolint:forbidigo // nothing is waited for: no command is run
	if errors.Is(err, sshconfig.ErrExec) {
		return p, []string{s.Config + ", which runs commands to decide"}, err
	}
	if err != nil {
		return p, []string{s.Config + ", which cannot be read"}, err
	}
	if said := a.said(s); said != "" {
		parts = []string{said}
	}
	p, err = s.with(a.options)
	return p, parts, err
}

// said lists what counts of the file, and what would and does not, by file: "~/.ssh/config: HostName db1 (line 3)".
func (a answer) said(s *Settings) string {
	var files []string
	lines := map[string][]string{}
	add := func(p sshconfig.Place, text string) {
		file := short(p.File)
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
		lines[file] = append(lines[file], fmt.Sprintf("%s (line %d)", text, p.Line))
	}
	for _, t := range a.options.Taken {
		if !s.overrules(t.Directive) {
			add(t.Place, t.Directive+" "+t.Value)
		}
	}
	for _, n := range a.notices {
		add(n.Place, n.Directive+" has no effect")
	}
	var all []string
	for _, file := range files {
		all = append(all, file+": "+strings.Join(lines[file], ", "))
	}
	return strings.Join(all, "; ")
}

// overrules tells whether the connection block says itself what a directive says.
func (s *Settings) overrules(directive string) bool {
	said := map[string]bool{
		"User": s.User != "", "Port": s.Port != 0, "IdentityFile": s.Key != "" || len(s.Keys) > 0, "CertificateFile": s.Certificate != "",
		"IdentitiesOnly": s.IdentitiesOnly != nil, "IdentityAgent": !s.Agent, "UserKnownHostsFile": s.namesKnownHosts(),
		"GlobalKnownHostsFile": s.namesKnownHosts(), "HostKeyAlias": s.HostKeyAlias != "", "StrictHostKeyChecking": s.HostKeys != "",
		"HashKnownHosts": s.HashKnownHosts, "RevokedHostKeys": s.RevokedHostKeys != "", "ConnectTimeout": s.ConnectTimeout != "",
		"ServerAliveInterval": s.Keepalive != "", "BindAddress": s.SourceAddress != "", "AddressFamily": s.AddressFamily != "",
		"ProxyJump": s.Jump != nil, "ProxyCommand": s.Jump != nil || s.Proxy != "",
		"Tag": true, "IgnoreUnknown": true, // they are for the file itself
	}
	return said[directive]
}

// unasked is a sentence for errors: ~/.ssh/config says something of the host, and nobody said that it should be asked.
func (s *Settings) unasked(ctx context.Context, address string) string {
	home, err := os.UserHomeDir()
	if s.Config != "" || err != nil {
		return ""
	}
	a, err := s.read().last(ctx, question{sshconfig.UserFile(home), sshconfig.Query{Host: address, NoExec: true}})
	if err != nil {
		return ""
	}
	for _, t := range a.options.Taken {
		if slices.Contains([]string{"HostName", "User", "Port", "IdentityFile", "ProxyJump", "ProxyCommand"}, t.Directive) {
			return fmt.Sprintf("; %s:%d has %s for it, and is not asked unless you say config = \"~/.ssh/config\" or -F ~/.ssh/config", short(t.File), t.Line, t.Directive)
		}
	}
	return ""
}

// short is a path with ~ for the home directory.
func short(path string) string {
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(path, home+string(filepath.Separator)); ok && err == nil {
		return "~/" + filepath.ToSlash(rest)
	}
	return path
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

// span is seconds as a duration is written; "" for 0.
func span(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return strconv.Itoa(seconds) + "s"
}

// checking is host_keys for a value of StrictHostKeyChecking: what would weaken it has no effect.
func checking(value string) string {
	switch value {
	case "accept-new":
		return "accept-new"
	case "":
		return ""
	}
	return "strict"
}

// readable are the files that can hold keys: what is written to /dev/null is forgotten, so that every key would be new.
func readable(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool { return f == os.DevNull })
}
