package lock_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine/journal/lock"
)

// Two accounts of one machine keep each other out, whoever made the folder and the file, and name each other.
func TestLockOfAnotherAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be two accounts")
	}
	top, err := os.MkdirTemp("", "dsplay-locks-") //nolint:usetesting // t.TempDir lies in a folder that other accounts cannot enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	self := filepath.Join(top, "test")
	data, err := os.ReadFile("/proc/self/exe")
	if err = errors.Join(err, os.Chmod(top, 0o777|os.ModeSticky), os.WriteFile(self, data, 0o755)); err != nil {
		t.Fatal(err)
	}
	as := func(uid uint32) func(*exec.Cmd) {
		return func(c *exec.Cmd) {
			c.Path, c.Args[0], c.Dir = self, self, top
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		}
	}
	dir := filepath.Join(top, "locks")
	held := func(t *testing.T, by *exec.Cmd) {
		t.Helper()
		f, err := lock.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		var busy *lock.Busy
		if _, err = f.Try(t.Context(), "host a", me("mine", "host a")); !errors.As(err, &busy) || busy.By == nil || busy.By.Process.PID != by.Process.Pid {
			t.Errorf("%v", err)
		}
		_ = by.Process.Kill()
		_ = by.Wait()
	}
	held(t, hold(t, dir, as(65534))) // it makes folder and file
	held(t, hold(t, dir, as(65533))) // the file of one account, the folder of the same, a third asks
	f, err := lock.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.Try(t.Context(), "host a", me("root's", "host a")) // the file of another account, in a sticky folder
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	c := exec.CommandContext(t.Context(), self)
	as(65534)(c)
	c.Env = append(os.Environ(), holdIn+"="+dir)
	out, err := c.Output()
	if err == nil || !strings.Contains(string(out), "host a is locked by run root's") {
		t.Errorf("another account: %v %s", err, out)
	}
}
