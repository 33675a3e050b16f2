package run

import (
	"errors"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Bounds limit what a pass that acts may do, beside the plan. The zero value limits nothing.
type Bounds struct {
	Window *engine.Window // within which everything is done, beside the windows of plays; nil: any time
	Left   map[Spot]string
}

// Spot is a host in a play. Bounds.Left says why it is not begun.
type Spot struct{ Play, Host string }

// Bound sets the bounds of the passes that follow.
func (r *Runner) Bound(b Bounds) { r.bounds = b }

// Reasons for which something is not begun. Neither is a failure of a host.
var (
	errElsewhere = errors.New("left to another run")
	errLate      = errors.New("not started") // it would not end before a window closes
)

// outside is how a host ends that may not be begun now, because a window is closed or another run has it; nil: it may be
// begun. Planning only looks.
func (p *pass) outside(play *engine.Play, host string) *engine.Outcome {
	if p.planning {
		return nil
	}
	refused := func(op string, err error) *engine.Outcome {
		return &engine.Outcome{Host: host, Status: engine.HostNotAttempted, Err: &engine.Error{Kind: engine.KindModule, Host: host, Op: op, Err: err}}
	}
	if why, left := p.bounds.Left[Spot{play.Name, host}]; left {
		return refused(why, fmt.Errorf("%w: %w", errElsewhere, errNotStarted))
	}
	if why := p.closed(play.Window, fmt.Sprintf("play %q", play.Name)); why != "" {
		return refused(why, errNotStarted)
	}
	if !play.Acts { // what the policy permits is acting; looking is free
		return nil
	}
	if why := p.closed(p.bounds.Window, "the policy"); why != "" {
		return refused(why, errNotStarted)
	}
	return nil
}

// closed says that a window is closed now, and when it opens; "": it is open, or there is none.
func (p *pass) closed(w *engine.Window, whose string) string {
	if w == nil || w.Open(p.now()) {
		return ""
	}
	text := fmt.Sprintf("outside of the window of %s (%s)", whose, w)
	if opens := w.Opens(p.now()); !opens.IsZero() {
		text += ", which opens " + w.Clock(opens)
	}
	return text
}

// late is the error of something that may need so long that it would not end before a window closes; nil: there is time. What
// a finally block does is never too late.
func (h *hostRun) late(what string, need time.Duration) error {
	if h.closing || h.planning {
		return nil
	}
	now := h.now()
	for _, w := range []*engine.Window{h.play.Window, h.bounds.Window} {
		if w == nil {
			continue
		}
		closes := w.Closes(now)
		switch {
		case !w.Open(now):
			return h.tooLate(fmt.Sprintf("%s: the window (%s) is closed by now", what, w))
		case !closes.IsZero() && now.Add(need).After(closes):
			return h.tooLate(fmt.Sprintf("%s may need %s, and the window (%s) closes %s", what, need, w, w.Clock(closes)))
		}
	}
	return nil
}

func (h *hostRun) tooLate(msg string) error {
	return &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Msg: msg, Err: errLate,
		Hint: "run it earlier in the window; a timeout of the step, or less patience of the goal (within), says that it needs less"}
}

// need is how long a step may take: its timeout; in an attempt that has none, the time that the goal is given; else what every
// step has.
func (x *execution) need() time.Duration {
	switch {
	case x.settings.Timeout > 0:
		return x.settings.Timeout
	case x.patience > 0:
		return x.patience
	}
	return stepTimeout
}
