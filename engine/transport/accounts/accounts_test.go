package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/accounts"
)

var errWrong = errors.New("wrong")

// Of whom a domain counts the logins, and of whom a host does: with the second, all hosts are asked.
func TestWhoseAccountItIs(t *testing.T) {
	const hosts = 6
	for user, want := range map[string]int{`CORP\ops`: 2, "ops@corp.example": 2, "ops": hosts, `.\ops`: hosts, `\ops`: hosts, `HOST\ops`: hosts} {
		var a accounts.Accounts
		sent := 0
		for i := range hosts {
			name := fmt.Sprintf("host%d.corp.example", i)
			err := a.InTurn(t.Context(), accounts.Login{Host: name, User: strings.Replace(user, "HOST", fmt.Sprint("Host", i), 1), Password: engine.Plain("guess"), Op: "log in",
				Send: func() error { sent++; return errWrong }, Refused: func(err error) bool { return errors.Is(err, errWrong) }})
			var e *engine.Error
			switch {
			case errors.Is(err, errWrong):
			case !errors.Is(err, accounts.ErrNotSent) || !errors.As(err, &e) || e.Kind != engine.KindAuth || e.Host != name || e.Op != "log in" || strings.Contains(e.Error(), "guess"):
				t.Errorf("%s at %s: %v", user, name, err)
			}
		}
		if sent != want {
			t.Errorf("%s: sent %d times, want %d", user, sent, want)
		}
	}
}

// What says nothing of the password is no refusal, another password is another chance, and a taken one goes everywhere.
func TestWhatIsARefusal(t *testing.T) {
	var a accounts.Accounts
	send := func(password string, answer error) error {
		return a.InTurn(t.Context(), accounts.Login{Host: "h", User: `CORP\ops`, Password: engine.Plain(password),
			Send: func() error { return answer }, Refused: func(err error) bool { return errors.Is(err, errWrong) }})
	}
	hung := errors.New("no answer")
	for range 5 {
		if err := send("a", hung); !errors.Is(err, hung) {
			t.Error(err)
		}
	}
	for _, password := range []string{"a", "b"} {
		_, _ = send(password, errWrong), send(password, errWrong)
		if err := send(password, nil); !errors.Is(err, accounts.ErrNotSent) {
			t.Errorf("%s after two refusals: %v", password, err)
		}
	}
	for _, answer := range []error{nil, errWrong, errWrong, errWrong, nil} {
		if err := send("c", answer); !errors.Is(err, answer) {
			t.Errorf("%v, want %v", err, answer)
		}
	}
}

// Who waits for a turn goes when nobody wants to know any more.
func TestWaitingEnds(t *testing.T) {
	var a accounts.Accounts
	login := accounts.Login{Host: "h", User: `CORP\ops`, Refused: func(error) bool { return false }}
	login.Send = func() error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		second := login
		second.Send = func() error { t.Error("sent"); return nil }
		if err := a.InTurn(ctx, second); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return nil
	}
	if err := a.InTurn(t.Context(), login); err != nil {
		t.Error(err)
	}
}
