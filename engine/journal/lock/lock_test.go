package lock_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/journal/lock"
)

const holdIn = "DSPLAY_TEST_HOLD_LOCK_IN"

// TestMain makes the test binary a process that holds a lock until its input ends.
func TestMain(m *testing.M) {
	dir := os.Getenv(holdIn)
	if dir == "" {
		os.Exit(m.Run())
	}
	folder, err := lock.Open(dir)
	if err == nil {
		_, err = folder.Try(context.Background(), "host a", me("other", "host a"))
	}
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("held\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func me(run, what string) lock.Holder {
	return lock.Holder{Process: journal.This("ann"), Run: run, Since: time.Now(), What: what}
}

func folder(t *testing.T) (*lock.Folder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "locks")
	f, err := lock.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

// hold starts another process that holds the lock of host a.
func hold(t *testing.T, dir string, change ...func(*exec.Cmd)) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), holdIn+"="+dir)
	for _, f := range change {
		f(c)
	}
	if _, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the other process says %q %v", line, err)
	}
	return c
}

// A lock is held by another process, which is told by name; when that is killed, the lock is free, whatever stands in its file.
func TestLockOfAnotherProcess(t *testing.T) {
	f, dir := folder(t)
	other := hold(t, dir)
	_, err := f.Try(t.Context(), "host a", me("mine", "host a"))
	var busy *lock.Busy
	if !errors.As(err, &busy) || busy.By == nil || busy.By.Run != "other" || busy.By.Process.PID != other.Process.Pid {
		t.Fatalf("%v %+v", err, busy)
	}
	if text := err.Error(); !strings.HasPrefix(text, "host a is locked by run other (process ") || !strings.Contains(text, "of ann on ") {
		t.Error(text)
	}
	if l, err := f.Try(t.Context(), "host b", me("mine", "host b")); err != nil {
		t.Error(err)
	} else {
		l.Release()
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l, err := f.Take(t.Context(), "host a", me("mine", "host a"), 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if _, err := f.Try(t.Context(), "host a", me("third", "the same machine")); !errors.As(err, &busy) || busy.By.Run != "mine" || !strings.Contains(err.Error(), ", there as host a") {
		t.Error(err)
	}
}

func TestTakeWaits(t *testing.T) {
	f, _ := folder(t)
	held, err := f.Try(t.Context(), "x", me("r1", "x"))
	if err != nil {
		t.Fatal(err)
	}
	var busy *lock.Busy
	if _, err := f.Take(t.Context(), "x", me("r2", "x"), time.Millisecond); !errors.As(err, &busy) {
		t.Errorf("the time is over: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Take(ctx, "x", me("r2", "x"), 0); !errors.Is(err, context.Canceled) || errors.As(err, &busy) {
		t.Errorf("nobody waits any more: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		l, err := f.Take(t.Context(), "x", me("r2", "x"), 0)
		if err == nil {
			l.Release()
		}
		got <- err
	}()
	held.Release()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestOneOfMany(t *testing.T) {
	f, _ := folder(t)
	var inside, most, won atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			l, err := f.Take(t.Context(), "x", me("r", "x"), 0)
			if err != nil {
				t.Error(err)
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			won.Add(1)
			inside.Add(-1)
			l.Release()
		})
	}
	wg.Wait()
	if most.Load() != 1 || won.Load() != 20 {
		t.Errorf("%d at once, %d in all", most.Load(), won.Load())
	}
}

// What others put where a lock is: nothing is followed, nothing is overwritten.
func TestTamperedLock(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders of locks are not everybody's there")
	}
	f, dir := folder(t)
	l, err := f.Try(t.Context(), "x", me("r", "x"))
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	path, victim := names[0], filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func() error{
		"a link":        func() error { return os.Symlink(victim, path) },
		"a second name": func() error { return os.Link(victim, path) },
		"a folder":      func() error { return os.Mkdir(path, 0o700) },
		"a dead link":   func() error { return os.Symlink(victim+".new", path) },
	} {
		if err := errors.Join(os.RemoveAll(path), put()); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Try(t.Context(), "x", me("r", "x")); err == nil || errors.As(err, new(*lock.Busy)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if data, _ := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("the file of somebody else is now %q", data)
	}
	if _, err := os.Stat(victim + ".new"); err == nil {
		t.Error("a file was made through a link")
	}
	if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(strings.Repeat("\x1b", 9000)), 0o600)); err != nil {
		t.Fatal(err)
	}
	l, err = f.Try(t.Context(), "x", me("r", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{\"run\":3}"), 0o600); err != nil { // the holder does not tell any more
		t.Fatal(err)
	}
	if _, err := f.Try(t.Context(), "x", me("r2", "x")); err == nil || !strings.Contains(err.Error(), "does not say by which") {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil { // a cleaner: whoever comes takes the file that is there
		t.Fatal(err)
	}
	l.Release()
	if l, err = f.Try(t.Context(), "x", me("r2", "x")); err != nil {
		t.Error(err)
	} else {
		l.Release()
	}
}

func TestFolderThatIsNone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(dir, "no", "where")} {
		if _, err := lock.Open(path); err == nil {
			t.Errorf("%s is taken", path)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Open(open); err == nil || !strings.Contains(err.Error(), "chmod +t") {
		t.Errorf("a folder that everybody can empty: %v", err)
	}
	made := filepath.Join(dir, "made")
	if _, err := lock.Open(made); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(made); info.Mode()&(os.ModePerm|os.ModeSticky) != 0o777|os.ModeSticky {
		t.Errorf("the folder has mode %v", info.Mode())
	}
}

func TestNetwork(t *testing.T) {
	if got := lock.Network(filepath.Join(t.TempDir(), "not", "there")); got != "" {
		t.Errorf("the folder of tests is on %s", got)
	}
}
