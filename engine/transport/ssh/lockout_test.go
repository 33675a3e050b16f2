package ssh_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/refused"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// A host that hangs, or hangs up, when it has seen the password may count each as a failed login: after three in a row it gets
// none any more. One that answers in between begins anew.
func TestAPasswordWithoutAVerdictIsNotSentWithoutEnd(t *testing.T) {
	for name, interactive := range map[string]bool{"password": false, "keyboard-interactive": true} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			var well atomic.Bool
			var server *sshd.Server
			server = listen(t, func(o *sshd.Options) {
				o.KeyboardInteractive = interactive
				o.Password = func(string, string) bool {
					tries.Add(1)
					if !well.Load() {
						server.Cut()
					}
					return true
				}
			})
			transport, h := ssh.New(), host(t, server, nil)
			try := func() error {
				conn, err := transport.Open(t.Context(), h)
				if err == nil {
					_ = conn.Close()
				}
				return err
			}
			for range 2 {
				if err := try(); err == nil {
					t.Fatal("it opened")
				}
			}
			well.Store(true)
			if err := try(); err != nil {
				t.Fatal(err)
			}
			well.Store(false)
			tries.Store(0)
			var err error
			for range 10 {
				err = try()
			}
			if tries.Load() != 3 || engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), "the password was sent 3 times, and the host never said whether it is right") {
				t.Errorf("%d tries, %v", tries.Load(), err)
			}
		})
	}
}

// What another run was refused is not sent again for a while, and a key is tried all the same.
func TestAPasswordThatAnotherRunWasRefused(t *testing.T) {
	var tries atomic.Int32
	file, _, public := keyFile(t, "")
	withKey := listenForKey(t, public)
	server := listen(t, func(o *sshd.Options) {
		o.KeyboardInteractive = true
		o.Password = func(_, password string) bool { tries.Add(1); return password == "correct-horse" }
	})
	dir, now := t.TempDir(), time.Now()
	run := func(h *engine.Host) error { // each has a transport of its own
		transport := ssh.New()
		transport.Refused = &refused.Memory{Dir: func() (string, error) { return dir, nil }, Now: func() time.Time { return now }}
		conn, err := transport.Open(t.Context(), h)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	wrong := host(t, server, func(s *ssh.Settings) { s.Password = engine.Plain("s3cret") })
	for range 5 {
		if err := run(wrong); engine.KindOf(err) != engine.KindAuth || !engine.IsUnreachable(err) {
			t.Fatal(err)
		}
	}
	if err := run(wrong); tries.Load() != 1 || !strings.Contains(err.Error(), "this password of ops was refused at") || !strings.Contains(engine.HintOf(err), dir) {
		t.Errorf("%d tries, %v", tries.Load(), err)
	}
	if err := run(host(t, server, nil)); err != nil {
		t.Errorf("another password: %v", err)
	}
	both := host(t, withKey, func(s *ssh.Settings) { s.Password, s.Key = engine.Plain("s3cret"), file })
	(&refused.Memory{Dir: func() (string, error) { return dir, nil }, Now: time.Now}).Note(withKey.Addr().String(), "ops", engine.Plain("s3cret"), false)
	if err := run(both); err != nil {
		t.Errorf("a key: %v", err)
	}
}
