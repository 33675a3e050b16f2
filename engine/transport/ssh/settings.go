package ssh

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// Settings are the arguments of a connection "ssh" block.
type Settings struct {
	User       string        `hcl:"user,optional" doc:"User to log in as; by default the one who runs dsplay."`
	Port       int           `hcl:"port,optional" doc:"TCP port; 22."`
	Key        string        `hcl:"key,optional" doc:"File of a private key, or of a public one (KEY.pub) whose private key the SSH agent has. A certificate beside it (KEY-cert.pub) is offered, too."`
	Keys       []string      `hcl:"keys,optional" doc:"Files of more private keys. Servers hang up after about six."`
	Passphrase engine.Secret `hcl:"passphrase,optional" doc:"Passphrase of the keys. Without it, an encrypted key must be in the SSH agent."`
	Password   engine.Secret `hcl:"password,optional" doc:"Password of the user; sent once per connection, as password or keyboard-interactive, whichever the host offers."`
	// Answers are prefixes of questions; the longest that fits counts.
	Answers map[string]engine.Secret `hcl:"answers,optional" doc:"Answers to other questions than that for the password: { \"Verification code\" = secret(\"env:OTP\") }. A question is answered that begins so; letter case does not count."`
	Agent   bool                     `hcl:"agent,optional" doc:"Ask the SSH agent: for its keys when neither key nor password is given, and for an encrypted key. True."`

	Certificate    string `hcl:"certificate,optional" doc:"File of a user certificate for one of the keys, also for one of the agent. Without it, the one beside each key (KEY-cert.pub)."`
	IdentitiesOnly *bool  `hcl:"identities_only,optional" doc:"Offer only the keys that are named, though the agent has more. True as soon as a key or a password is given."`

	KnownHosts      string   `hcl:"known_hosts,optional" doc:"File of the known host keys, in the format of OpenSSH, and the one to which accept-new adds; ~/.ssh/known_hosts, and the files of the system are read too."`
	KnownHostsFiles []string `hcl:"known_hosts_files,optional" doc:"More such files, which are only read."`
	HostKeys        string   `hcl:"host_keys,optional" weakens:"accept-new" oneof:"strict accept-new" doc:"What to do with an unknown host key: strict refuses it (default), accept-new adds it to the file. A changed key is always refused."`
	HostKeyAlias    string   `hcl:"host_key_alias,optional" doc:"Name under which the host is looked up in the known host keys, and the name that its certificate must have; by default its address and port."`
	HashKnownHosts  bool     `hcl:"hash_known_hosts,optional" doc:"Write names hashed where accept-new adds one, so that the file does not tell where one goes."`
	RevokedHostKeys string   `hcl:"revoked_host_keys,optional" doc:"File of public keys, of hosts or of authorities, that are never accepted; a list, no KRL."`
	Legacy          bool     `hcl:"legacy_algorithms,optional" weakens:"true" doc:"Also offer SHA-1 key exchange, CBC ciphers and DSA host keys, last: for systems of before 2015, a weakening."`

	Proxy         string        `hcl:"proxy,optional" doc:"Proxy on the way to the host: socks5://USER@HOST:PORT, http://… or https://…; the proxy resolves the name. \"environment\" takes HTTPS_PROXY or ALL_PROXY, and NO_PROXY; without it they are ignored."`
	ProxyPassword engine.Secret `hcl:"proxy_password,optional" doc:"Password of the proxy's user."`
	SourceAddress string        `hcl:"source_address,optional" doc:"IP address of this machine, or name of one of its network interfaces, from which to connect."`
	AddressFamily string        `hcl:"address_family,optional" oneof:"any ipv4 ipv6" doc:"Which addresses of a name to use; any."`

	ConnectTimeout string `hcl:"connect_timeout,optional" doc:"How long name lookup, dial, handshake and login may take together; 30s."`
	Keepalive      string `hcl:"keepalive,optional" doc:"How long a host may be silent before it is asked, and again before it is given up; 15s."`

	Encoding string `hcl:"encoding,optional" doc:"Code page in which programs of a Windows host write and read: utf-8 (default), cp932, cp1252, cp850, cp437 and their like. On other systems it has no effect."`
}

// Validate refuses settings that can never work, with a BadArg.
func (s *Settings) Validate() error {
	_, err := s.parse()
	return err
}

// parsed is Settings with the defaults, in the types of their use.
type parsed struct {
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
}

func (s *Settings) parse() (p parsed, err error) {
	if p.connect, err = duration("connect_timeout", s.ConnectTimeout); err != nil {
		return p, err
	}
	if p.page, err = codepage.Find(s.Encoding); err != nil {
		return p, engine.BadArg{Arg: "encoding", Problem: "is wrong: " + err.Error()}
	}
	if p.keepalive, err = duration("keepalive", s.Keepalive); err != nil {
		return p, err
	}
	if p.dialer, err = dialer.New(dialer.Options{Proxy: s.Proxy, ProxyPassword: s.ProxyPassword, SourceAddress: s.SourceAddress, AddressFamily: s.AddressFamily}); err != nil {
		return p, err
	}
	if s.Port < 1 || s.Port > 65535 {
		return p, engine.BadArg{Arg: "port", Problem: "must be from 1 to 65535, not " + strconv.Itoa(s.Port)}
	}
	if s.HostKeys != "strict" && s.HostKeys != "accept-new" {
		return p, engine.BadArg{Arg: "host_keys", Problem: "must be strict or accept-new, not " + strconv.Quote(s.HostKeys)}
	}
	p.user, p.port, p.acceptNew = s.User, strconv.Itoa(s.Port), s.HostKeys == "accept-new"
	if p.user == "" {
		me, err := user.Current()
		if err != nil {
			return p, engine.BadArg{Arg: "user", Problem: "is needed: " + err.Error()}
		}
		p.user = me.Username
	}
	if s.Key != "" {
		p.keys = append(p.keys, expand(s.Key))
	}
	for _, key := range s.Keys {
		p.keys = append(p.keys, expand(key))
	}
	if s.Certificate != "" {
		p.certificates = []string{expand(s.Certificate)}
	}
	if len(p.keys) == 0 && (s.Password.IsZero() || s.Certificate != "") {
		p.moreKeys = usualKeys()
	}
	p.identitiesOnly = len(p.keys) > 0 || !s.Password.IsZero()
	if s.IdentitiesOnly != nil {
		p.identitiesOnly = *s.IdentitiesOnly
	}
	if !s.Agent {
		p.agentSocket = "none"
	}
	p.knownHosts, p.hostKeyAlias = s.knownHosts(), s.HostKeyAlias
	p.hashKnownHosts, p.revokedHostKeys = s.HashKnownHosts, expand(s.RevokedHostKeys)
	return p, nil
}

// usualKeys are those of ssh_config(5), IdentityFile.
func usualKeys() []string {
	var files []string
	for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
		files = append(files, expand("~/.ssh/"+name))
	}
	return files
}

// knownHosts are the files that are named; else those of OpenSSH (ssh_config(5), UserKnownHostsFile and GlobalKnownHostsFile).
func (s *Settings) knownHosts() []string {
	var files []string
	for _, file := range append([]string{s.KnownHosts}, s.KnownHostsFiles...) {
		if file != "" {
			files = append(files, expand(file))
		}
	}
	switch {
	case len(files) == 0:
		return []string{expand("~/.ssh/known_hosts"), expand("~/.ssh/known_hosts2"), "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	case s.KnownHosts == "": // accept-new must not write to files that are only read
		return append([]string{expand("~/.ssh/known_hosts")}, files...)
	}
	return files
}

// Via names the proxy on the way to address; "": there is none.
func (s *Settings) Via(address string) string {
	p, err := s.parse()
	if err != nil {
		return ""
	}
	return p.dialer.Via(net.JoinHostPort(address, p.port))
}

func duration(arg, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, engine.BadArg{Arg: arg, Problem: `must be a duration such as "30s", not ` + strconv.Quote(text)}
	}
	return d, nil
}

// expand replaces a leading ~/ by the home directory, as shells do.
func expand(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, rest)
}
