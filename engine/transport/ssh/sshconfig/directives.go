package sshconfig

import (
	"slices"
	"strings"
)

// Use says what becomes of a directive.
type Use int

// What can become of one.
const (
	Honoured   Use = iota
	Irrelevant     // it makes no difference to what dsplay does
	Said           // it has no effect, and a notice says so where it would have one
	Refused        // without it the connection would be less safe than the file wants, so there is none
)

// Directive is one of OpenSSH's.
type Directive struct {
	Name    string
	Use     Use
	Note    string // Said, Refused: why, and what holds instead. Honoured: what becomes of the values in when
	Aliases string // other names, with blanks between them

	syntax syntax
	many   bool   // all lines count, not only the first
	fine   string // Said: values that ask for nothing
	when   string // Honoured: values to which Note applies
}

// complaint is the text of the notice that a value deserves, or "".
func (d *Directive) complaint(args []string) string {
	value := ""
	if len(args) > 0 {
		value = strings.ToLower(args[0])
	}
	switch {
	case d.Use == Said && !slices.Contains(strings.Fields(d.fine), value),
		d.Use == Honoured && slices.Contains(strings.Fields(d.when), value):
		return d.Note
	}
	return ""
}

func (d *Directive) refuses(args []string) bool {
	return d.Use == Refused && (len(args) == 0 || !slices.Contains(strings.Fields(d.fine), strings.ToLower(args[0])))
}

const off = "no false none" // values that ask for nothing

// Directives are all that OpenSSH 9.9 knows, those of widespread patches (Debian, Fedora, macOS), and those of newer
// versions that could matter.
var Directives = []*Directive{
	{Name: "HostName", syntax: one},
	{Name: "User", syntax: one},
	{Name: "Port", syntax: port},
	{Name: "IdentityFile", syntax: one, many: true, Aliases: "IdentityFile2"},
	{Name: "CertificateFile", syntax: one, many: true},
	{Name: "IdentitiesOnly", syntax: yesNo},
	{Name: "IdentityAgent", syntax: one},
	{Name: "UserKnownHostsFile", syntax: list},
	{Name: "GlobalKnownHostsFile", syntax: list},
	{Name: "HostKeyAlias", syntax: one},
	{Name: "HashKnownHosts", syntax: yesNo},
	{Name: "RevokedHostKeys", syntax: one},
	{Name: "StrictHostKeyChecking", syntax: choice("yes", "no", "true=yes", "false=no", "off=no", "ask", "accept-new"), when: "no ask",
		Note: "does not weaken anything here: an unknown host key is refused, and nobody is asked; accept-new would add it"},
	{Name: "ConnectTimeout", syntax: seconds, Aliases: "SetupTimeOut"},
	{Name: "ServerAliveInterval", syntax: seconds, when: "0", Aliases: "ProtocolKeepAlives",
		Note: "does not switch anything off: a silent host is always asked, see keepalive"},
	{Name: "ProxyJump", syntax: route},
	{Name: "ProxyCommand", syntax: command},
	{Name: "BindAddress", syntax: one},
	{Name: "AddressFamily", syntax: choice("any", "inet", "inet6")},
	{Name: "HostKeyAlgorithms", syntax: one},
	{Name: "PubkeyAcceptedAlgorithms", syntax: one, Aliases: "PubkeyAcceptedKeyTypes"},
	{Name: "KexAlgorithms", syntax: one},
	{Name: "Ciphers", syntax: one},
	{Name: "MACs", syntax: one},
	{Name: "RequiredRSASize", syntax: number, Aliases: "RSAMinSize"},
	{Name: "Tag", syntax: one},
	{Name: "IgnoreUnknown", syntax: one},

	{Name: "BindInterface", Use: Said, fine: off, Note: "has no effect; BindAddress has"},
	{Name: "CanonicalizeHostname", Use: Said, fine: off, Note: "has no effect: names are used as they are"},
	{Name: "CASignatureAlgorithms", Use: Said, Note: "has no effect: what signed a certificate is not restricted further"},
	{Name: "ControlMaster", Use: Said, fine: off, Note: "has no effect: dsplay has one connection per host of its own, and uses no master of ssh"},
	{Name: "ControlPath", Use: Said, fine: off, Note: "has no effect: dsplay has one connection per host of its own, and uses no master of ssh"},
	{Name: "DynamicForward", Use: Said, Note: "has no effect: dsplay forwards no ports"},
	{Name: "LocalForward", Use: Said, Note: "has no effect: dsplay forwards no ports"},
	{Name: "RemoteForward", Use: Said, Note: "has no effect: dsplay forwards no ports"},
	{Name: "ForwardAgent", Use: Said, fine: off, Note: "has no effect: dsplay hands the agent to no host"},
	{Name: "GSSAPIAuthentication", Use: Said, fine: off, Note: "has no effect: there is no Kerberos login over SSH"},
	{Name: "HostbasedAuthentication", Use: Said, fine: off, Note: "has no effect: there is no host-based login"},
	{Name: "KnownHostsCommand", Use: Said, fine: off, Note: "has no effect: host keys are known from files"},
	{Name: "NoHostAuthenticationForLocalhost", Use: Said, fine: off, Note: "has no effect: host keys are always verified"},
	{Name: "PermitLocalCommand", Use: Said, fine: off, Note: "has no effect: LocalCommand is not run"},
	{Name: "PKCS11Provider", Use: Said, fine: off, Note: "has no effect: put the key of the card into the agent", Aliases: "SmartcardDevice"},
	{Name: "PreferredAuthentications", Use: Said, Note: "has no effect: keys come first, then the password"},
	{Name: "PubkeyAuthentication", Use: Said, fine: "yes true unbound host-bound", Note: "has no effect: say IdentityFile none and IdentityAgent none"},
	{Name: "RemoteCommand", Use: Said, fine: off, Note: "has no effect: dsplay runs commands of its own"},
	{Name: "RequestTTY", Use: Said, fine: off + " auto", Note: "has no effect: commands have no terminal"},
	{Name: "SendEnv", Use: Said, Note: "has no effect: no environment is sent"},
	{Name: "SetEnv", Use: Said, Note: "has no effect: no environment is sent"},
	{Name: "ServerAliveCountMax", Use: Said, Note: "has no effect: one question without an answer is enough, see keepalive"},
	{Name: "SessionType", Use: Said, fine: "default", Note: "has no effect: dsplay runs commands of its own"},
	{Name: "Tunnel", Use: Said, fine: off, Note: "has no effect: dsplay opens no tunnels"},
	{Name: "VerifyHostKeyDNS", Use: Said, fine: off, Note: "has no effect: host keys are known from files"},

	{Name: "ProxyUseFdpass", Use: Refused, Note: "cannot be honoured: let ProxyCommand carry the bytes", fine: off},
	{Name: "RefuseConnection", Use: Refused, Note: "forbids this connection"},

	{Name: "AddKeysToAgent", Use: Irrelevant}, {Name: "BatchMode", Use: Irrelevant}, {Name: "CanonicalDomains", Use: Irrelevant},
	{Name: "CanonicalizeFallbackLocal", Use: Irrelevant}, {Name: "CanonicalizeMaxDots", Use: Irrelevant},
	{Name: "CanonicalizePermittedCNAMEs", Use: Irrelevant}, {Name: "ChannelTimeout", Use: Irrelevant}, {Name: "CheckHostIP", Use: Irrelevant},
	{Name: "ClearAllForwardings", Use: Irrelevant}, {Name: "Compression", Use: Irrelevant}, {Name: "ConnectionAttempts", Use: Irrelevant},
	{Name: "ControlPersist", Use: Irrelevant}, {Name: "EnableEscapeCommandline", Use: Irrelevant}, {Name: "EnableSSHKeysign", Use: Irrelevant},
	{Name: "EscapeChar", Use: Irrelevant}, {Name: "ExitOnForwardFailure", Use: Irrelevant}, {Name: "FingerprintHash", Use: Irrelevant},
	{Name: "ForkAfterAuthentication", Use: Irrelevant}, {Name: "ForwardX11", Use: Irrelevant}, {Name: "ForwardX11Timeout", Use: Irrelevant},
	{Name: "ForwardX11Trusted", Use: Irrelevant}, {Name: "GatewayPorts", Use: Irrelevant}, {Name: "GSSAPIDelegateCredentials", Use: Irrelevant},
	{Name: "GSSAPIClientIdentity", Use: Irrelevant}, {Name: "GSSAPIKexAlgorithms", Use: Irrelevant}, {Name: "GSSAPIKeyExchange", Use: Irrelevant},
	{Name: "GSSAPIRenewalForcesRekey", Use: Irrelevant}, {Name: "GSSAPIServerIdentity", Use: Irrelevant}, {Name: "GSSAPITrustDns", Use: Irrelevant},
	{Name: "HostbasedAcceptedAlgorithms", Use: Irrelevant, Aliases: "HostbasedKeyTypes"}, {Name: "IPQoS", Use: Irrelevant},
	{Name: "KbdInteractiveAuthentication", Use: Irrelevant, Aliases: "ChallengeResponseAuthentication SKeyAuthentication TISAuthentication"},
	{Name: "KbdInteractiveDevices", Use: Irrelevant}, {Name: "LocalCommand", Use: Irrelevant}, {Name: "LogLevel", Use: Irrelevant},
	{Name: "LogVerbose", Use: Irrelevant}, {Name: "NumberOfPasswordPrompts", Use: Irrelevant}, {Name: "ObscureKeystrokeTiming", Use: Irrelevant},
	{Name: "PasswordAuthentication", Use: Irrelevant}, {Name: "PermitRemoteOpen", Use: Irrelevant}, {Name: "RekeyLimit", Use: Irrelevant},
	{Name: "SecurityKeyProvider", Use: Irrelevant}, {Name: "StdinNull", Use: Irrelevant}, {Name: "StreamLocalBindMask", Use: Irrelevant},
	{Name: "StreamLocalBindUnlink", Use: Irrelevant}, {Name: "SyslogFacility", Use: Irrelevant}, {Name: "TCPKeepAlive", Use: Irrelevant, Aliases: "KeepAlive"},
	{Name: "TunnelDevice", Use: Irrelevant}, {Name: "UpdateHostKeys", Use: Irrelevant}, {Name: "UseKeychain", Use: Irrelevant},
	{Name: "VersionAddendum", Use: Irrelevant}, {Name: "VisualHostKey", Use: Irrelevant}, {Name: "WarnWeakCrypto", Use: Irrelevant}, {Name: "XAuthLocation", Use: Irrelevant},

	// Without effect in OpenSSH itself since long.
	{Name: "Protocol", Use: Irrelevant, Aliases: "Cipher FallBackToRsh GlobalKnownHostsFile2 RhostsAuthentication UserKnownHostsFile2 UseRoaming UseRsh " +
		"UsePrivilegedPort AFSTokenPassing KerberosAuthentication KerberosTGTPassing RSAAuthentication RhostsRSAAuthentication CompressionLevel DSAAuthentication"},
}

// directives has them by name and alias, in lower case.
var directives = byName()

func byName() map[string]*Directive {
	all := map[string]*Directive{}
	for _, d := range Directives {
		if d.syntax == nil {
			d.syntax = loose
		}
		for _, name := range append(strings.Fields(d.Aliases), d.Name) {
			all[strings.ToLower(name)] = d
		}
	}
	return all
}
