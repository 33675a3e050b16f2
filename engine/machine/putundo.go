package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const undoTime = 15 * time.Second

// undone removes what a failed upload left, where its script could not do it by itself, and says when that failed.
func (h *Host) undone(ctx context.Context, p upload, failed step, err error) error {
	last := failed.line == p.steps[len(p.steps)-1].line // it tidies up
	if p.undo == nil || last && engine.KindOf(err) == engine.KindModule || engine.KindOf(err) == engine.KindLost {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	bad := h.use(ctx, func(shell engine.Shell) error {
		_, err := h.exec(ctx, shell, *p.undo, engine.Command{})
		return err
	})
	if bad == nil {
		return err
	}
	return left(err, p.undo.line)
}

// left names in an error what could not be removed.
func left(err error, undo string) error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Hint = strings.TrimPrefix(e.Hint+"; ", "; ") + "what is left of the temporary file could not be removed, do it by hand: " + undo
	return &named
}

// lostPut finds out, over a new connection, what became of an upload whose connection broke. The temporary file is
// removed first: after that the old command, if it still runs, cannot finish any more, and what is there is final.
func (a *acting) lostPut(ctx context.Context, u engine.Upload, undo string, last bool, lost error) error {
	h := a.Host
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	err := h.use(ctx, func(shell engine.Shell) error {
		p, err := h.plan(ctx, shell, u)
		if err == nil && p.undo != nil {
			_, err = h.exec(ctx, shell, *p.undo, engine.Command{})
		}
		return err
	})
	if err != nil {
		return left(lost, undo)
	}
	if last {
		done, err := h.holds(ctx, u)
		if err != nil {
			return lost
		}
		if done {
			return nil
		}
	}
	var e *engine.Error
	if !errors.As(lost, &e) {
		return lost
	}
	known := *e
	known.Kind, known.Err = engine.KindModule, nil
	why := engine.Error{Kind: e.Kind, Msg: e.Msg, Err: e.Err}
	known.Msg = "the connection broke in the middle (" + why.Error() + "); the old file is untouched, the temporary one removed"
	known.Unreachable, known.Orphan, known.Hint = false, false, "run it again"
	return &known
}

// holds tells whether the file has the content of u now.
func (h *Host) holds(ctx context.Context, u engine.Upload) (bool, error) {
	want := u.Content.SHA256
	if want == "" {
		data, err := u.Content.Bytes()
		if err != nil {
			return false, err
		}
		want = sum(data)
	}
	info, err := h.Stat(ctx, u.Path)
	if err != nil || !info.Exists || info.Size != u.Content.Size {
		return false, err
	}
	if info.SHA256 != "" {
		return info.SHA256 == want, nil
	}
	hash := sha256.New()
	_, err = h.Get(ctx, u.Path, hash)
	return hex.EncodeToString(hash.Sum(nil)) == want, err
}
