//go:build lab

package kerberos

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/realm"
)

func mit(t *testing.T, lines ...string) *realm.Realm {
	t.Helper()
	r, err := realm.Start(t.TempDir(), realm.Options{})
	if err != nil {
		t.Fatal("this suite needs Debian's krb5-kdc, krb5-admin-server and krb5-user: ", err)
	}
	t.Cleanup(r.Stop)
	for _, line := range append([]string{"addprinc -pw s3cret ops", "addprinc -randkey HTTP/h.lab.example"}, lines...) {
		if err := r.Admin(line); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// MIT's KDC compares clocks when the password is proved.
func TestLabSkew(t *testing.T) {
	r := mit(t)
	for off, says := range map[time.Duration]string{17 * time.Minute: "the KDC is 17m", -2 * time.Hour: "the KDC is 2h0m0s ahead"} {
		tickets := Tickets{now: func() time.Time { return time.Now().Add(off) }}
		_, err := tickets.Service(t.Context(), Login{User: "ops@" + realm.Name, Password: engine.Plain("s3cret"), Config: r.Config}, "HTTP/h.lab.example")
		var f *Failure
		if !errors.As(err, &f) || !strings.Contains(f.Msg, says) && !strings.Contains(f.Msg, "1h59m59s ahead") || !strings.Contains(f.Hint, "clocks") {
			t.Errorf("%v: %v", off, err)
		}
	}
	if n := r.Count("AS_REQ", "PREAUTH_FAILED"); n > 2 {
		t.Errorf("%d tries for two logins", n)
	}
}

// A ticket-granting ticket that runs out: a password gets another one, a cache has its own renewed, where that is allowed.
func TestLabRenewal(t *testing.T) {
	r := mit(t)
	start := time.Now()
	now := start
	tickets := Tickets{now: func() time.Time { return now }}
	password := Login{User: "ops@" + realm.Name, Password: engine.Plain("s3cret"), Config: r.Config}
	cache := Login{CCache: filepath.Join(t.TempDir(), "cc"), Config: r.Config}
	kinit := r.Command("kinit", "-l", "10m", "-r", "1h", "-c", cache.CCache, "ops")
	kinit.Stdin = strings.NewReader("s3cret\n")
	if out, err := kinit.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	granted := r.Count("AS_REQ", "ISSUE")
	get := func(l Login) (*Service, error) { return tickets.Service(t.Context(), l, "HTTP/h.lab.example") }
	first, err := get(cache)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := get(cache)
	if again.ticket != first.ticket {
		t.Error("a ticket that is good was replaced")
	}
	if _, err := get(password); err != nil || r.Count("AS_REQ", "ISSUE") != granted+1 {
		t.Errorf("%v, %d granted", err, r.Count("AS_REQ", "ISSUE")-granted)
	}
	id, err := tickets.identity(cache)
	if err != nil {
		t.Fatal(err)
	}
	tgt, err := id.cached(t.Context())
	if err != nil || tgt.renewTill.IsZero() {
		t.Fatal(tgt, err)
	}
	renewed, err := id.exchange(t.Context(), realm.Name, tgt, grantingName(realm.Name), true)
	if err != nil || renewed.end.Before(tgt.end) || grants(renewed.Ticket) != realm.Name {
		t.Errorf("%v, until %v, before %v", err, renewed.end, tgt.end)
	}
	if n := r.Count("TGS_REQ", "ISSUE", "krbtgt/"+realm.Name+"@"); n != 1 {
		t.Errorf("%d renewals\n%s", n, r.Log())
	}
	now = start.Add(11 * time.Minute)
	var f *Failure
	if _, err = get(cache); !errors.As(err, &f) || !strings.Contains(f.Msg, "ran out at") || !strings.Contains(f.Hint, "kinit") {
		t.Error(err)
	}
}
