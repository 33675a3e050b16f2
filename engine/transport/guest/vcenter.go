package guest

import (
	"context"
	"errors"
	"time"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/engine/transport/accounts"
)

// center is the vCenter as one guest sees it.
type center struct {
	api     engine.API
	host    string // the guest's name in the inventory
	vc      string // the vCenter's
	patient time.Duration
	pause   time.Duration // before the first look at a command
}

// managers are the objects that do guest operations in a vCenter.
type managers struct{ auth, file, process types.ManagedObjectReference }

const (
	busyTries = 5                      // while the machine is busy with something else
	busyPause = 300 * time.Millisecond // before the second try, unless looks come faster; it doubles
)

// do calls f with a client that is logged in, for at most the time that a vCenter may be silent. A machine that is busy
// (TaskInProgress: a vMotion, a snapshot) refuses an operation before it begins, so it is tried again.
func (c *center) do(ctx context.Context, op string, f func(ctx context.Context, v *vim25.Client) error) error {
	pause := min(busyPause, 3*c.pause)
	for try := 1; ; try++ {
		err := c.once(ctx, f)
		if try == busyTries || !fault.Is(err, &types.TaskInProgress{}) || engine.Wait(ctx, pause) != nil {
			return c.explain(op, err)
		}
		pause *= 2
	}
}

func (c *center) once(ctx context.Context, f func(ctx context.Context, v *vim25.Client) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.patient, errSilent)
	defer cancel()
	var raw error
	err := vsphere.Do(ctx, c.api, func(ctx context.Context, v *vim25.Client) error {
		raw = f(ctx, v)
		return raw
	})
	if err == nil || raw == nil {
		return err
	}
	var known *engine.Error
	if !errors.As(raw, &known) && !fault.Is(raw, &types.NotAuthenticated{}) {
		return raw // with its fault, which is ours to explain
	}
	return err
}

// ask is do for what only asks: it is repeated while the vCenter says 503.
func (c *center) ask(ctx context.Context, op string, f func(ctx context.Context, v *vim25.Client) error) error {
	return c.do(vsphere.Asking(ctx), op, f)
}

// managers are asked for once per vCenter.
func (c *center) managers(ctx context.Context) (m managers, err error) {
	err = c.ask(ctx, "ask for guest operations", func(ctx context.Context, v *vim25.Client) error {
		found, err := vsphere.GuestOperations(ctx, c.api, v)
		m = managers{found.Auth, found.File, found.Process}
		return err
	})
	return m, err
}

// tryLogin tries the account. A refusal stands as long as the vCenter's connection: whoever dials again gets the same
// error, and no account is locked by trying, be it the guest's own or one of a domain.
func (c *center) tryLogin(ctx context.Context, m managers, vm types.ManagedObjectReference, login *types.NamePasswordAuthentication) error {
	known, err := c.api.Session(ctx, "guest accounts", func(context.Context) (any, func(context.Context) error, error) {
		return new(accounts.Accounts), nil, nil
	})
	if err != nil {
		return err
	}
	op := "log in to the guest as " + login.Username
	_, err = c.api.Session(ctx, "guest login "+vm.Value+" "+login.Username, func(ctx context.Context) (any, func(context.Context) error, error) {
		return true, nil, known.(*accounts.Accounts).InTurn(ctx, accounts.Login{Host: c.host, User: login.Username, Password: engine.Plain(login.Password), Op: op,
			Send: func() error {
				return c.do(ctx, op, func(ctx context.Context, v *vim25.Client) error {
					_, err := methods.ValidateCredentialsInGuest(ctx, v, &types.ValidateCredentialsInGuest{This: m.auth, Vm: vm, Auth: login})
					return err
				})
			},
			Refused: func(err error) bool { return isFault(err, &types.InvalidGuestLogin{}) }})
	})
	return err
}
