//go:build lab

package ssh_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
)

// BenchmarkLabCost is 20 hosts with Debian's OpenSSH and 10 commands each: what the servers take is in both times.
func BenchmarkLabCost(b *testing.B) {
	addUser(b, "dsplaybench", password, "/bin/dash")
	var hosts []*engine.Host
	var key string
	for i := range 20 {
		s := startSSHD(b, fmt.Sprintf("127.0.22.%d", i+1), "UsePAM no", "MaxStartups 100")
		if i == 0 {
			key = s.authorize(b)
		}
		copyKey(b, key+".pub", s.dir)
		hosts = append(hosts, s.host(b, "dsplaybench", "ed25519", func(settings *ssh.Settings) { settings.Key = key }))
	}
	text, err := os.ReadFile(key)
	if err != nil {
		b.Fatal(err)
	}
	signer, err := xssh.ParsePrivateKey(text)
	if err != nil {
		b.Fatal(err)
	}
	compareFleet(b, hosts, xssh.PublicKeys(signer), "true", 15)
}

// copyKey lets a key in; sshd reads the file as the user.
func copyKey(b *testing.B, public, dir string) {
	b.Helper()
	text, err := os.ReadFile(public)
	if err != nil {
		b.Fatal(err)
	}
	write(b, filepath.Join(dir, "authorized_keys"), string(text))
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			b.Fatal(err)
		}
	}
}
