package vsphere

import (
	"context"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/modules/internal/await"
)

// What VMware Tools do is looked at soon, and then less and less often: a vCenter may be asked about many guests at once.
const (
	lookFirst = 100 * time.Millisecond
	lookEvery = 5 * time.Second
)

// checkReboot announces the reboot of a guest whose VMware Tools can do it.
func (v *vm) checkReboot(ctx context.Context, host engine.Reader, now vsphere.VM) (engine.Diff, error) {
	refuse := func(why, hint string) error {
		return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "reboot the guest of " + now.Name, Msg: why, Hint: hint}
	}
	switch {
	case now.Power != poweredOn:
		return engine.Diff{}, refuse("it is "+now.Power, "a machine that is off needs power = \"on\"")
	case !now.ToolsRun():
		return engine.Diff{}, refuse("its VMware Tools do not run, and only they can", "reboot it over its own connection (module reboot); a reset in vCenter is like pulling the plug")
	}
	_, known, err := v.booted(ctx, host, now)
	if err != nil {
		return engine.Diff{}, err
	}
	v.request = vsphere.Rebooting(now)
	diff := engine.Diff{Act: "reboot the guest of " + now.Name, Commands: []string{v.request.String()}}
	if !known {
		diff.Note = "vCenter does not tell when it was booted: that its VMware Tools go and come back will count as the reboot"
	}
	return warned(ctx, host, diff, v.request)
}

func (v *vm) booted(ctx context.Context, host engine.Reader, now vsphere.VM) (time.Time, bool, error) {
	api, err := host.API(ctx)
	if err != nil {
		return time.Time{}, false, err
	}
	at, known, err := vsphere.Booted(ctx, api, now.Ref)
	return at, known, engine.Blame(err, host.Name())
}

// reboot asks VMware Tools for it and waits for the evidence.
func (v *vm) reboot(ctx context.Context, host engine.Machine, diff engine.Diff) error {
	limit, err := time.ParseDuration(v.Wait)
	if err != nil {
		return err
	}
	since := time.Now()
	if _, err := send(ctx, host, diff, v.request); err != nil {
		return err
	}
	away := false
	err = await.Soon(ctx, limit, lookFirst, lookEvery, func(ctx context.Context) (bool, error) {
		now, err := anew(ctx, host, v.ref)
		if err != nil {
			return false, err
		}
		if now.Power != poweredOn || !now.ToolsRun() {
			away = true
			return false, nil
		}
		at, known, err := v.booted(ctx, host, now)
		v.returned = away && !known
		return v.returned || known && at.After(since), err
	})
	if err != nil {
		return &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: "wait for the reboot", Err: err,
			Hint: "look at its console: a program may hold the reboot up, or it still boots; then run again"}
	}
	return nil
}

// Prove shows that the guest was booted after since, as far as vCenter tells.
func (v *vm) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	now, err := v.one(ctx, host)
	if err != nil || v.returned {
		return err
	}
	at, known, err := v.booted(ctx, host, now)
	if err != nil || known && at.After(since) {
		return err
	}
	e := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "reboot the guest of " + now.Name,
		Msg: "vCenter does not tell when it was booted", Hint: "ask the guest itself: probe \"reboot\"", Err: engine.ErrUnprovable}
	if known {
		e.Msg, e.Hint = fmt.Sprintf("its last boot was at %s, before the step began", at.UTC().Format(time.RFC3339)), ""
		e.Err = nil
	}
	return e
}
