//go:build unix

package approve_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine/plan/approve"
)

// Nothing that stands where a signature should be blocks, and nothing but a file that holds one counts.
func TestWhatIsNoFile(t *testing.T) {
	alice := newPerson(t)
	b := newBench(t)
	good := b.write("elsewhere", string(alice.sign(t, b.data, approve.Namespace)))
	for name, do := range map[string]func(string) error{
		"folder": func(p string) error { return os.Mkdir(p, 0o700) },
		"loop":   func(p string) error { return os.Symlink(p, p) },
		"gone":   func(p string) error { return os.Symlink(p+"x", p) },
		"pipe":   func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"link":   func(p string) error { return os.Symlink(good, p) },
		"device": func(p string) error { return os.Symlink("/dev/zero", p) },
		"huge": func(p string) error {
			if err := os.WriteFile(p, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(p, 1<<40)
		},
	} {
		if err := do(b.plan + "." + name + ".sig"); err != nil {
			t.Fatal(err)
		}
	}
	approvals, refused := b.judge(alice.line("alice@corp"))
	if len(approvals) != 1 || filepath.Base(approvals[0].File) != "plan.json.link.sig" || len(refused) != 6 {
		t.Errorf("%+v %v", approvals, refused)
	}
}
