package ssh_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
)

// round is what a server asks at once, and the answers that it wants.
type round struct {
	questions, answers []string
	echo               bool
}

// asking is a server of keyboard-interactive; conversations counts how often it was begun.
func asking(t *testing.T, conversations *atomic.Int32, rounds ...round) *sshd.Server {
	t.Helper()
	return listen(t, func(o *sshd.Options) {
		o.Password = nil
		o.Configure = func(c *xssh.ServerConfig) {
			c.KeyboardInteractiveCallback = func(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
				conversations.Add(1)
				good := true
				for _, r := range rounds {
					echos := make([]bool, len(r.questions))
					for i := range echos {
						echos[i] = r.echo
					}
					got, err := ask("", "Welcome to the vault", r.questions, echos)
					if err != nil {
						return nil, err
					}
					good = good && slices.Equal(got, r.answers)
				}
				if !good {
					return nil, errors.New("wrong")
				}
				return nil, nil
			}
		}
	})
}

const right = "correct-horse"

func TestQuestionsInAnyNumberOfRounds(t *testing.T) {
	answers := map[string]engine.Secret{"Verification": engine.Plain("no"), "verification CODE": engine.Plain("123456"), "Which realm? ": engine.Plain("CORP")}
	var n atomic.Int32
	server := asking(t, &n,
		round{questions: []string{"Password: "}, answers: []string{right}},
		round{}, // no question, no answer
		round{questions: []string{"Verification code (OTP):", "LDAP Password:"}, answers: []string{"123456", right}},
		round{questions: []string{"Which realm? "}, answers: []string{"CORP"}, echo: true},
		round{},
	)
	open(t, host(t, server, func(s *ssh.Settings) { s.Answers = answers }))
	if n.Load() != 1 {
		t.Errorf("%d conversations", n.Load())
	}
}

func TestQuestionWithoutAnAnswerIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		round
		want, hint string
	}{
		"code":     {round{questions: []string{"Verification code: "}}, `the host asks "Verification code:", to which there is no answer`, `answers = { "Verification code" = secret(`},
		"oath":     {round{questions: []string{"One-time password (OATH) for `ops': "}}, "One-time password (OATH)", "answers"},
		"echo":     {round{questions: []string{"Which realm? "}, echo: true}, "Which realm?", "answers"},
		"expired":  {round{questions: []string{"New password: "}}, "the password of ops has expired", "by hand"},
		"expired2": {round{questions: []string{"Enter new UNIX password: "}}, "has expired", "by hand"},
	} {
		var n atomic.Int32
		e := mustNotOpen(t, host(t, asking(t, &n, test.round), nil), engine.KindAuth)
		if !strings.Contains(e.Error(), test.want) || !strings.Contains(e.Hint, test.hint) || n.Load() != 1 {
			t.Errorf("%s: %v -- %s (%d conversations)", name, e, e.Hint, n.Load())
		}
		if !strings.Contains(e.Error(), `the host says: "Welcome to the vault"`) {
			t.Errorf("%s: it keeps what the host says: %v", name, e)
		}
	}
}

func TestSameQuestionAgainIsARefusal(t *testing.T) {
	var n atomic.Int32
	server := asking(t, &n, round{questions: []string{"Password: "}, answers: []string{right}}, round{questions: []string{"Password: "}, answers: []string{right}})
	e := mustNotOpen(t, host(t, server, nil), engine.KindAuth)
	if !strings.Contains(e.Error(), `the password of ops was refused: the host asks "Password:" again`) || n.Load() != 1 {
		t.Error(e, n.Load())
	}
	server = asking(t, &n, round{questions: []string{"PIN: "}, answers: []string{"1"}}, round{questions: []string{"PIN: "}, answers: []string{"1"}})
	e = mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Answers = map[string]engine.Secret{"PIN": engine.Plain("1")} }), engine.KindAuth)
	if !strings.Contains(e.Error(), `the answer to "PIN:" was refused`) {
		t.Error(e)
	}
	server = asking(t, &n, round{questions: []string{"Password: ", "Password: "}, answers: []string{right, right}}) // two of one round
	open(t, host(t, server, nil))
}

func TestWrongAnswersAreToldApart(t *testing.T) {
	var n atomic.Int32
	server := asking(t, &n, round{questions: []string{"Password: ", "Verification code: "}, answers: []string{right, "123456"}})
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Answers = map[string]engine.Secret{"Verification": engine.Plain("s3cret")} }), engine.KindAuth)
	if !strings.Contains(e.Error(), `the answers to "Password:", "Verification code:" were refused`) || n.Load() != 1 {
		t.Error(e)
	}
}

// TestPasswordChangeRequestIsNamed: SSH_MSG_USERAUTH_PASSWD_CHANGEREQ has the number of keyboard-interactive's question,
// 60, and Go's server has no call for it; so it "asks" in the middle of the method password.
func TestPasswordChangeRequestIsNamed(t *testing.T) {
	var ask xssh.KeyboardInteractiveChallenge
	server := listen(t, func(o *sshd.Options) {
		o.Password = nil
		o.Configure = func(c *xssh.ServerConfig) {
			c.KeyboardInteractiveCallback = func(_ xssh.ConnMetadata, a xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
				ask = a
				return nil, errors.New("not this way")
			}
			c.PasswordCallback = func(xssh.ConnMetadata, []byte) (*xssh.Permissions, error) {
				_, err := ask("", "", []string{"Your password has expired"}, []bool{false})
				return nil, err
			}
		}
	})
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Answers = map[string]engine.Secret{"x": engine.Plain("y")} }), engine.KindAuth)
	if !strings.Contains(e.Error(), "the password of ops has expired") {
		t.Error(e)
	}
}

// TestStepsThatAHostWantsOneAfterTheOther: AuthenticationMethods publickey,password of sshd.
func TestStepsThatAHostWantsOneAfterTheOther(t *testing.T) {
	file, _, public := keyFile(t, "")
	other, _, _ := keyFile(t, "")
	var passwords atomic.Int32
	server := listen(t, func(o *sshd.Options) {
		o.Password = nil
		o.Configure = func(c *xssh.ServerConfig) {
			c.PublicKeyCallback = func(_ xssh.ConnMetadata, key xssh.PublicKey) (*xssh.Permissions, error) {
				if xssh.FingerprintSHA256(key) != xssh.FingerprintSHA256(public) {
					return nil, errors.New("unknown")
				}
				return nil, &xssh.PartialSuccessError{Next: xssh.ServerAuthCallbacks{
					PasswordCallback: func(_ xssh.ConnMetadata, password []byte) (*xssh.Permissions, error) {
						passwords.Add(1)
						if string(password) != right {
							return nil, errors.New("wrong")
						}
						return nil, &xssh.PartialSuccessError{Next: xssh.ServerAuthCallbacks{
							KeyboardInteractiveCallback: func(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
								got, err := ask("", "", []string{"Password: "}, []bool{false})
								if err != nil || got[0] != right {
									return nil, errors.New("wrong")
								}
								return nil, nil
							},
						}}
					},
				}}
			}
		}
	})
	open(t, host(t, server, func(s *ssh.Settings) { s.Keys = []string{other, file} }))
	passwords.Store(0)
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Key, s.Password = file, engine.Plain("s3cret") }), engine.KindAuth)
	if passwords.Load() != 1 || !strings.Contains(e.Error(), "was refused (1 of its steps succeeded") {
		t.Error(passwords.Load(), e)
	}
}

// TestPasswordIsNotGivenToAnotherConnection: a host that hangs up in the middle of the login is no busy host.
func TestPasswordIsNotGivenToAnotherConnection(t *testing.T) {
	var tries atomic.Int32
	server := listen(t, func(o *sshd.Options) {
		o.Configure = func(c *xssh.ServerConfig) {
			c.PasswordCallback = func(conn xssh.ConnMetadata, _ []byte) (*xssh.Permissions, error) {
				tries.Add(1)
				if err := conn.(xssh.ServerPreAuthConn).SendAuthBanner("Your account has expired;\r\nplease contact your administrator"); err != nil {
					t.Error(err)
				}
				conn.(io.Closer).Close() // as sshd does when PAM's account stack says no
				return nil, errors.New("gone")
			}
		}
	})
	server.Drop(2) // MaxStartups first: that is tried again
	e := mustNotOpen(t, host(t, server, nil), engine.KindAuth)
	if tries.Load() != 1 {
		t.Errorf("the host has seen %d passwords", tries.Load())
	}
	for _, want := range []string{"hung up during the login", `the host says: "Your account has expired; please contact your administrator"`} {
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%q is not in %v", want, e)
		}
	}
}

// TestDenialClaimsNothing: the texts are told apart, and none says "locked" as if it knew.
func TestDenialClaimsNothing(t *testing.T) {
	file, _, _ := keyFile(t, "")
	_, _, public := keyFile(t, "")
	key, password := listenForKey(t, public), listen(t, nil)
	seen := map[string]string{}
	for name, test := range map[string]struct {
		server *sshd.Server
		change func(*ssh.Settings)
		want   string
	}{
		"wrong password":       {password, func(s *ssh.Settings) { s.Password = engine.Plain("s3cret") }, "the password of ops was refused"},
		"password not wanted":  {key, nil, "accepts no password from ops, only publickey"},
		"key not wanted":       {password, func(s *ssh.Settings) { s.Key, s.Password = file, engine.Secret{} }, "accepts no key from ops, only password"},
		"key refused":          {key, func(s *ssh.Settings) { s.Key, s.Password = file, engine.Secret{} }, "offered: " + file + " SHA256:"},
		"nothing":              {key, func(s *ssh.Settings) { s.Password = engine.Secret{} }, "there is nothing to log in with"},
		"key and no password":  {key, func(s *ssh.Settings) { s.Key = file }, "it accepts only publickey"},
		"key refused, then pw": {password, func(s *ssh.Settings) { s.Key, s.Password = file, engine.Plain("s3cret") }, "the password of ops was refused"},
	} {
		t.Setenv("HOME", t.TempDir())
		e := mustNotOpen(t, host(t, test.server, test.change), engine.KindAuth)
		if !strings.Contains(e.Error(), test.want) || strings.Contains(e.Error(), "locked") {
			t.Errorf("%s: %v", name, e)
		}
		seen[name] = fmt.Sprint(e, " -- ", e.Hint)
	}
	if hint := seen["wrong password"]; !strings.Contains(hint, "does not say whether the account is locked") {
		t.Error(hint)
	}
	for name, text := range seen {
		t.Logf("%s: %s", name, text)
	}
}
