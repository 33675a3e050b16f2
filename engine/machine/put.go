package machine

import (
	"context"
	"slices"

	"github.com/dsplay/dsplay/engine"
)

// PutLines are the lines that Put needs among the Commands of a diff.
func (h *Host) PutLines(ctx context.Context, u engine.Upload) ([]string, error) {
	var lines []string
	err := h.use(ctx, func(shell engine.Shell) error {
		p, err := h.plan(ctx, shell, u)
		lines = p.lines()
		return err
	})
	if err != nil {
		return nil, renamed(err, "copy to "+u.Path)
	}
	return lines, nil
}

// Put writes a file, as engine.Machine says.
func (a *acting) Put(ctx context.Context, u engine.Upload) error {
	h, op := a.Host, "copy to "+u.Path
	var undo string
	var last bool // the step that moves the file has begun
	err := h.use(ctx, func(shell engine.Shell) error {
		p, err := h.plan(ctx, shell, u)
		if err != nil {
			return err
		}
		for _, line := range p.lines() {
			if !slices.Contains(a.allowed, line) {
				return notAnnounced(h.host.Name, line)
			}
		}
		if p.undo != nil {
			undo = p.undo.line
		}
		return h.carryOut(ctx, shell, p, &last)
	})
	if err == nil {
		return nil
	}
	if engine.KindOf(err) == engine.KindLost && undo != "" {
		err = a.lostPut(ctx, u, undo, last, err)
	}
	return renamed(err, op)
}

func notAnnounced(host, line string) error {
	return &engine.Error{
		Kind: engine.KindModule, Host: host, Op: op(line), Msg: "not in the plan's envelope",
		Hint: "nothing was run; the module asked for a command line that it had not announced",
	}
}

// carryOut does the steps one after the other, and says whether it came to the last.
func (h *Host) carryOut(ctx context.Context, shell engine.Shell, p upload, last *bool) error {
	for i, s := range p.steps {
		*last = i == len(p.steps)-1
		if err := h.carryStep(ctx, shell, p, s); err != nil {
			return h.undone(ctx, p, s, err)
		}
	}
	return nil
}

func (h *Host) carryStep(ctx context.Context, shell engine.Shell, p upload, s step) error {
	op := "copy to " + p.u.Path
	if s.back {
		return h.compareBack(ctx, shell, p.u, s.call)
	}
	var from *source
	if s.feed != nil || s.carry != nil {
		r, err := p.u.Content.Open()
		if err != nil {
			return h.sourceGone(op, err)
		}
		defer r.Close()
		from = h.newSource(p.u, r)
	}
	if s.carry != nil {
		ctx, stop := from.watched(ctx, h.options.Timeout)
		defer stop()
		return from.explained(ctx, h, s.carry(ctx, shell, from))
	}
	r := s.call
	if s.feed != nil {
		r.from, r.stdin = from, s.feed(from)
	}
	out, err := h.exec(ctx, shell, r, engine.Command{AnyOK: true})
	switch {
	case err != nil:
		return err
	case out.Code == 0:
		return nil
	case out.Code == putHash || out.Code == putSize && out.Stderr == "":
		if changed := h.sourceChanged(p.u, op); changed != nil {
			return changed
		}
	}
	if s.judge != nil {
		return s.judge(out)
	}
	return putError(h.host.Name, op, out)
}
