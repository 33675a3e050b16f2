package winrm_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

// Finding 5: the library keeps one session for all messages; two commands at once, or one with input, panic.
func TestNTLMFinding5ParallelSealed(t *testing.T) {
	_, h := start(t, "ntlm http")
	c := open(t, patient(h))
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			text := strings.Repeat(fmt.Sprint(i), 3000)
			for range 3 {
				if got, err := exec(t.Context(), c, "cat", text); got != text+"||0" || err != nil {
					t.Errorf("%d: %d bytes, %v", i, len(got), err)
				}
			}
		})
	}
	wait.Wait()
}

// Finding 6: the library logs in for every message. Here a connection logs in once, whatever runs on it.
func TestNTLMFinding6OneLogin(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	for range 10 {
		if _, err := exec(t.Context(), c, "say x", ""); err != nil {
			t.Fatal(err)
		}
	}
	legs := 0
	for _, r := range server.Requests() {
		if r.Auth != "" {
			legs++
		}
	}
	if legs != 2 {
		t.Errorf("%d requests to log in", legs)
	}
}

// Finding 7: the library speaks without time limit, TLS settings and encryption when its login fails.
func TestNTLMFinding7NoWayBack(t *testing.T) {
	server, h := start(t, "ntlm http")
	server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{"Negotiate"}, Times: 1})
	_ = openError(t, h, engine.KindAuth)
	for _, r := range server.Requests() {
		if r.Size > 0 {
			t.Errorf("sent in clear: %+v", r)
		}
	}
	server.Fail(wsman.Fault{Mode: wsman.Silent})
	bounded(t, func() { _ = openError(t, h, engine.KindTimeout) })
}

// Finding 8: the library sends the password as Basic to a host that offers only that.
func TestNTLMFinding8NoBasic(t *testing.T) {
	for _, way := range []string{"ntlm http", "ntlm https"} {
		server, h := start(t, way)
		server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{`Basic realm="WSMAN"`}})
		if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "does not take NTLM; it offers Basic") {
			t.Error(e)
		}
		for _, r := range server.Requests() {
			if r.Auth != "Negotiate" || r.Size > 0 {
				t.Errorf("%s: sent %+v", way, r)
			}
		}
	}
}

// Finding 9: the library's legs go over any connection of a pool, which gives 401 now and then.
func TestNTLMFinding9LegsStayTogether(t *testing.T) {
	_, h := start(t, "ntlm https")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 20 {
				c, err := winrm.New().Open(t.Context(), h)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.Close()
			}
		})
	}
	wait.Wait()
}

// A locked account and an expired one are refused as a wrong password is: the hint says so, and one run never locks an account.
func TestLocked(t *testing.T) {
	for _, auth := range []string{"ntlm", "basic"} {
		config, file, _ := authority(t)
		server, h, s := host(t, wsman.Options{NTLM: true, Basic: true, TLS: config, LockAfter: 3, Users: map[string]string{"ops": "s3cret", "old": "s3cret"}, Expired: map[string]bool{"old": true}})
		s.Auth, s.CA = auth, file
		for try := 1; try <= 3; try++ {
			s.Password = engine.Plain("guess")
			_ = openError(t, h, engine.KindAuth)
			if n := server.Failures("ops"); n != try || server.Locked("ops") != (try == 3) {
				t.Errorf("%s: %d failures after %d tries", auth, n, try)
			}
		}
		s.Password = engine.Plain("s3cret")
		if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Hint, "locked or expired account") || !strings.Contains(e.Hint, "net user") {
			t.Error(e.Hint)
		}
		server.Unlock("ops")
		_ = open(t, h)
		s.User = "old"
		_ = openError(t, h, engine.KindAuth)
		if n := server.Failures("old"); n != 0 {
			t.Errorf("%d failures of a right password", n)
		}
	}
}

// What the host offers is told for each way of logging in, with what to set.
func TestOtherWays(t *testing.T) {
	for _, test := range []struct {
		auth   string
		offers []string
		hint   []string
	}{
		{"basic", []string{"Negotiate"}, []string{`auth = "ntlm"`, `auth = "kerberos"`, `Basic="true"`}},
		{"basic", []string{"Kerberos"}, []string{`auth = "kerberos"`}},
		{"ntlm", []string{"Kerberos", `Basic realm="x"`}, []string{`auth = "kerberos"`, `auth = "basic"`, `Negotiate="true"`}},
		{"ntlm", nil, []string{`Negotiate="true"`}},
	} {
		config, file, _ := authority(t)
		server, h, s := host(t, wsman.Options{NTLM: true, Basic: true, TLS: config})
		s.Auth, s.CA = test.auth, file
		server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: test.offers})
		e := openError(t, h, engine.KindAuth)
		for _, hint := range test.hint {
			if !strings.Contains(e.Hint, hint) {
				t.Errorf("%s, offered %v: %q does not say %s", test.auth, test.offers, e.Hint, hint)
			}
		}
	}
}
