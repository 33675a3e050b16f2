package ssh

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

// distrust explains why a key is not accepted, and how it would be.
func (o *opening) distrust(keys *hostKeys, v verdict, key ssh.PublicKey) *engine.Error {
	shown := keyType(key) + " " + fingerprint(key)
	e := o.failure(engine.KindHostKey, nil, "")
	switch v.is {
	case revoked:
		e.Msg = fmt.Sprintf("the host key %s is revoked (%s)", shown, v.why)
		if v.line != nil && !v.line.Is(bare(key)) {
			e.Msg = fmt.Sprintf("the host key %s has a certificate of an authority that is revoked (%s)", shown, v.why)
		}
		e.Hint = "do not connect; ask who revoked it"
	case uncertified:
		e.Msg = fmt.Sprintf("the certificate of the host key %s %s", shown, v.why)
		e.Hint = fmt.Sprintf("it is of the authority at %s; the host needs a new one (HostCertificate of sshd), or its plain key in %s", v.line.Place(), o.ownFile())
	case changed:
		e.Msg = fmt.Sprintf("the host key has changed: it shows %s; %s has %s %s", shown, v.line.Place(), v.line.Type, fingerprintOf(v.line))
		e.Hint = fmt.Sprintf("was the host installed anew, or is somebody in between? If its owner confirms the new one: ssh-keygen -R %s -f %s, and add it again", quoteName(keys.names[0]), engine.QuoteSh(v.line.File))
	default:
		e.Msg = "the host key is not known: " + shown + o.stranger(keys, key)
		e.Hint = fmt.Sprintf(`compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub), then: %s >> %s; or host_keys = "accept-new"`, o.keyscan(keys, key), o.ownFile())
	}
	return e
}

// ownFile is where a key would have to be written.
func (o *opening) ownFile() string {
	if len(o.set.knownHosts) == 0 {
		return "a file that known_hosts of the connection block names (the configuration names none)"
	}
	return o.set.knownHosts[0]
}

// stranger is what else there is to know about an unknown key.
func (o *opening) stranger(keys *hostKeys, key ssh.PublicKey) string {
	var more strings.Builder
	if certificate, ok := key.(*ssh.Certificate); ok {
		fmt.Fprintf(&more, "; its certificate is of an authority that no line @cert-authority has for %s: %s", keys.names[0], fingerprint(certificate.SignatureKey))
	}
	if unread := keys.known.Unread(); len(unread) > 0 {
		more.WriteString("; cannot be read: " + list(unread))
	}
	return more.String()
}

// keyscan is the command that fetches the line for the file.
func (o *opening) keyscan(keys *hostKeys, key ssh.PublicKey) string {
	kind := strings.TrimPrefix(keyType(key), "ssh-")
	if strings.HasPrefix(kind, "ecdsa") {
		kind = "ecdsa"
	}
	host, port, err := net.SplitHostPort(o.address)
	if err != nil {
		host, port = o.address, "22"
	}
	command := fmt.Sprintf("ssh-keyscan -p %s -t %s %s", port, kind, engine.QuoteSh(host))
	if n := len(o.set.jump); n > 0 { // from here the host may not be reached
		command = "ssh " + engine.QuoteSh(o.set.jump[n-1].text) + " " + engine.QuoteSh(command)
	}
	if o.set.hostKeyAlias != "" {
		command += " | awk -v n=" + engine.QuoteSh(keys.names[0]) + " '{$1=n}1'"
	}
	return command
}

// quoteName quotes a name as a word, also where it has brackets, which some shells take for a pattern.
func quoteName(name string) string { return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'" }

func fingerprintOf(l *knownhosts.Line) string {
	sum := sha256.Sum256(l.Key)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}
