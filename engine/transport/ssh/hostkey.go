package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// knownFiles are the known_hosts files that were read, as long as they do not change on disk.
type knownFiles struct {
	mu   sync.Mutex
	sets map[string]knownSet // by the names of the files
}

type knownSet struct {
	db    *knownhosts.HostKeyDB // nil: there is no such file
	state string                // of the files on disk
}

// load returns the parsed files, or nil when there is none: then no host is known.
func (k *knownFiles) load(paths []string) (*knownhosts.HostKeyDB, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read(paths)
}

func (k *knownFiles) read(paths []string) (*knownhosts.HostKeyDB, error) {
	var files []string
	var state strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, path)
		fmt.Fprintf(&state, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	}
	name := strings.Join(paths, "\n")
	if set, ok := k.sets[name]; ok && set.state == state.String() {
		return set.db, nil
	}
	if len(files) == 0 {
		return nil, nil
	}
	db, err := knownhosts.NewDB(files...)
	if err != nil {
		return nil, err
	}
	if k.sets == nil {
		k.sets = map[string]knownSet{}
	}
	k.sets[name] = knownSet{db, state.String()}
	return db, nil
}

// add appends a key to the first file, unless the files have got one for this address meanwhile.
func (k *knownFiles) add(paths []string, address string, key ssh.PublicKey) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	db, err := k.read(paths)
	if err != nil {
		return err
	}
	if db != nil && len(db.HostKeys(address)) > 0 {
		return verify(db, address, nil, key)
	}
	path := paths[0]
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	line := knownhosts.Line([]string{address}, key) + "\n"
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
		line = "\n" + line
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Close())
}

// knownAs is the address under which the host is looked up.
func (o *opening) knownAs() string {
	if o.set.hostKeyAlias != "" {
		return net.JoinHostPort(o.set.hostKeyAlias, "22")
	}
	return o.address
}

// trust makes c accept the host keys that the settings say, and no other.
func (o *opening) trust(c *ssh.ClientConfig) error {
	known, err := o.transport.known.load(o.set.knownHosts)
	if err != nil {
		return o.failure(engine.KindHostKey, err, "mend that line; dsplay does not guess what it was meant to say")
	}
	c.HostKeyAlgorithms = hostKeyAlgorithms(known, o.knownAs(), o.settings.Legacy)
	c.HostKeyCallback = func(_ string, remote net.Addr, key ssh.PublicKey) error {
		if err := o.checkHostKey(known, remote, key); err != nil {
			return err
		}
		o.hostKey = key
		return nil
	}
	return nil
}

// verify asks the file; without one every key is unknown.
func verify(db *knownhosts.HostKeyDB, address string, remote net.Addr, key ssh.PublicKey) error {
	if db == nil {
		return &xknownhosts.KeyError{}
	}
	if remote == nil {
		remote = &net.TCPAddr{IP: net.IPv4zero}
	}
	return db.HostKeyCallback()(address, remote, key)
}

// checkHostKey judges the key that the host shows, and adds an unknown one where the settings say so.
func (o *opening) checkHostKey(db *knownhosts.HostKeyDB, remote net.Addr, key ssh.PublicKey) error {
	err := verify(db, o.knownAs(), remote, key)
	_, isCertificate := key.(*ssh.Certificate)
	if knownhosts.IsHostUnknown(err) && o.set.acceptNew && !isCertificate {
		if err := o.transport.known.add(o.set.knownHosts, o.knownAs(), key); err != nil {
			return o.failure(engine.KindHostKey, fmt.Errorf("cannot add the new host key: %w", err), "check the file known_hosts")
		}
		return nil
	}
	if err == nil {
		return nil
	}
	return o.distrust(err, key)
}

// distrust explains why a key is not accepted, and how it would be.
func (o *opening) distrust(err error, key ssh.PublicKey) *engine.Error {
	shown := key.Type() + " " + fingerprint(key)
	file, name := o.set.knownHosts[0], knownhosts.Normalize(o.knownAs())
	e := o.failure(engine.KindHostKey, nil, "")
	var differs *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		e.Msg = fmt.Sprintf("the host key %s is revoked (%s:%d)", shown, revoked.Revoked.Filename, revoked.Revoked.Line)
		e.Hint = "do not connect; ask who revoked it"
	case errors.As(err, &differs) && len(differs.Want) > 0:
		want := differs.Want[0]
		e.Msg = fmt.Sprintf("the host key has changed: it shows %s; %s:%d has %s %s", shown, want.Filename, want.Line, want.Key.Type(), fingerprint(want.Key))
		e.Hint = fmt.Sprintf("was the host installed anew, or is somebody in between? If its owner confirms the new one: ssh-keygen -R '%s' -f %s, and add it again", name, file)
	case errors.As(err, &differs):
		e.Msg = "the host key is not known: " + shown
		e.Hint = fmt.Sprintf(`compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub), then: %s >> %s; or host_keys = "accept-new"`, o.keyscan(key), file)
	default:
		e.Msg, e.Err = "the host certificate is not accepted: "+shown, err
		e.Hint = "check its principals and dates, and the line @cert-authority in " + file
	}
	return e
}

func (o *opening) keyscan(key ssh.PublicKey) string {
	kind := strings.TrimPrefix(key.Type(), "ssh-")
	if strings.HasPrefix(kind, "ecdsa") {
		kind = "ecdsa"
	}
	return fmt.Sprintf("ssh-keyscan -p %s -t %s %s", o.set.port, kind, engine.QuoteSh(o.host.Address))
}

// fingerprint is that of the key itself, also when a certificate is around it: a renewed one is the same host.
func fingerprint(key ssh.PublicKey) string {
	if certificate, ok := key.(*ssh.Certificate); ok {
		key = certificate.Key
	}
	return ssh.FingerprintSHA256(key)
}

// hostKeyAlgorithms asks first for the kinds of key that the file has for this host: a host has several, and one that
// the file does not have would look like a changed key (https://go.dev/issue/29286).
func hostKeyAlgorithms(db *knownhosts.HostKeyDB, address string, legacy bool) []string {
	all := []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA,
	}
	certificates := []string{
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01,
	}
	if legacy {
		all = append(all, ssh.InsecureKeyAlgoDSA) //nolint:staticcheck // asked for by legacy_algorithms
	}
	if db == nil {
		return all
	}
	var first []string
	for _, key := range db.HostKeys(address) {
		switch {
		case key.Cert: // of its authority; the host's own may be of any kind
			first = append(first, certificates...)
		case key.Type() == ssh.KeyAlgoRSA:
			first = append(first, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA)
		case slices.Contains(all, key.Type()):
			first = append(first, key.Type())
		}
	}
	return union(first, all)
}

// union is a and then what b has besides, each once.
func union(a, b []string) []string {
	var all []string
	for _, name := range slices.Concat(a, b) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
