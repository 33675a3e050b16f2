//go:build lab

// The tests with the tag lab need root and Debian's iproute2, nftables and openssh-server. They make network namespaces and
// a user, and remove them.

package faults_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"golang.org/x/sys/unix"
)

// TestLabNetwork runs itself once more, in a namespace of its own.
func TestLabNetwork(t *testing.T) {
	if os.Getenv(namesVariable) != "" {
		measureAll(t, func(f fault) bool { return f.where == namespaces })
		return
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal("the lab needs iproute2 and nftables: ", err)
		}
	}
	t.Setenv(namesVariable, "dsp"+strconv.Itoa(os.Getpid()))
	makeNetwork(t, labNames())
	args := []string{"netns", "exec", labNames().us, os.Args[0], "-test.run", "^TestLabNetwork$", "-test.timeout", "4m", "-test.v"}
	if *update {
		args = append(args, "-update")
	}
	cmd := exec.Command("ip", args...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestLabNetwork/") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func makeNetwork(t *testing.T, n names) {
	t.Helper()
	run := func(line string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("the lab needs root: ip %s: %v: %s", line, err, out)
		}
	}
	for _, name := range []string{n.us, n.bridge, n.host} {
		run("netns add " + name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		run("-n " + name + " link set lo up")
	}
	run("-n " + n.bridge + " link add name br0 type bridge forward_delay 0")
	run("-n " + n.bridge + " link set br0 up")
	for i, name := range []string{n.us, n.host} {
		port := fmt.Sprint("p", i)
		run(fmt.Sprintf("-n %s link add name e type veth peer name %s netns %s", name, port, n.bridge))
		run(fmt.Sprintf("-n %s link set %s master br0 up", n.bridge, port))
		run(fmt.Sprintf("-n %s addr add 198.18.77.%d/24 dev e", name, i+1))
		run("-n " + name + " link set e up")
	}
}

// listenInHost runs start on a thread that is in the host's namespace: sockets that it makes stay there.
func listenInHost(start func() error) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		file, err := os.Open("/run/netns/" + labNames().host)
		if err == nil {
			defer file.Close()
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = start()
		}
		ended <- err
	}()
	return <-ended
}

// TestLabOpenSSHFaults needs no network but the loopback.
func TestLabOpenSSHFaults(t *testing.T) {
	measureAll(t, func(f fault) bool { return f.where == openSSH })
}

const labUser = "dsplayfaults"

// startOpenSSH starts sshd with a user who has the usual password.
func (s *scene) startOpenSSH(set *setup) (string, any, error) {
	_ = exec.Command("userdel", "-f", "-r", labUser).Run() // of a run that was cut
	s.run("useradd", "-m", "-s", "/bin/sh", labUser)
	s.t.Cleanup(func() { _ = exec.Command("userdel", "-f", "-r", labUser).Run() })
	cmd := exec.Command("chpasswd")
	cmd.Stdin = strings.NewReader(labUser + ":" + password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("chpasswd: %w: %s", err, out)
	}
	for dir := s.dir; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) { // sshd reads authorized_keys as the user
		if err := os.Chmod(dir, 0o755); err != nil {
			return "", nil, err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := listener.Addr().(*net.TCPAddr)
	_ = listener.Close()
	s.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, "hostkey"))
	lines := append([]string{"ListenAddress 127.0.0.1", "Port " + strconv.Itoa(address.Port), "PidFile none", "StrictModes no",
		"HostKey " + s.dir + "/hostkey", "AuthorizedKeysFile " + s.dir + "/authorized_keys"}, set.openSSH...)
	config := s.write("sshd_config", strings.Join(lines, "\n")+"\n")
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return "", nil, fmt.Errorf("the lab needs root: %w", err)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return "", nil, err
	}
	server := exec.Command("/usr/sbin/sshd", "-D", "-E", log.Name(), "-f", config)
	if err := server.Start(); err != nil {
		return "", nil, fmt.Errorf("the lab needs openssh-server: %w", err)
	}
	_ = log.Close()
	s.stop = func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address.String())
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(end) {
			return "", nil, err
		}
	}
	s.transport = ssh.New()
	settings := s.transport.Settings().(*ssh.Settings)
	settings.User, settings.Password, settings.Agent = labUser, engine.Plain(password), false
	settings.KnownHosts, settings.ConnectTimeout = filepath.Join(s.dir, "known_hosts"), "20s"
	return address.String(), settings, nil
}
