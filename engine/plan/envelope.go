package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// OutOfPlan says what was about to be done although the plan does not allow it.
type OutOfPlan struct{ Host, Entry, Why string }

func (o *OutOfPlan) Error() string {
	return fmt.Sprintf("out of plan: %s on %s: %s; it was not done; plan again for what this host needs now", o.Entry, o.Host, o.Why)
}

// Allow judges what a mutating entry is about to do: it must be in the plan for this play, host, item, doer and module, with
// the same known arguments, with no command that the plan does not list, and with no effect that it does not have. A nil error means yes.
func (p *Plan) Allow(now Item) error {
	i, ok := p.FindItem(now.Play, now.Host, now.Entry, now.Item)
	why := ""
	switch {
	case !ok:
		why = "the plan does not have it for this host"
	case i.Disposition == Unreachable:
		why = "the host did not answer while planning, so nothing was approved for it"
	case !i.Acts():
		why = fmt.Sprintf("the plan says %s (%s)", i.Disposition, i.Reason)
	case i.On != now.On:
		why = fmt.Sprintf("the plan has %s do it, now it would be %s", i.On, now.On)
	case i.Module != now.Module:
		why = fmt.Sprintf("its module is %s in the plan, now %s", i.Module, now.Module)
	default:
		why = cmp.Or(differs(i, now.Args, now.Diff), worse(i, now.Effects))
	}
	if why == "" {
		return nil
	}
	return &OutOfPlan{Host: now.Host, Entry: now.Entry, Why: why}
}

// worse names an effect that the plan does not have: mostly an argument that was not known yet brought it, and nobody judged it.
func worse(i Item, effects []engine.Effect) string {
	for _, e := range effects {
		if !slices.Contains(i.Effects, e) {
			why := fmt.Sprintf("its effect would be %s, which is not in the plan", e)
			if len(i.Unknown) > 0 {
				why += ": " + strings.Join(i.Unknown, ", ") + " was not known there"
			}
			return why
		}
	}
	return ""
}

func differs(i Item, args []engine.Arg, diff engine.Diff) string {
	known := func(a engine.Arg) bool { return !slices.Contains(i.Unknown, a.Name) }
	for _, a := range args {
		if known(a) && !slices.Contains(i.Args, a) {
			return fmt.Sprintf("%s is %s now, which is not in the plan", a.Name, a.Value)
		}
	}
	for _, a := range i.Args {
		if known(a) && !slices.Contains(args, a) {
			return fmt.Sprintf("%s was %s in the plan and is not given now", a.Name, a.Value)
		}
	}
	for _, c := range diff.Commands {
		if !slices.Contains(i.Diff.Commands, c) {
			return fmt.Sprintf("it would execute %q, which is not in the plan%s", c, sourceChanged(i.Diff.Commands, c))
		}
	}
	return ""
}

// sourceChanged says of a line that puts a file that the plan has another content for it, or "".
func sourceChanged(approved []string, line string) string {
	path, now, ok := engine.ParsePut(line)
	for _, a := range approved {
		if to, was, put := engine.ParsePut(a); ok && put && to == path && was != now {
			return ": its source has changed, there it was " + was
		}
	}
	return ""
}
