package refused_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/refused"
)

// memory is one of another process each time: nothing is shared but the folder.
func memory(dir string, now time.Time) *refused.Memory {
	return &refused.Memory{Dir: func() (string, error) { return dir, nil }, Now: func() time.Time { return now }}
}

// A job that comes again and again with a wrong password makes four failed logins, never two within a quarter of an hour, and
// then one a week; another password, another user and another system are tried at once.
func TestAJobWithAWrongPassword(t *testing.T) {
	dir, start := filepath.Join(t.TempDir(), "refused"), time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	wrong := engine.Plain("hunter2")
	for _, step := range []struct {
		after string
		sent  bool
	}{{"0s", true}, {"14m", false}, {"16m", true}, {"75m", false}, {"77m", true}, {"7h", false}, {"8h", true}, {"24h", false}, {"170h", false}, {"177h", true}} {
		after, err := time.ParseDuration(step.after)
		if err != nil {
			t.Fatal(err)
		}
		m := memory(dir, start.Add(after))
		if sent := m.Before("198.51.100.7:22", "root", wrong) == nil; sent != step.sent {
			t.Errorf("after %s: sent %v", step.after, sent)
		}
		if step.sent {
			m.Note("198.51.100.7:22", "root", wrong, false)
		}
	}
	m := memory(dir, start.Add(time.Minute))
	m.Note("198.51.100.8:22", "root", wrong, false)
	for name, err := range map[string]error{"password": m.Before("198.51.100.8:22", "root", engine.Plain("hunter3")), "user": m.Before("198.51.100.8:22", "ops", wrong),
		"port": m.Before("198.51.100.8:2222", "root", wrong)} {
		if err != nil {
			t.Errorf("another %s: %v", name, err)
		}
	}
	err := m.Before("198.51.100.8:22", "root", wrong)
	if engine.KindOf(err) != engine.KindAuth || !strings.Contains(engine.HintOf(err), dir) || strings.Contains(err.Error()+engine.HintOf(err), "hunter2") {
		t.Errorf("%v (%s)", err, engine.HintOf(err))
	}
}

// A password that is taken ends it, and one that was right in between begins anew; no file says a password.
func TestAccepted(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	m, p := memory(dir, now), engine.Plain("hunter2")
	m.Note("dsm1:4119", "api", p, false)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	info, err2 := os.Stat(files[0])
	if err != nil || err2 != nil || strings.Contains(string(text), "hunter2") || info.Mode().Perm() != 0o600 {
		t.Errorf("%s %v: %s", info.Mode(), err, text)
	}
	m.Note("dsm1:4119", "api", engine.Plain("right"), true)
	if err := m.Before("dsm1:4119", "api", p); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

// A folder that is not there, cannot be made, or holds nonsense is no memory, and no error.
func TestWithoutAFolder(t *testing.T) {
	p := engine.Plain("hunter2")
	for name, m := range map[string]*refused.Memory{"none": {Now: time.Now}, "no place": {Dir: func() (string, error) { return "", os.ErrPermission }, Now: time.Now},
		"not to be made": memory("/proc/none", time.Now())} {
		m.Note("a:1", "u", p, false)
		if err := m.Before("a:1", "u", p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	m := memory(dir, time.Now())
	m.Note("a:1", "u", p, false)
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, text := range []string{"", "{", `{"times":-1,"at":"x"}`, `{"times":1000000000}`} {
		if err := os.WriteFile(files[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := m.Before("a:1", "u", p); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
