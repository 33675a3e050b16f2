package knownhosts_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

func newKey(t *testing.T) ssh.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func text(key ssh.PublicKey) string {
	return key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

func write(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func load(t *testing.T, files ...string) *knownhosts.Set {
	t.Helper()
	set, err := new(knownhosts.Files).Load(files...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestNamesMatchAsInOpenSSH: each row was tried with ssh 9.2, see targets.md 5: what matches [h]:2299.
func TestNamesMatchAsInOpenSSH(t *testing.T) {
	key := newKey(t)
	for _, test := range []struct {
		names, name string
		want        bool
	}{
		{"*", "[127.0.29.1]:2299", true},
		{"127.0.29.1", "[127.0.29.1]:2299", false},
		{"127.0.29.1", "127.0.29.1", true},
		{"[127.0.29.1]:2299", "[127.0.29.1]:2299", true},
		{"[127.0.29.*]:2299", "[127.0.29.1]:2299", true},
		{"127.0.*.?", "127.0.29.1", true},
		{"127.0.*.?", "127.0.29.11", false},
		{"127.0.*,!127.0.29.1", "127.0.29.1", false},
		{"*,!127.0.29.1", "[127.0.29.1]:2299", true},
		{"!127.0.29.1", "127.0.29.2", false},
		{"esx1,192.0.2.7", "192.0.2.7", true},
		{"ESX1.Example", "esx1.example", true},
		{"*.example", "esx1.EXAMPLE", true},
		{"[2001:db8::7]:2222", "[2001:db8::7]:2222", true},
		{"*a*b*c", "xaxxbxxxbc", true},
		{"*a*b*c", "xaxxcxxxbd", false},
		{"", "x", false},
	} {
		lines := load(t, write(t, test.names+" "+text(key))).For(test.name)
		if got := len(lines) == 1; got != test.want && test.names != "" {
			t.Errorf("%q and %q: got %v", test.names, test.name, got)
		}
	}
}

func TestNameIsThatOfOpenSSH(t *testing.T) {
	for _, test := range [][3]string{{"Host", "22", "host"}, {"h", "2222", "[h]:2222"}, {"::1", "22", "::1"}, {"::1", "2222", "[::1]:2222"}} {
		if got := knownhosts.Name(test[0], test[1]); got != test[2] {
			t.Errorf("%v: %q", test, got)
		}
	}
}

// TestLinesThatNobodyCanReadDoNotSpoilTheFile: x/crypto refuses the whole file for each of them.
func TestLinesThatNobodyCanReadDoNotSpoilTheFile(t *testing.T) {
	key := newKey(t)
	strange := base64.StdEncoding.EncodeToString(append([]byte{0, 0, 0, 7}, "ssh-newrest"...))
	file := write(t, "what is this", "# comment", "", "h 1024 35 123123", "@foo h "+text(key), "h ssh-new "+strange, "h ssh-rsa "+strange, "|1|x h", "\t h,i\t"+text(key)+"  a comment")
	set := load(t, file)
	lines := set.For("h")
	if len(lines) != 2 || lines[0].Type != "ssh-new" || !lines[1].Is(key) || lines[1].Number != 9 {
		t.Errorf("got %v", lines)
	}
	var want []string
	for _, n := range []int{1, 4, 5, 7, 8} {
		want = append(want, fmt.Sprintf("%s:%d", file, n))
	}
	if got := set.Unread(); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("unread %v", got)
	}
}

func TestRevocationThatCannotBeReadIsAnError(t *testing.T) {
	for _, line := range []string{"@revoked * ssh-rsa what", "@revoked", "@revoked @cert-authority " + text(newKey(t))} {
		if _, err := new(knownhosts.Files).Load(write(t, "", line)); err == nil || !strings.Contains(err.Error(), ":2") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := new(knownhosts.Files).Load(t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
}

func TestRevokedForAnotherHostIsRevoked(t *testing.T) {
	key := newKey(t)
	set := load(t, write(t, "h "+text(key)), write(t, "@revoked other "+text(key)))
	if l := set.Revoked(key); l == nil || l.Number != 1 {
		t.Errorf("got %v", l)
	}
	if l := set.Revoked(newKey(t)); l != nil {
		t.Errorf("got %v", l)
	}
}

func TestSeveralFilesAndNone(t *testing.T) {
	a, b := newKey(t), newKey(t)
	first, second := write(t, "h "+text(a)), write(t, "@cert-authority * "+text(b))
	lines := load(t, filepath.Join(t.TempDir(), "none"), first, second).For("h")
	if len(lines) != 2 || lines[0].Place() != first+":1" || lines[1].Marker != knownhosts.Authority {
		t.Errorf("got %v", lines)
	}
}

func TestAddWritesOnceAndIsSeenAtOnce(t *testing.T) {
	key, other := newKey(t), newKey(t)
	for _, hashed := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "new", "known_hosts")
		var files knownhosts.Files
		for i, want := range []bool{true, false} {
			if added, err := files.Add(file, "[h]:2222", key, hashed); added != want || err != nil {
				t.Fatalf("%d: %v, %v", i, added, err)
			}
		}
		if added, err := files.Add(file, "i", other, hashed); !added || err != nil {
			t.Fatal(added, err)
		}
		set, err := files.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		if lines := set.For("[h]:2222"); len(lines) != 1 || !lines[0].Is(key) {
			t.Errorf("got %v", lines)
		}
		written, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(written), "2222") == hashed || strings.Count(string(written), "\n") != 2 {
			t.Errorf("hashed %v: %q, %v", hashed, written, err)
		}
	}
}

// TestAddWritesTheNameOfOneHost: a name that a guest could have chosen makes its key good for nobody else.
func TestAddWritesTheNameOfOneHost(t *testing.T) {
	key, file := newKey(t), filepath.Join(t.TempDir(), "known_hosts")
	var files knownhosts.Files
	for _, name := range []string{"", "*", "a,b", "a b", "a\n* ssh-ed25519 AAAA", "?", "!a", "@cert-authority", "|1|a|b", "#a", "a\u2028b", "a\x00"} {
		for _, hashed := range []bool{false, true} {
			if added, err := files.Add(file, name, key, hashed); added || err == nil {
				t.Errorf("%q was written", name)
			}
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a file")
	}
}

func TestAddMendsAMissingLineEnd(t *testing.T) {
	key := newKey(t)
	file := filepath.Join(t.TempDir(), "known")
	if err := os.WriteFile(file, []byte("a "+text(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := new(knownhosts.Files).Add(file, "b", key, false); err != nil {
		t.Fatal(err)
	}
	if set := load(t, file); len(set.For("a")) != 1 || len(set.For("b")) != 1 || len(set.Unread()) > 0 {
		t.Error("the file is spoilt")
	}
}

func TestAddRefusesWhatKeepsNothing(t *testing.T) {
	if added, err := new(knownhosts.Files).Add(os.DevNull, "h", newKey(t), false); added || err == nil {
		t.Error("it wrote to the void")
	}
}

// TestAddByManyProcesses starts this test again, as several processes that add to one file.
func TestAddByManyProcesses(t *testing.T) {
	const processes, lines = 4, 50
	if file := os.Getenv("DSPLAY_TEST_KNOWN_HOSTS"); file != "" {
		var files knownhosts.Files
		for i := range lines { // half of the names are common to all
			name := fmt.Sprintf("h%d", i)
			if i%2 == 0 {
				name += "-" + fmt.Sprint(os.Getpid())
			}
			if _, err := files.Add(file, name, newKey(t), i%3 == 0); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	var wait sync.WaitGroup
	for range processes {
		wait.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAddByManyProcesses$")
			cmd.Env = append(os.Environ(), "DSPLAY_TEST_KNOWN_HOSTS="+file)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wait.Wait()
	set := load(t, file)
	if unread := set.Unread(); len(unread) > 0 {
		t.Errorf("spoilt: %v", unread)
	}
	for i := 1; i < lines; i += 2 {
		if found := set.For(fmt.Sprintf("h%d", i)); len(found) != 1 {
			t.Errorf("h%d has %d lines", i, len(found))
		}
	}
	written, err := os.ReadFile(file)
	if want := processes*lines/2 + lines/2; err != nil || strings.Count(string(written), "\n") != want {
		t.Errorf("%d lines, want %d, %v", strings.Count(string(written), "\n"), want, err)
	}
}
