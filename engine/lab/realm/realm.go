// Package realm knows how to run MIT's Kerberos KDC for a test: a realm of its own, in a directory, on a port of
// loopback. It needs Debian's krb5-kdc, krb5-admin-server and krb5-user.
package realm

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Name is the realm.
const Name = "LAB.EXAMPLE"

// Realm is a KDC that runs.
type Realm struct {
	Address string // of the KDC, host:port
	Config  string // file: krb5.conf
	dir     string
	kdc     *exec.Cmd
	ended   chan struct{}
}

// Options of a realm; the zero value is one as of today.
type Options struct {
	Ciphers string // supported_enctypes of new accounts, and all that its programs take; "aes256-cts:normal aes128-cts:normal" when empty
}

// Start makes a realm in dir and runs its KDC until Stop.
func Start(dir string, o Options) (*Realm, error) {
	if o.Ciphers == "" {
		o.Ciphers = "aes256-cts:normal aes128-cts:normal"
	}
	var names []string
	for _, c := range strings.Fields(o.Ciphers) {
		name, _, _ := strings.Cut(c, ":")
		names = append(names, name)
	}
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	r := &Realm{Address: address, Config: filepath.Join(dir, "krb5.conf"), dir: dir, ended: make(chan struct{})}
	for name, text := range map[string]string{
		"krb5.conf": fmt.Sprintf("[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n dns_canonicalize_hostname = false\n udp_preference_limit = 1\n allow_weak_crypto = true\n permitted_enctypes = %s\n"+
			"[realms]\n %s = {\n  kdc = %s\n }\n", Name, strings.Join(names, " "), Name, address),
		"kdc.conf": fmt.Sprintf("[kdcdefaults]\n kdc_listen = %s\n kdc_tcp_listen = %s\n[realms]\n %s = {\n  database_name = %s\n  key_stash_file = %s\n  acl_file = %s\n  max_life = 10h\n  max_renewable_life = 7d\n"+
			"  supported_enctypes = %s\n  default_principal_flags = +preauth,+renewable\n }\n[logging]\n kdc = FILE:%s\n", address, address, Name, filepath.Join(dir, "db"), filepath.Join(dir, "stash"), filepath.Join(dir, "acl"), o.Ciphers, r.log()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if out, err := r.Command("/usr/sbin/kdb5_util", "create", "-s", "-r", Name, "-P", "master").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("kdb5_util: %w: %s", err, out)
	}
	r.kdc = r.Command("/usr/sbin/krb5kdc", "-n", "-r", Name, "-P", filepath.Join(dir, "pid"))
	if err := r.kdc.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = r.kdc.Wait() // that it ended is all there is to know
		close(r.ended)
	}()
	return r, r.wait()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// wait until it listens.
func (r *Realm) wait() error {
	for range 500 {
		c, err := net.DialTimeout("tcp", r.Address, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-r.ended:
			return errors.New("krb5kdc ended: " + r.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
	r.Stop()
	return errors.New("krb5kdc does not listen")
}

// Stop ends the KDC.
func (r *Realm) Stop() {
	_ = r.kdc.Process.Kill() // it may have ended
	<-r.ended
}

// Command is a program of Kerberos' in the realm, not started.
func (r *Realm) Command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "KRB5_CONFIG="+r.Config, "KRB5_KDC_PROFILE="+filepath.Join(r.dir, "kdc.conf"), "LC_ALL=C")
	return c
}

// Admin runs a line of kadmin.local, words of which have no blanks: "addprinc -pw x ops".
func (r *Realm) Admin(line string) error {
	out, err := r.Command("/usr/sbin/kadmin.local", append([]string{"-r", Name}, strings.Fields(line)...)...).CombinedOutput()
	if text := string(out); err != nil || strings.Contains(text, "while ") || strings.Contains(text, "rror") {
		return fmt.Errorf("kadmin.local %s: %w: %s", line, err, text)
	}
	return nil
}

// Keytab writes the keys of accounts to a file of this name in the realm's directory; their passwords stay as they are.
func (r *Realm) Keytab(name string, accounts ...string) (string, error) {
	file := filepath.Join(r.dir, name)
	return file, r.Admin("ktadd -norandkey -k " + file + " " + strings.Join(accounts, " "))
}

// Log is what the KDC has written so far.
func (r *Realm) Log() string {
	b, err := os.ReadFile(r.log())
	if err != nil {
		return ""
	}
	return string(b)
}

// Count is the number of lines in the log that have all these words: Count("AS_REQ", "ISSUE").
func (r *Realm) Count(words ...string) (n int) {
	for line := range strings.Lines(r.Log()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			n++
		}
	}
	return n
}

func (r *Realm) log() string { return filepath.Join(r.dir, "kdc.log") }
