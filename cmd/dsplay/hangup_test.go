//go:build linux

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab"
)

// inFolder is a playbook whose first step waits for a file, and the folder in which it leaves its traces.
func inFolder(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"inv.hcl": ``,
		"p.hcl": `play "p" {
  hosts = ["localhost"]
  block "work" {
    step "shell" "one" {
      text = "cd ` + dir + `; touch begun; while ! test -e go; do sleep 0.02; done; touch one"
    }
    step "shell" "two" {
      text = "touch ` + dir + `/two"
    }
    finally {
      step "shell" "end" {
        text = "touch ` + dir + `/end"
      }
    }
  }
}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// until waits for what has to come.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come: " + what)
		}
	}
}

// atTerminal starts a command as a session of its own at a terminal, as sshd does.
func atTerminal(t *testing.T, c *exec.Cmd) (user *os.File) {
	t.Helper()
	user, terminal := openTerminal(t)
	c.Stdin, c.Stdout, c.Stderr = terminal, terminal, terminal
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = terminal.Close()
	return user
}

// The connection to the machine on which somebody runs dsplay breaks: what runs is finished, finally is run, nothing further is begun.
func TestTerminalIsLost(t *testing.T) {
	t.Parallel()
	dir := inFolder(t)
	c := command(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"))
	user := atTerminal(t, c)
	go func() { _, _ = io.Copy(io.Discard, user) }() // somebody reads, until the terminal is gone
	if _, err := user.WriteString("yes\n"); err != nil {
		t.Fatal(err)
	}
	until(t, "the first step", func() bool { return exists(dir, "begun") })
	_ = user.Close() // the kernel sends SIGHUP
	heard := filepath.Join(dir, "go")
	time.AfterFunc(time.Second, func() { _ = os.WriteFile(heard, nil, 0o600) })
	_ = c.Wait() // the code says how it ended
	if code := c.ProcessState.ExitCode(); code != 128+int(syscall.SIGHUP) {
		t.Errorf("exit %d (%s), want %d", code, c.ProcessState, 128+int(syscall.SIGHUP))
	}
	if !exists(dir, "one") || exists(dir, "two") || !exists(dir, "end") {
		t.Errorf("what ran was finished: %v, a step was begun afterwards: %v, finally was run: %v", exists(dir, "one"), exists(dir, "two"), exists(dir, "end"))
	}
}

// Who says nohup means that a lost terminal is of no matter.
func TestNohup(t *testing.T) {
	t.Parallel()
	dir := inFolder(t)
	c := command(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--yes")
	c.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh", c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
	user := atTerminal(t, c)
	go func() { _, _ = io.Copy(io.Discard, user) }()
	until(t, "the first step", func() bool { return exists(dir, "begun") })
	_ = user.Close()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil || !exists(dir, "two") || !exists(dir, "end") {
		t.Errorf("%v; the second step was done: %v, finally: %v", err, exists(dir, "two"), exists(dir, "end"))
	}
}

// dsplay … | head: the text is for a person who has gone; what was begun is brought to its end, and the record has everything.
func TestTextThatNobodyReads(t *testing.T) {
	t.Parallel()
	dir := inFolder(t)
	c := command(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--yes")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "Acting."); {
	}
	until(t, "the first step", func() bool { return exists(dir, "begun") })
	_ = out.Close()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil || !exists(dir, "two") || !exists(dir, "end") {
		t.Errorf("%v; the second step was done: %v, finally: %v", err, exists(dir, "two"), exists(dir, "end"))
	}
}

// A laptop is closed in the middle of a remedy, for longer than the appliances' heartbeats last, and opened again.
func TestSuspended(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"})
	c := command(t, "run", "playbooks/engine-offline.hcl", "-i", filepath.Join(e.Dir(), "inventory.hcl"), "--yes", "--json", "--var", "poll=100ms", "--var", "patience=20s")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group without a parent in its session is not stopped by SIGTSTP
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	stopped := false
	for lines.Scan() {
		if stopped || !strings.Contains(lines.Text(), `"kind":"intent"`) {
			continue
		}
		stopped = true
		if err := c.Process.Signal(syscall.SIGTSTP); err != nil {
			t.Fatal(err)
		}
		until(t, "the stop", func() bool { return stateOf(c.Process.Pid) == "T" })
		time.Sleep(1500 * time.Millisecond) // an hour of the lab
		if err := c.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Wait(); err != nil || !stopped {
		t.Errorf("%v, stopped %v", err, stopped)
	}
	e.acted(map[string][]string{"dsva1": {restartAgent, heartbeat}})
	e.healthy()
}

// stateOf is the state of a process as proc(5) has it: T is stopped.
func stateOf(pid int) string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return rest[:1]
}

// A message that does not get away is given up by a second Ctrl-C, and the run was what it was.
func TestNobodyWaitsForMessages(t *testing.T) {
	t.Parallel()
	dir := inFolder(t)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	config := `notify "command" "slow" {
  on      = ["change"]
  argv    = ["sh", "-c", "touch ` + dir + `/telling; exec sleep 200"]
  timeout = "4m"
}`
	if err := os.WriteFile(filepath.Join(dir, "notify.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := command(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--yes", "--notify", filepath.Join(dir, "notify.hcl"))
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the message", func() bool { return exists(dir, "telling") })
	for range 2 {
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // two of the same at once are one
	}
	if err := c.Wait(); err != nil || !strings.Contains(out.String(), "could not be told: command slow") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
