package vsphere

import (
	"context"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// which says which ESXi host is meant.
type which struct{ name, ref string }

// find gives the one ESXi host that is meant, or why there is none.
func (w which) find(ctx context.Context, host engine.Reader) (h vsphere.Host, why string, err error) {
	estate, err := fetch(ctx, host)
	if err != nil {
		return h, "", err
	}
	found := estate.FindHosts(w.ref, w.name)
	key := "name " + w.name
	if w.ref != "" {
		key = "managed object id " + w.ref
	}
	switch {
	case w == which{}:
		return h, "neither name nor managed object id of the ESXi host is known", nil
	case len(found) == 0:
		return h, "vCenter has no ESXi host with " + key, nil
	case len(found) > 1:
		return h, fmt.Sprintf("vCenter has %d ESXi hosts with %s", len(found), key), nil
	case found[0].Connection != "" && found[0].Connection != "connected":
		return h, fmt.Sprintf("vCenter sees %s as %s", found[0].Name, found[0].Connection), nil
	}
	return found[0], "", nil
}

// must is find for a step.
func (w which) must(ctx context.Context, host engine.Reader) (vsphere.Host, error) {
	h, why, err := w.find(ctx, host)
	if err == nil && why != "" {
		err = &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the ESXi host", Msg: why,
			Hint: "guard the step with when = probe.NAME.found; name is the one that the vCenter shows, the source vsphere gives ref as esxi_ref"}
	}
	return h, err
}

// warned adds to what would be done that vSphere will refuse it, where the user of the connection is known to lack the privilege:
// who approves it should know. It is no error: attempts after it may help all the same.
func warned(ctx context.Context, host engine.Reader, diff engine.Diff, r vsphere.Request) (engine.Diff, error) {
	api, err := host.API(ctx)
	if err != nil {
		return engine.Diff{}, err
	}
	lacks, err := r.Lacks(ctx, api)
	if err != nil {
		return engine.Diff{}, engine.Blame(err, host.Name())
	}
	if lacks != "" {
		diff.Note = strings.TrimPrefix(diff.Note+"; it will be refused: the user of "+host.Name()+" lacks the privilege "+lacks, "; ")
	}
	return diff, nil
}

// send does what the plan shows, and nothing else.
func send(ctx context.Context, host engine.Machine, diff engine.Diff, r vsphere.Request) (string, error) {
	if err := diff.Announces(host.Name(), r.String()); err != nil {
		return "", err
	}
	api, err := host.API(ctx)
	if err != nil {
		return "", err
	}
	result, err := r.Do(ctx, api)
	return result, engine.Blame(err, host.Name())
}
