package ssh

import (
	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh/sshconfig"
)

// Settings are the arguments of a connection "ssh" block.
type Settings struct {
	User       string        `hcl:"user,optional" doc:"User to log in as; by default the one who runs dsplay."`
	Port       int           `hcl:"port,optional" doc:"TCP port; 22."`
	Key        string        `hcl:"key,optional" doc:"File of a private key, or of a public one (KEY.pub) whose private key the SSH agent has. A certificate beside it (KEY-cert.pub) is offered, too."`
	Keys       []string      `hcl:"keys,optional" doc:"Files of more private keys. Servers hang up after about six."`
	Passphrase engine.Secret `hcl:"passphrase,optional" doc:"Passphrase of the keys. Without it, an encrypted key must be in the SSH agent."`
	Password   engine.Secret `hcl:"password,optional" doc:"Password of the user; sent once, as password or keyboard-interactive, whichever the host offers."`
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

	Jump   []string `hcl:"jump,optional" doc:"Jump hosts on the way, first to last: names of hosts in the inventory, whose own connection blocks apply, or [USER@]ADDRESS[:PORT]. [] is none, whatever config says."`
	Config string   `hcl:"config,optional" doc:"File of OpenSSH's client configuration that says what this block does not, as for ssh ADDRESS: \"~/.ssh/config\". By default that of -F, else none; \"none\" is none."`

	ConnectTimeout string `hcl:"connect_timeout,optional" doc:"How long name lookup, dial, handshake and login may take together; 30s."`
	Keepalive      string `hcl:"keepalive,optional" doc:"How long a host may be silent before it is asked, and again before it is given up; 15s."`

	Encoding string `hcl:"encoding,optional" doc:"Code page in which programs of a Windows host write and read: utf-8 (default), cp932, cp1252, cp850, cp437 and their like. On other systems it has no effect."`

	configs  *configs        // what was read of Config
	route    []sshconfig.Hop // of a jump host that a configuration names: how it is reached; nil: as the configuration says
	fallback []string        // of a jump host: keys when neither it nor the configuration names any
}

// Validate refuses settings that can never work, with a BadArg.
func (s *Settings) Validate() error {
	if err := s.checkConfig(); err != nil {
		return err
	}
	_, err := s.parse()
	return err
}

// usualKeys are those of ssh_config(5), IdentityFile.
func usualKeys() []string {
	var files []string
	for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
		files = append(files, engine.AtHome("~/.ssh/"+name))
	}
	return files
}
