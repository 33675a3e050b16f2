// Package deepsecurity knows guests as a Deep Security Manager sees them: whether the anti-malware engine that an
// appliance runs for them is online, and how old that knowledge is.
package deepsecurity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
	"github.com/dsplay/dsplay/modules/internal/await"
)

const defaultMaxAge = "30m"

// directory is the list of all computers, fetched once for all probes of a pass.
func directory(ctx context.Context, host engine.Reader) (*dsm.Directory, error) {
	d, err := host.Once(ctx, "deepsecurity directory", func(ctx context.Context) (any, error) {
		api, err := host.API(ctx)
		if err != nil {
			return nil, err
		}
		d, err := dsm.Fetch(ctx, api)
		return d, engine.Blame(err, host.Name())
	})
	if err != nil {
		return nil, err
	}
	return d.(*dsm.Directory), nil
}

// mustFind is computerOf for a step.
func mustFind(ctx context.Context, host engine.Reader, uuid, name string) (dsm.Computer, error) {
	c, err := computerOf(ctx, host, uuid, name)
	if err == nil && !c.Found {
		err = &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the computer", Msg: c.Messages[0], Hint: "guard the step with when = probe.NAME.found"}
	}
	return c, err
}

// send does what the plan shows, and nothing else.
func send(ctx context.Context, host engine.Machine, diff engine.Diff, a dsm.Act) error {
	if err := diff.Announces(host.Name(), a.Text); err != nil {
		return err
	}
	api, err := host.API(ctx)
	if err != nil {
		return err
	}
	return engine.Blame(a.Do(ctx, api), host.Name())
}

// begin is send for a job; see dsm.Job.Do for clean.
func begin(ctx context.Context, host engine.Machine, diff engine.Diff, j dsm.Job) (clean func(context.Context) error, err error) {
	if err := diff.Announces(host.Name(), j.Start); err != nil {
		return nil, err
	}
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	clean, err = j.Do(ctx, api)
	return clean, engine.Blame(err, host.Name())
}

// follow looks for the outcome of what was just done, the first time after every. A DSM that does not answer meanwhile is waited
// for, too.
func follow(ctx context.Context, wait, every string, look func(context.Context) (done bool, err error)) error {
	limit, _ := time.ParseDuration(wait) // Validate has read them
	pause, _ := time.ParseDuration(every)
	if err := engine.Wait(ctx, pause); err != nil {
		return err
	}
	return await.Until(ctx, limit, pause, look)
}

// inVain is late where err is that of a wait that was too short, whether DSM showed nothing or did not answer; else err.
func inVain(ctx context.Context, host engine.Reader, err error, late engine.Error) error {
	if err == nil || engine.KindOf(err) != engine.KindTimeout && ctx.Err() == nil {
		return err
	}
	if late.Kind, late.Host, late.Err = engine.KindTimeout, host.Name(), errors.Unwrap(err); ctx.Err() != nil {
		late.Msg, late.Err = "", ctx.Err()
	}
	return &late
}

// afterwards removes what a job needed, also when nobody waits for it any more: a scheduled task that stays runs again in 2100.
// failed is how the job itself ended: a task that could not be removed does not hide that.
func afterwards(ctx context.Context, host engine.Reader, op string, clean func(context.Context) error, failed error) error {
	switch err := clean(context.WithoutCancel(ctx)); {
	case err == nil:
		return failed
	case failed != nil:
		return fmt.Errorf("%w; nor could its scheduled task be deleted (do it in the console): %w", failed, err)
	default:
		return &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: op, Err: err, Hint: "delete it in the console; what it is for was done"}
	}
}

// verdict is the state of a computer, and the words for it, when its age is taken into account.
//
// An "online" that is older than limit proves nothing: DSM goes on showing what it heard last. An "offline" stays,
// however old: a guest whose appliance died has nothing newer to tell, and its last communication lies back as far
// as the fault does. Where DSM does not say when it was, nothing can be too old.
func verdict(c dsm.Computer, limit time.Duration) (dsm.State, []string) {
	if c.AsOf == nil {
		return c.State, c.Messages
	}
	age := time.Since(*c.AsOf)
	switch {
	case lingers(c, limit):
		return dsm.Unknown, append([]string{"DSM shows an error although the engine reports well: nobody has cleared it, or it is not over (ds_clear_errors tells)"}, c.Messages...)
	case c.State == dsm.Online && age > limit:
		return dsm.Unknown, append([]string{fmt.Sprintf("DSM says online, but heard of it %s ago", rough(age))}, c.Messages...)
	case c.State == dsm.Offline && age > limit:
		return dsm.Offline, append(c.Messages[:len(c.Messages):len(c.Messages)], fmt.Sprintf("last heard of %s ago", rough(age)))
	}
	return c.State, c.Messages
}

// lingers tells whether the DSM shows an error of which its newest knowledge of the engine says nothing any more.
func lingers(c dsm.Computer, limit time.Duration) bool {
	return len(c.Leftover) > 0 && c.AsOf != nil && time.Since(*c.AsOf) <= limit
}

func rough(d time.Duration) string {
	if d >= time.Hour {
		return d.Round(time.Minute).String()
	}
	return d.Round(time.Second).String()
}

// stamp writes a time for a result; with fractions, because a goal compares it with the end of an attempt.
func stamp(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	return &text
}

func maxAge(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, engine.BadArg{Arg: "max_age", Problem: `must be a duration such as "30m", not ` + strconv.Quote(text)}
	}
	return d, nil
}

// durations refuses arguments that are none. Those of optional, given as name and text in turn, may be empty.
func durations(args map[string]string, optional ...string) error {
	for i := 0; i < len(optional); i += 2 {
		if optional[i+1] != "" {
			args[optional[i]] = optional[i+1]
		}
	}
	for _, arg := range slices.Sorted(maps.Keys(args)) {
		if d, err := time.ParseDuration(args[arg]); err != nil || d <= 0 {
			return engine.BadArg{Arg: arg, Problem: `must be a duration such as "30m", not ` + strconv.Quote(args[arg])}
		}
	}
	return nil
}
