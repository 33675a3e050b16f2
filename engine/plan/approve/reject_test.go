package approve_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/plan/approve"
)

func TestReject(t *testing.T) {
	alice := newPerson(t)
	b := newBench(t)
	allowed := b.write("allowed_signers", alice.line("alice@corp"))
	b.write("plan.json.sig", string(alice.sign(t, b.data, approve.Namespace)))
	options := approve.Options{AllowedSigners: allowed, Require: 1, Now: now}
	r := approve.Rejection{ID: b.doc.ID, Who: "dave@ops1", When: now, Reason: "not during\x1b[2J the\nfreeze"}

	path, err := approve.Reject(b.plan, r, alice)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	report, err := approve.Check(b.plan, b.data, b.doc, options)
	var refused *approve.Refused
	if !errors.As(err, &refused) || report.Rejection == nil || len(report.Approvals) != 1 {
		t.Fatalf("%v %+v", err, report)
	}
	if want := "the plan was rejected by dave@ops1 on 2026-11-23 03:00 UTC: not during·[2J the·freeze"; !strings.Contains(err.Error(), want) {
		t.Errorf("%q, want %q", err, want)
	}
	if _, err := approve.Reject(b.plan, r, nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("rejected twice: %v", err)
	}
	if _, err := os.Stat(path + ".sig"); err != nil {
		t.Errorf("no signature: %v", err)
	}

	// The plan was made again under the same name: the rejection is of the one before, and gives way to a new one.
	again, doc := planOf(t, "dave")
	if err := os.WriteFile(b.plan, again, 0o600); err != nil {
		t.Fatal(err)
	}
	if before, err := approve.Rejected(b.plan, doc.ID); before != nil || err != nil {
		t.Errorf("%v %v", before, err)
	}
	r.ID = doc.ID
	if _, err := approve.Reject(b.plan, r, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".sig"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the signature of the former rejection is still there: %v", err)
	}
}

// What may be a rejection stops the plan.
func TestRejectedInDoubt(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "cut": `{"id":"sha256:`, "nameless": `{"reason":"no"}`, "list": "[]", "text": "no!"} {
		b := newBench(t)
		b.write("plan.json.rejected", text)
		_, err := approve.Check(b.plan, b.data, b.doc, approve.Options{Now: now})
		if refused := (*approve.Refused)(nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), "may reject the plan") {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := newBench(t)
	if err := os.Mkdir(b.plan+".rejected", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := approve.Check(b.plan, b.data, b.doc, approve.Options{Now: now}); !errors.As(err, new(*approve.Refused)) {
		t.Errorf("a folder: %v", err)
	}
}
