package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// source is a playbook that comes from a plan, with the values of its variables.
type source struct {
	files []engine.File
	vars  map[string]lang.Var
	limit []string
}

// registerUnder adds the flags of a session under a plan.
func (f *passFlags) registerUnder(c *cobra.Command) {
	c.Flags().StringVarP(&f.load.inventory, "inventory", "i", os.Getenv("DSPLAY_INVENTORY"), "inventory file or folder (default: $DSPLAY_INVENTORY, else the one that the plan names)")
	c.Flags().Var(assign{&f.load.vars}, "var", "the value of a secret variable, which is not in the plan; repeatable (also from the environment: DSPLAY_VAR_NAME)")
	f.registerOutput(c)
	f.registerTelling(c)
	f.bounds.register(c)
}

// under does the work of a session under a plan, with the playbook that is in it. The lock of the run may be waited for; valid is asked
// after that, and nil when there is nothing to ask.
func (a *app) under(c *cobra.Command, d *plan.Document, f passFlags, valid func() error, work func(*session) error) (err error) {
	if f.load.from, err = a.fromPlan(d, f.load.vars); err != nil {
		return err
	}
	f.load.inventory = cmp.Or(f.load.inventory, d.Inventory.Path)
	f.tags, f.skipTags = d.Tags, d.SkipTags
	unlock, err := a.lockRun(c.Context(), d.Playbook.Path, &f)
	if err != nil {
		return err
	}
	defer unlock()
	if valid != nil {
		if err := valid(); err != nil {
			return err
		}
	}
	s, err := a.begin(c, d.Playbook.Path, f)
	if err != nil {
		return err
	}
	s.approved = d
	return s.during(true, func() error { return work(s) })
}

// fromPlan takes the playbook and its variables out of a plan. Secret variables that had been given are taken from the
// flags and the environment again; nothing else can be set.
func (a *app) fromPlan(d *plan.Document, flags []assignment) (*source, error) {
	s := &source{vars: map[string]lang.Var{}, limit: d.Limit}
	for _, f := range d.Playbook.Files {
		s.files = append(s.files, engine.File{Path: f.Path, Data: f.Data})
	}
	given, problems := a.variables(os.DevNull, loadFlags{vars: flags}, os.Environ())
	if err := a.show(problems); err != nil {
		return nil, err
	}
	for _, v := range d.Variables {
		now, ok := given[v.Name]
		switch {
		case v.Secret == "" && ok && !now.Ambient:
			return nil, fmt.Errorf("%s: the plan fixes it; a plan with another value is another plan; nothing was executed", now.Origin)
		case v.Secret == "":
			typed, err := value(v)
			if err != nil {
				return nil, err
			}
			s.vars[v.Name] = lang.Var{Typed: typed, Origin: "the plan (" + v.Origin + ")"}
		case ok:
			s.vars[v.Name] = now
		case v.Origin != lang.DefaultOrigin:
			return nil, fmt.Errorf("the variable %s is secret, so its value is not in the plan: give it again with --var %[1]s=… or DSPLAY_VAR_%[1]s (it came from %s); nothing was executed", v.Name, v.Origin)
		}
	}
	for _, x := range flags {
		if !slices.ContainsFunc(d.Variables, func(v plan.Variable) bool { return v.Name == x.name }) {
			return nil, fmt.Errorf("--var %s: the playbook of the plan has no such variable; nothing was executed", x.name)
		}
	}
	return s, nil
}

func value(v plan.Variable) (cty.Value, error) {
	t, err := ctyjson.UnmarshalType(v.Type)
	if err != nil {
		return cty.NilVal, fmt.Errorf("the plan's variable %s: %w; nothing was executed", v.Name, err)
	}
	out, err := ctyjson.Unmarshal(v.Value, t)
	if err != nil {
		return cty.NilVal, fmt.Errorf("the plan's variable %s: %w; nothing was executed", v.Name, err)
	}
	return out, nil
}

// noteDifferences tells what is not as it was and decides nothing by itself: decisions are compared afterwards.
func (s *session) noteDifferences(d *plan.Document) {
	if d.Dsplay != version {
		s.note("the plan was made by dsplay %s, this is %s: what they decide is compared", d.Dsplay, version)
	}
	was := map[string]string{}
	for _, f := range d.Inventory.Files {
		was[f.Path] = f.SHA256
	}
	var changed []string
	for _, f := range s.loaded.model.Files() {
		if plan.NewFile(f).SHA256 != was[f.Path] {
			changed = append(changed, f.Path)
		}
	}
	if len(changed) > 0 || len(s.loaded.model.Files()) != len(was) {
		s.note("the inventory is not the file that it was (%s): what is decided with it is compared", strings.Join(changed, ", "))
	}
}

// sameHosts refuses hosts that will be acted on and are reached in another way than planned; and lets every connection
// refuse a host that is not the one that the plan knows.
func (s *session) sameHosts(d *plan.Document) error {
	identities := map[string]string{}
	for _, h := range d.Hosts {
		if h.Identity != "" {
			identities[h.Name] = h.Identity
		}
		now := s.inv.Hosts[h.Name]
		if !slices.Contains(d.Worst.Hosts, h.Name) || now == nil {
			continue // without a host there is nothing to connect to: whether it is needed is compared
		}
		if fingerprint(now) != h.Settings {
			return fmt.Errorf("%s (%s) is reached in another way than when the plan was made: %s; plan again", h.Name, now.Range, otherWay(h, now))
		}
	}
	s.runner.Expect(identities)
	return nil
}

// otherWay says how a host is reached otherwise than planned.
func otherWay(was plan.Host, now *engine.Host) string {
	if was.Address == now.Address && was.Connection == now.Connection.Type {
		return "in the inventory, settings of its connection or its sudo changed (user, port, key, password …)"
	}
	return fmt.Sprintf("the inventory had %s over %s, now it has %s over %s", was.Address, was.Connection, now.Address, now.Connection.Type)
}
