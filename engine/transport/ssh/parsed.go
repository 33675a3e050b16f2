package ssh

import (
	"cmp"
	"os"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
	"github.com/dsplay/dsplay/engine/transport/dialer"
	"github.com/dsplay/dsplay/engine/transport/ssh/sshconfig"
)

// parsed is Settings with what a configuration adds and with the defaults, in the types of their use.
type parsed struct {
	host               string // to connect to; "": the address of the inventory
	user, port         string
	keys               []string // files of keys that must be there; public ones stand for a key of the agent
	moreKeys           []string // files of keys that are offered if they can be used: those of ~/.ssh/config, or the usual ones
	certificates       []string // when there is one, those beside the keys do not count
	identitiesOnly     bool     // no key of the agent but those that keys names
	agentSocket        string   // "": $SSH_AUTH_SOCK; "none": no agent; "$NAME": that variable; else a path
	knownHosts         []string // files; accept-new writes to the first
	hostKeyAlias       string   // looked up instead of address and port
	acceptNew          bool
	hashKnownHosts     bool   // what accept-new writes
	revokedHostKeys    string // file; "": none
	connect, keepalive time.Duration
	dialer             *dialer.Dialer
	page               codepage.Page // of a Windows host
	jump               []stop        // in the order of travel
	command            string        // whose stdin and stdout are the wire; "": none
	lists              lists
	rsaBits            int // what an RSA key of the host must have
}

// What holds when neither the block nor a configuration says anything.
const (
	defaultPort      = 22
	defaultHostKeys  = "strict"
	defaultConnect   = "30s"
	defaultKeepalive = "15s"
)

// parse is with, where there is no configuration.
func (s *Settings) parse() (parsed, error) { return s.with(sshconfig.Options{}) }

// with puts together what s says, else o, else the default. Its error is a BadArg.
func (s *Settings) with(o sshconfig.Options) (p parsed, err error) {
	p = parsed{
		host: o.HostName, hostKeyAlias: cmp.Or(s.HostKeyAlias, o.HostKeyAlias), hashKnownHosts: s.HashKnownHosts || o.HashKnownHosts,
		revokedHostKeys: cmp.Or(engine.AtHome(s.RevokedHostKeys), o.RevokedHostKeys), rsaBits: o.RequiredRSASize,
		lists: lists{o.HostKeyAlgorithms, o.PubkeyAcceptedAlgorithms, o.KexAlgorithms, o.Ciphers, o.MACs},
	}
	if p.page, err = codepage.Find(s.Encoding); err != nil {
		return p, engine.BadArg{Arg: "encoding", Problem: "is wrong: " + err.Error()}
	}
	for _, step := range []func(*parsed, sshconfig.Options) error{s.times, s.who, s.way} {
		if err := step(&p, o); err != nil {
			return p, err
		}
	}
	s.proofs(&p, o)
	return p, s.trusted(&p, o)
}

func (s *Settings) times(p *parsed, o sshconfig.Options) (err error) {
	if p.connect, err = engine.DurationArg("connect_timeout", cmp.Or(s.ConnectTimeout, span(o.ConnectTimeout), defaultConnect)); err != nil {
		return err
	}
	p.keepalive, err = engine.DurationArg("keepalive", cmp.Or(s.Keepalive, span(o.ServerAliveInterval), defaultKeepalive))
	return err
}

func (s *Settings) who(p *parsed, o sshconfig.Options) error {
	port := cmp.Or(s.Port, o.Port, defaultPort)
	if port < 1 || port > 65535 {
		return engine.BadArg{Arg: "port", Problem: "must be from 1 to 65535, not " + strconv.Itoa(port)}
	}
	p.port = strconv.Itoa(port)
	if p.user = cmp.Or(s.User, o.User); p.user == "" {
		me, err := user.Current()
		if err != nil {
			return engine.BadArg{Arg: "user", Problem: "is needed: " + err.Error()}
		}
		p.user = me.Username
	}
	return nil
}

func (s *Settings) way(p *parsed, o sshconfig.Options) (err error) {
	family := map[string]string{"inet": "ipv4", "inet6": "ipv6"}[o.AddressFamily]
	p.dialer, err = dialer.New(dialer.Options{Proxy: s.Proxy, ProxyPassword: s.ProxyPassword,
		SourceAddress: cmp.Or(s.SourceAddress, o.BindAddress), AddressFamily: cmp.Or(s.AddressFamily, family)})
	if err != nil {
		return err
	}
	if p.jump, err = s.stops(o.Jump); err != nil {
		return err
	}
	if s.Jump == nil && s.Proxy == "" && len(p.jump) == 0 {
		p.command = o.ProxyCommand
	}
	return nil
}

// named are the keys that the block names.
func (s *Settings) named() []string {
	var keys []string
	for _, key := range append([]string{s.Key}, s.Keys...) {
		if key != "" {
			keys = append(keys, engine.AtHome(key))
		}
	}
	return keys
}

// proofs are keys, certificates and the agent. What a configuration names need not be there, as for ssh.
func (s *Settings) proofs(p *parsed, o sshconfig.Options) {
	p.keys = s.named()
	if len(p.keys) == 0 && len(o.IdentityFiles) == 0 {
		p.keys = s.fallback
	}
	switch {
	case s.Certificate != "":
		p.certificates = []string{engine.AtHome(s.Certificate)}
	case len(p.keys) == 0:
		p.certificates = slices.DeleteFunc(slices.Clone(o.CertificateFiles), func(f string) bool { _, err := os.Stat(f); return err != nil })
	}
	switch {
	case len(p.keys) > 0:
	case o.IdentityFiles != nil:
		p.moreKeys = o.IdentityFiles
	case s.Password.IsZero() || s.Certificate != "":
		p.moreKeys = usualKeys()
	}
	p.identitiesOnly = len(p.keys) > 0 || !s.Password.IsZero() || o.IdentitiesOnly
	if s.IdentitiesOnly != nil {
		p.identitiesOnly = *s.IdentitiesOnly
	}
	if p.agentSocket = o.IdentityAgent; !s.Agent {
		p.agentSocket = "none"
	}
}

// trusted are the files of host keys, and what becomes of an unknown key.
func (s *Settings) trusted(p *parsed, o sshconfig.Options) error {
	mode := cmp.Or(s.HostKeys, checking(o.StrictHostKeyChecking), defaultHostKeys)
	if mode != "strict" && mode != "accept-new" {
		return engine.BadArg{Arg: "host_keys", Problem: "must be strict or accept-new, not " + strconv.Quote(mode)}
	}
	p.acceptNew = mode == "accept-new"
	if s.namesKnownHosts() {
		p.knownHosts = s.knownHosts()
		return nil
	}
	own, system := []string{engine.AtHome("~/.ssh/known_hosts"), engine.AtHome("~/.ssh/known_hosts2")}, []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	if o.UserKnownHosts != nil {
		own = readable(o.UserKnownHosts)
		p.acceptNew = p.acceptNew && len(own) > 0 // else nothing could be added, and every key would be new for ever
	}
	if o.GlobalKnownHosts != nil {
		system = readable(o.GlobalKnownHosts)
	}
	p.knownHosts = slices.Concat(own, system)
	return nil
}

// namesKnownHosts tells whether the block says where host keys are known from.
func (s *Settings) namesKnownHosts() bool { return s.KnownHosts != "" || len(s.KnownHostsFiles) > 0 }

// knownHosts are the files that the block names, after the usual one when it names only further ones.
func (s *Settings) knownHosts() []string {
	var files []string
	for _, file := range append([]string{s.KnownHosts}, s.KnownHostsFiles...) {
		if file != "" {
			files = append(files, engine.AtHome(file))
		}
	}
	if s.KnownHosts == "" { // accept-new must not write to files that are only read
		return append([]string{engine.AtHome("~/.ssh/known_hosts")}, files...)
	}
	return files
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
