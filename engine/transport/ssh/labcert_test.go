//go:build lab

package ssh_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// certify signs the key NAME.pub in dir by the authority, and returns the file of the key.
func certify(t *testing.T, authority, dir, name string, options ...string) string {
	t.Helper()
	key := userKey(t, nil, dir, name, "ed25519")
	command(t, "ssh-keygen", append(append([]string{"-q", "-s", authority, "-I", name}, options...), key+".pub")...)
	return key
}

func tryUserCertificates(t *testing.T, all *tried) {
	const system = "`TrustedUserCAKeys`, no authorized keys"
	dir := t.TempDir()
	authority := userKey(t, nil, dir, "ca", "ed25519")
	revoked := certify(t, authority, dir, "revoked", "-n", "root")
	command(t, "cp", revoked+".pub", dir+"/revokedkeys")
	write(t, dir+"/principals", "admins\n")
	s := startSSHD(t, "127.0.22.4", "UsePAM no", "TrustedUserCAKeys "+authority+".pub", "RevokedKeys "+dir+"/revokedkeys", "PasswordAuthentication no", "KbdInteractiveAuthentication no")
	try := func(with, key, want string) {
		t.Helper()
		all.row(t, system, with, s.host(t, "root", "ed25519", withKey(key)), want)
	}
	good := certify(t, authority, dir, "good", "-n", "root")
	try("a key with its certificate beside it", good, "logs in as root by publickey")
	try("a certificate that has expired", certify(t, authority, dir, "expired", "-n", "root", "-V", "20200101000000Z:20210101000000Z"), "has expired: it was valid from 2020-01-01 00:00 UTC to 2021-01-01 00:00 UTC")
	try("a certificate that is not valid yet", certify(t, authority, dir, "early", "-n", "root", "-V", "20400101000000Z:20410101000000Z"), "is not valid before 2040-01-01 00:00 UTC")
	try("a certificate for others", certify(t, authority, dir, "others", "-n", "ann,bob"), "is for ann, bob, not for root")
	try("a certificate of an authority that the host does not trust", certify(t, userKey(t, nil, dir, "ca2", "ed25519"), dir, "stranger", "-n", "root"), "refused root")
	try("a certificate whose key is in `RevokedKeys`", revoked, "refused root")
	command(t, "mv", good+"-cert.pub", dir+"/elsewhere.pub")
	realAgent(t, good)
	if err := os.Remove(good); err != nil {
		t.Fatal(err)
	}
	all.row(t, system, "a key of the agent, and `certificate`", s.host(t, "root", "ed25519", func(s *ssh.Settings) { s.Agent, s.Certificate = true, dir+"/elsewhere.pub" }), "logs in")

	s = startSSHD(t, "127.0.22.5", "UsePAM no", "TrustedUserCAKeys "+authority+".pub", "AuthorizedPrincipalsFile "+dir+"/principals")
	all.row(t, "that, and `AuthorizedPrincipalsFile` has `admins`", "a certificate for `admins`", s.host(t, "root", "ed25519", withKey(certify(t, authority, dir, "admins", "-n", "admins"))), "logs in")
}

func tryHostCertificates(t *testing.T, all *tried) {
	dir := t.TempDir()
	authority := userKey(t, nil, dir, "ca", "ed25519")
	public := read(t, authority+".pub")
	for _, test := range []struct {
		system  string
		options []string
		tries   []trustCase
	}{
		{"a host certificate for its address", []string{"-n", "127.0.22.6"}, []trustCase{
			{"`@cert-authority *`", []string{"@cert-authority * " + public}, "", "ssh-ed25519-cert-v01@openssh.com"},
			{"`@cert-authority ADDRESS`, without the port", []string{"@cert-authority 127.0.22.6 " + public}, "", "logs in"},
			{"`@cert-authority` for another host", []string{"@cert-authority *.example " + public}, "", "no line @cert-authority has"},
			{"that, and the plain key", []string{"@cert-authority *.example " + public, "PLAIN"}, "", "logs in"},
			{"`@cert-authority *`, and the key in it `@revoked`", []string{"@cert-authority * " + public, "@revoked * KEY"}, "", "is revoked"},
			{"`@cert-authority *`, and the authority `@revoked`, and the plain key", []string{"@cert-authority * " + public, "@revoked * " + public, "PLAIN"}, "", "is revoked"},
			{"`@cert-authority *`, and `host_key_alias` of another name", []string{"@cert-authority * " + public}, "esx1.example", "not for esx1.example"},
		}},
		{"a host certificate for another host", []string{"-n", "esx1.example"}, []trustCase{
			{"`@cert-authority *`", []string{"@cert-authority * " + public}, "", "is for esx1.example, not for 127.0.22.6"},
			{"that, and `host_key_alias = \"esx1.example\"`", []string{"@cert-authority * " + public}, "esx1.example", "logs in"},
		}},
		{"a host certificate that has expired", []string{"-n", "127.0.22.6", "-V", "20200101000000Z:20210101000000Z"}, []trustCase{
			{"`@cert-authority *`", []string{"@cert-authority * " + public}, "", "has expired: it was valid from 2020-01-01 00:00 UTC"},
			{"that, and the plain key", []string{"@cert-authority * " + public, "PLAIN"}, "", "logs in"},
		}},
	} {
		t.Run(test.system, func(t *testing.T) {
			// sshd wants the certificate when it starts, and makes the key no sooner than that: so it has a key of ours.
			key := userKey(t, nil, t.TempDir(), "host", "ed25519")
			command(t, "ssh-keygen", append(append([]string{"-q", "-s", authority, "-h", "-I", "host"}, test.options...), key+".pub")...)
			s := startSSHD(t, "127.0.22.6", "UsePAM no", "HostKey "+key, "HostCertificate "+key+"-cert.pub", "HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com")
			for _, c := range test.tries {
				c.try(t, all, s, test.system, key)
			}
		})
	}
}

// trustCase is what known_hosts has; PLAIN stands for a line with the key of the host, KEY for that key.
type trustCase struct {
	with  string
	lines []string
	alias string
	want  string
}

func (c trustCase) try(t *testing.T, all *tried, s *server, system, key string) {
	t.Helper()
	public := read(t, key+".pub")
	var lines []string
	for _, line := range c.lines {
		switch line {
		case "PLAIN":
			line = s.address + " " + public
		case "@revoked * KEY":
			line = "@revoked * " + public
		}
		lines = append(lines, line)
	}
	user := s.authorize(t)
	all.row(t, system, c.with, s.host(t, "root", "ed25519", func(s *ssh.Settings) {
		s.Key, s.KnownHosts, s.HostKeyAlias = user, known(t, lines...), c.alias
	}), c.want)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:len(text)-1])
}
