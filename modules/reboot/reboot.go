// Package reboot knows how to reboot a host, and how to tell that it really happened.
package reboot

import (
	"context"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
	"github.com/dsplay/dsplay/modules/internal/boot"
)

// Module reboots a host.
func Module() engine.Module {
	return engine.Module{
		Name: "reboot",
		Doc: `Reboots a host and waits until it is back. As a probe it tells when the host was booted.
Only an answer of the host that shows another boot counts: its random boot id on Linux, the time of its last boot on Windows. That it does not answer is no evidence. ESXi is not supported.`,
		New:     func() any { return &Args{Wait: "15m"} },
		Result:  Status{},
		Targets: []string{string(engine.POSIX), string(engine.Windows)},
	}
}

// Args are the arguments.
type Args struct {
	Wait string `hcl:"wait,optional" doc:"How long it may take until the host answers after its boot, like 15m."`
}

// Status is the boot of a host.
type Status struct {
	BootID string `hcl:"boot_id" doc:"What distinguishes this boot from every other one of the host."`
	Booted string `hcl:"booted" doc:"When it was, RFC 3339 in the controller's time, to the second."`
}

// Validate refuses what is no duration.
func (a *Args) Validate() error {
	if d, err := time.ParseDuration(a.Wait); err != nil || d <= 0 {
		return engine.BadArg{Arg: "wait", Problem: fmt.Sprintf("%q is not a duration like 15m", a.Wait)}
	}
	return nil
}

// Effects are a reboot, and that the host is away meanwhile.
func (a *Args) Effects() []engine.Effect {
	return []engine.Effect{engine.EffectReboot, engine.EffectNetwork}
}

// Probe tells when the host was booted.
func (a *Args) Probe(ctx context.Context, host engine.Reader) (any, error) {
	b, err := boot.Of(ctx, host)
	return status(b), err
}

func status(b boot.Boot) Status {
	return Status{BootID: b.ID, Booted: time.Now().Add(-b.Age).UTC().Format(time.RFC3339)}
}

// command is the reboot itself. Both programs only ask for it and return; Windows waits five seconds, so that the
// answer gets through. Exit codes 1115 and 1190: a shutdown is going on already.
func command(ctx context.Context, host engine.Reader) (engine.Command, error) {
	platform, err := host.Platform(ctx)
	switch {
	case err != nil:
		return engine.Command{}, err
	case platform == engine.Windows:
		return engine.Command{Argv: []string{"shutdown.exe", "/r", "/t", "5", "/f", "/d", "p:4:1"}, OK: []int{0, 1115, 1190}}, nil
	case platform == engine.POSIX:
		return engine.Command{Argv: []string{"/sbin/shutdown", "-r", "now"}}, nil
	}
	return engine.Command{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "reboot", Msg: fmt.Sprintf("%s is not supported", platform),
		Hint: "an ESXi host goes into maintenance mode first: use vCenter"}
}

// Check announces the reboot. It asks for the boot, so that a host which cannot tell it is found before it is rebooted.
func (a *Args) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	c, err := command(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	if _, err := boot.Of(ctx, host); err != nil {
		return engine.Diff{}, err
	}
	line, err := host.Line(ctx, c)
	return engine.Diff{Act: "reboot " + host.Name(), Commands: []string{line}}, err
}

// Apply reboots the host and waits until it answers with another boot.
func (a *Args) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	before, err := boot.Of(ctx, host)
	if err != nil {
		return nil, err
	}
	c, err := command(ctx, host)
	if err != nil {
		return nil, err
	}
	since := time.Now()
	if err := ask(ctx, host, c); err != nil {
		return nil, err
	}
	return a.back(ctx, host, before, since)
}

// ask sends the command. A connection that breaks meanwhile is what a reboot looks like, so it is no failure.
func ask(ctx context.Context, host engine.Machine, c engine.Command) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := host.Do(ctx, c)
	switch kind := engine.KindOf(err); {
	case kind == engine.KindLost:
		return nil
	case kind == engine.KindExit:
		return &engine.Error{Kind: kind, Host: host.Name(), Op: "reboot", Err: err, Hint: "the user needs the right to reboot: sudo {} on Linux, an administrator on Windows"}
	}
	return err
}

func (a *Args) back(ctx context.Context, host engine.Reader, before boot.Boot, since time.Time) (Status, error) {
	within, err := time.ParseDuration(a.Wait)
	if err != nil {
		return Status{}, err
	}
	var now boot.Boot
	err = await.Until(ctx, within, 5*time.Second, func(ctx context.Context) (bool, error) {
		now, err = boot.Of(ctx, host)
		return err == nil && now.ID != before.ID && now.After(since), booting(err)
	})
	if err != nil {
		return Status{}, &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: "wait for the reboot", Err: err,
			Hint: "look at its console; it may still come back, then run again"}
	}
	return status(now), nil
}

// booting forgives a host that answers, but cannot tell its boot yet: Windows runs commands before WMI is up.
func booting(err error) error {
	if engine.KindOf(err) == engine.KindExit {
		return nil
	}
	return err
}

// Prove shows that the host was booted after since.
func (a *Args) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	b, err := boot.Of(ctx, host)
	if err != nil {
		return err
	}
	if !b.After(since) {
		return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "reboot", Msg: fmt.Sprintf("the last boot was %s ago, before the step began", b.Age.Round(time.Second))}
	}
	return nil
}
