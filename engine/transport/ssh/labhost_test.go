//go:build lab

package ssh_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/processes"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// server is a real sshd on a loopback address.
type server struct {
	address string // IP
	port    int
	dir     string
	process *os.Process
}

const keyKinds = "ed25519 ecdsa rsa"

// startSSHD starts Debian's OpenSSH with host keys of its own. It needs root and openssh-server.
func startSSHD(t testing.TB, address string, config ...string) *server {
	t.Helper()
	return startProgram(t, "/usr/sbin/sshd", address, config...)
}

// startProgram starts sshd by another name, which is that of its PAM service.
func startProgram(t testing.TB, program, address string, config ...string) *server {
	t.Helper()
	s := &server{address: address, port: freePort(t, address), dir: t.TempDir()}
	lines := []string{
		"ListenAddress " + address, "Port " + strconv.Itoa(s.port), "PidFile none", "StrictModes no", "PermitRootLogin yes",
		"AuthorizedKeysFile " + s.dir + "/authorized_keys",
	}
	for _, kind := range strings.Fields(keyKinds) {
		file := filepath.Join(s.dir, kind)
		keygen(t, kind, file)
		lines = append(lines, "HostKey "+file)
	}
	file := filepath.Join(s.dir, "sshd_config")
	write(t, file, strings.Join(append(lines, config...), "\n")+"\n")
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal("the lab needs root: ", err)
	}
	cmd := exec.Command(program, "-D", "-e", "-f", file)
	log := &strings.Builder{}
	cmd.Stderr, cmd.WaitDelay = log, time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal("the lab needs openssh-server: ", err)
	}
	s.process = cmd.Process
	t.Cleanup(func() {
		for _, p := range s.connections() {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd on %s says:\n%s", address, log)
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", net.JoinHostPort(address, strconv.Itoa(s.port)))
		if err == nil {
			conn.Close()
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("sshd does not listen: %v", err)
		}
	}
}

func freePort(t testing.TB, address string) int {
	t.Helper()
	listener, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// connections are the processes of sshd that serve somebody, and none of the commands.
func (s *server) connections() []int {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	var text strings.Builder
	names := map[int]string{}
	for _, file := range files {
		stat, _ := os.ReadFile(file)
		text.Write(stat)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "comm"))
		names[pid] = strings.TrimSpace(string(name))
	}
	table := processes.Parse(text.String())
	var found []int
	for _, id := range processes.IDs(table.Family(table.All[s.process.Pid], nil)) {
		if id != s.process.Pid && names[id] == "sshd" {
			found = append(found, id)
		}
	}
	return found
}

func (s *server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	list := s.connections()
	if len(list) == 0 {
		t.Fatal("nobody is connected")
	}
	for _, pid := range list {
		_ = syscall.Kill(pid, signal)
	}
}

// host is the way to s as user; known_hosts has one kind of its keys.
func (s *server) host(t testing.TB, user, kind string, change func(*ssh.Settings)) *engine.Host {
	t.Helper()
	public, err := os.ReadFile(filepath.Join(s.dir, kind+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	settings := ssh.New().Settings().(*ssh.Settings)
	settings.User, settings.Port, settings.Agent, settings.Keepalive = user, s.port, false, "2s"
	settings.KnownHosts = known(t, fmt.Sprintf("[%s]:%d %s", s.address, s.port, strings.TrimSpace(string(public))))
	change(settings)
	return &engine.Host{Name: "real", Address: s.address, Connection: engine.Connection{Type: "ssh", Settings: settings}}
}

// authorize makes a key that s lets in, and returns its file.
func (s *server) authorize(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id")
	command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "authorized_keys"), string(public))
	// Other users must reach it.
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// addUser makes a user for the time of the test, with a home that goes with it unless more says otherwise.
func addUser(t testing.TB, name, password, shell string, more ...string) {
	t.Helper()
	remove := []string{"-f", name}
	if len(more) == 0 {
		more, remove = []string{"-m"}, []string{"-f", "-r", name}
	}
	_ = exec.Command("userdel", remove...).Run() // of a run that was cut
	command(t, "useradd", append(more, "-s", shell, name)...)
	t.Cleanup(func() { _ = exec.Command("userdel", remove...).Run() })
	cmd := exec.Command("chpasswd")
	cmd.Stdin = strings.NewReader(name + ":" + password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd: %v: %s", err, out)
	}
}

// keygen makes a pair of key files, of the smallest size that is allowed everywhere: a larger RSA key takes seconds.
func keygen(t testing.TB, kind, file string) {
	t.Helper()
	size := map[string]string{"rsa": "2048", "ecdsa": "256", "dsa": "1024", "ed25519": "256"}[kind]
	command(t, "ssh-keygen", "-q", "-t", kind, "-b", size, "-N", "", "-C", filepath.Base(file), "-f", file)
}

func command(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
