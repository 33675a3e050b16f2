package ssh_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// TestJumpHostIsSharedOnlyByThoseWithTheSameKey: who may not log in to the jump host does not travel on the connection of
// somebody who may.
func TestJumpHostIsSharedOnlyByThoseWithTheSameKey(t *testing.T) {
	good, _, public := keyFile(t, "")
	bad, _, _ := keyFile(t, "")
	b := startBastion(t, func(o *sshd.Options) {
		o.Password = nil
		o.PublicKey = func(_ string, key xssh.PublicKey) bool {
			return xssh.FingerprintSHA256(key) == xssh.FingerprintSHA256(public)
		}
	})
	server := listen(t, nil)
	file := known(t, knownhosts.Line([]string{server.Addr().String()}, server.HostKey()), knownhosts.Line([]string{b.Addr().String()}, b.HostKey()))
	behind := func(name, key string) *engine.Host {
		return named(t, name, server, func(s *ssh.Settings) {
			s.Key, s.Jump = key, []string{"ops@" + b.Addr().String()}
			s.KnownHosts = file
		})
	}
	one, two := behind("one", good), behind("two", bad)
	e := newEstate(t, one, two)
	e.get(t, "one")
	_ = e.mustNot(t, "two", engine.KindAuth, "jump host ops@"+b.Addr().String())
}

func TestHostThatAsksWithoutEnd(t *testing.T) {
	var n atomic.Int32
	var many round
	for i := range 2000 {
		many.questions = append(many.questions, fmt.Sprintf("Secret number %d: ", i))
	}
	e := mustNotOpen(t, host(t, asking(t, &n, many), nil), engine.KindAuth)
	if !strings.Contains(e.Error(), "asks more than 100 questions") || len(e.Error()) > 2000 || n.Load() != 1 {
		t.Errorf("%d bytes: %.300s", len(e.Error()), e)
	}
	few := round{questions: many.questions[:90], answers: []string{"none of these"}}
	if e = mustNotOpen(t, host(t, asking(t, &n, few), nil), engine.KindAuth); len(e.Error()) > 2000 {
		t.Errorf("%d bytes: %.300s", len(e.Error()), e)
	}
}

// TestHintsAreQuoted: what a person copies into a shell does what it says, whatever the names in it.
func TestHintsAreQuoted(t *testing.T) {
	server := listen(t, nil)
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) {
		s.HostKeyAlias, s.KnownHosts = "x'; touch y; '", t.TempDir()+"/it's"
	}), engine.KindHostKey)
	if !strings.Contains(e.Hint, `awk -v n='x'\''; touch y; '\''' '{$1=n}1'`) {
		t.Error(e.Hint)
	}
}
