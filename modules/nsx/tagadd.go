package nsx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/nsx"
	"github.com/dsplay/dsplay/modules/internal/await"
)

// look finds the guest in the directory of the pass, and reads it anew: the check after the step must see what the step did.
func (m *tag) look(ctx context.Context, host engine.Reader) (*nsx.Directory, nsx.Guest, error) {
	d, err := directory(ctx, host)
	if err != nil {
		return nil, nsx.Guest{}, err
	}
	g, why := d.Find(m.UUID, m.BIOSUUID, m.Name)
	if why != "" {
		return nil, nsx.Guest{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the guest", Msg: why,
			Hint: "guard the step with when = probe.NAME.found"}
	}
	api, err := host.API(ctx)
	if err != nil {
		return nil, nsx.Guest{}, err
	}
	g, err = d.Again(ctx, api, g, m.wanted())
	return d, g, engine.Blame(err, host.Name())
}

// Check tells whether the tag has to be added.
func (m *tag) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	d, g, err := m.look(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	if g.Has(m.wanted()) {
		return engine.Diff{Note: label(g) + " has the tag " + m.wanted().String()}, nil
	}
	r, err := m.request(ctx, host, d, g)
	if err != nil {
		return engine.Diff{}, err
	}
	return engine.Diff{
		Changes:  []engine.Change{{What: "tag " + m.wanted().String() + " of " + label(g), Before: "absent", After: "present"}},
		Commands: []string{r.String()},
	}, nil
}

func (m *tag) request(ctx context.Context, host engine.Reader, d *nsx.Directory, g nsx.Guest) (nsx.Request, error) {
	api, err := host.API(ctx)
	if err != nil {
		return nsx.Request{}, err
	}
	r, err := d.Adding(api, g.ID, m.wanted())
	return r, engine.Blame(err, host.Name())
}

func label(g nsx.Guest) string { return cmp.Or(g.Name, g.ID) }

// Apply adds the tag by the one request of the diff, and waits until NSX shows it and the group has followed.
func (m *tag) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	d, g, err := m.look(ctx, host)
	if err != nil {
		return nil, err
	}
	r, err := m.request(ctx, host, d, g)
	if err != nil {
		return nil, err
	}
	if err := diff.Announces(host.Name(), r.String()); err != nil {
		return nil, err
	}
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	if err := nsx.Do(ctx, api, r); err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	return m.follow(ctx, host, func(ctx context.Context) (nsx.Guest, error) { return d.Again(ctx, api, g, m.wanted()) })
}

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// follow looks at the guest until tag and group are there.
func (m *tag) follow(ctx context.Context, host engine.Reader, again func(context.Context) (nsx.Guest, error)) (any, error) {
	limit, err := m.within()
	if err != nil {
		return nil, err
	}
	var t Tagged
	err = await.Soon(ctx, limit, firstPause, lastPause, func(ctx context.Context) (bool, error) {
		now, err := again(ctx)
		if err != nil {
			return false, engine.Blame(err, host.Name())
		}
		t, err = m.result(ctx, host, now)
		return t.Tagged && (t.Member == nil || *t.Member), err
	})
	switch {
	case err == nil:
		return t, nil
	case engine.KindOf(err) == engine.KindTimeout && ctx.Err() == nil:
		return nil, m.late(host, t, errors.Unwrap(err))
	}
	return nil, err
}

// late says what did not come in time; last is the error of the last look, nil when NSX has answered.
func (m *tag) late(host engine.Reader, t Tagged, last error) error {
	e := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "wait for the tag " + m.wanted().String(), Err: last,
		Msg: "NSX took it, and does not show it after " + m.Within, Hint: "look at the tags of the guest in NSX: something may take the tag away again"}
	if t.Tagged {
		e.Msg = fmt.Sprintf("the guest has it, and the group %s has not taken it in after %s", m.Group, m.Within)
		e.Hint = "do the criteria of the group name this tag and scope, letter case included? Is the guest excluded? Or does NSX need longer: within"
	}
	return e
}
