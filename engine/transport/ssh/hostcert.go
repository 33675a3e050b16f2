package ssh

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

// authority is the line by which whoever signed the certificate may do so for this host.
func (k *hostKeys) authority(c *ssh.Certificate) *knownhosts.Line {
	for _, name := range k.names {
		for _, line := range k.known.Authorities(name) {
			if line.Is(c.SignatureKey) {
				return line
			}
		}
	}
	return nil
}

// objection says why a certificate of a known authority does not prove that this is the host; "": it does. As in
// OpenSSH 9.2: one without principals is for every host, they have no wildcards, and never a port.
func (k *hostKeys) objection(c *ssh.Certificate, now time.Time) string {
	if len(c.ValidPrincipals) > 0 && !slices.Contains(c.ValidPrincipals, k.principal) {
		return fmt.Sprintf("is for %s, not for %s", list(c.ValidPrincipals), k.principal)
	}
	if c.CertType != ssh.HostCert {
		return "is one for users"
	}
	return invalid(c, now, k.legacy)
}

// invalid says what is wrong with a certificate whoever it is for; "": nothing.
func invalid(c *ssh.Certificate, now time.Time, legacy bool) string {
	switch {
	case c.Signature.Format == ssh.KeyAlgoRSA && !legacy: // as OpenSSH since 8.2
		return "is signed with SHA-1 (ssh-rsa)"
	case uint64(now.Unix()) < c.ValidAfter: //nolint:gosec // it is after 1970
		return fmt.Sprintf("is not valid before %s (the clock here says %s)", date(c.ValidAfter), clock(now))
	case uint64(now.Unix()) >= c.ValidBefore: //nolint:gosec // it is after 1970
		return fmt.Sprintf("has expired: it was valid from %s to %s (the clock here says %s)", date(c.ValidAfter), date(c.ValidBefore), clock(now))
	}
	if c.CertType == ssh.HostCert && len(c.CriticalOptions) > 0 {
		return "has critical options, of which OpenSSH defines none for hosts"
	}
	return forged(c, now)
}

// forged lets the library verify the signature; who it is for was looked at before.
func forged(c *ssh.Certificate, now time.Time) string {
	checker := ssh.CertChecker{Clock: func() time.Time { return now }}
	for name := range c.CriticalOptions {
		checker.SupportedCriticalOptions = append(checker.SupportedCriticalOptions, name)
	}
	principal := ""
	if len(c.ValidPrincipals) > 0 {
		principal = c.ValidPrincipals[0]
	}
	if err := checker.CheckCert(principal, c); err != nil {
		return "cannot be verified: " + err.Error()
	}
	return ""
}

// date is a time of a certificate; all are in UTC.
func date(seconds uint64) string {
	const tooLate = 1 << 40 // the year 36812; ssh-keygen writes the greatest number for "forever"
	switch {
	case seconds == 0:
		return "ever"
	case seconds >= tooLate:
		return "forever"
	}
	return clock(time.Unix(int64(seconds), 0)) //nolint:gosec // it is less than tooLate
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// list is some names for an error: not a thousand.
func list(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
