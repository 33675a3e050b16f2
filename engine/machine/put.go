package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// smallFile is what goes in one command whatever else the host has: another way would cost more round trips than it saves.
const smallFile = 64 << 10

// upload is how one file goes to one host: the steps, each with the line that a plan shows.
type upload struct {
	u     engine.Upload
	steps []step
	undo  *call // removes what an upload that failed may have left; nil: there is nothing
}

// step is one command, or one transfer.
type step struct {
	call call
	line string // what is announced; that of the call unless it is no command line
	// feed makes what goes to its standard input; nil: nothing does.
	feed func(io.Reader) io.Reader
	// carry replaces the execution of call.
	carry func(ctx context.Context, shell engine.Shell, from *source) error
	// judge makes an error of what a command that failed said; nil: putError does.
	judge func(engine.Output) error
	// back reads the file back and compares it, for hosts that have no program for SHA-256.
	back bool
}

func (p upload) lines() []string {
	lines := []string{p.u.String()}
	for _, s := range p.steps {
		lines = append(lines, s.line)
	}
	if p.undo != nil {
		lines = append(lines, p.undo.line)
	}
	return lines
}

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

// plan decides how u goes to the host. It is the same as long as the connection ends at the same system.
func (h *Host) plan(ctx context.Context, shell engine.Shell, u engine.Upload) (upload, error) {
	s, err := h.system(ctx, shell)
	if err != nil {
		return upload{}, err
	}
	if s.platform == engine.Windows {
		return h.planWindows(s, shell, u)
	}
	if err := absolute(u.Path); err != nil {
		return upload{}, h.bad(err)
	}
	t, err := h.tools(ctx, shell)
	if err != nil {
		return upload{}, err
	}
	job := newPutJob(u, t)
	undo, err := h.shellCall(s, job.remove(), false)
	if err != nil {
		return upload{}, err
	}
	p := upload{u: u, undo: &undo}
	carriers, err := h.carriers(ctx, shell, s, job)
	if err != nil {
		return upload{}, err
	}
	p.steps = carriers
	return p, nil
}

// carriers are the steps to a POSIX host. As another user (sudo) only the one stream will do: SFTP and scp are the
// connection's user, whose files root should not trust.
func (h *Host) carriers(ctx context.Context, shell engine.Shell, s system, job putJob) ([]step, error) {
	way := h.way(ctx, shell, s, job)
	if way == "stream" {
		r, err := h.shellCall(s, job.stream(), true)
		return []step{{call: r, line: r.line, feed: preceded(job.u.Content)}}, err
	}
	text := job.prepare()
	if way == "native" {
		text += job.room()
	}
	prepare, err1 := h.shellCall(s, text, false)
	finish, err2 := h.shellCall(s, job.conclude(), false)
	move, err3 := h.transfer(s, job, way)
	steps := []step{{call: prepare, line: prepare.line}, move}
	var err4 error
	if job.tools.hash == "" {
		var back call
		back, err4 = h.shellCall(s, "cat "+engine.QuoteSh(job.temp), false)
		steps = append(steps, step{call: back, line: back.line, back: true})
	}
	return append(steps, step{call: finish, line: finish.line}), errors.Join(err1, err2, err3, err4)
}

// way is how the bytes go: "stream" (everything in one command), or "native", "sftp", "scp" or "cat" between two commands.
func (h *Host) way(ctx context.Context, shell engine.Shell, s system, job putJob) string {
	big := job.u.Content.Size > smallFile && job.u.Content.Secret == ""
	sudo := h.sudoFor(s, engine.Command{}) != nil
	switch {
	case job.tools.hash == "" && (sudo || !big):
		return "cat"
	case sudo || !big:
		return "stream"
	case h.carriesFiles(shell, s):
		return "native"
	case h.sftp(ctx, shell) != noSFTP:
		return "sftp"
	case job.tools.scp:
		return "scp"
	case job.tools.hash == "":
		return "cat"
	}
	return "stream"
}

// preceded puts before a secret what its line does not say.
func preceded(c engine.Content) func(io.Reader) io.Reader {
	if c.Secret == "" {
		return func(r io.Reader) io.Reader { return r }
	}
	return func(r io.Reader) io.Reader {
		data, err := c.Bytes()
		if err != nil {
			return r
		}
		return io.MultiReader(strings.NewReader(fmt.Sprintf("%d %s\n", len(data), sum(data))), r)
	}
}

func (h *Host) transfer(s system, job putJob, way string) (step, error) {
	switch way {
	case "native":
		return h.nativeStep(job.u, job.temp), nil
	case "sftp":
		return sftpStep(h, job), nil
	case "scp":
		return h.scpStep(s, job)
	}
	r, err := h.shellCall(s, "cat >"+engine.QuoteSh(job.temp), true)
	return step{call: r, line: r.line, feed: func(r io.Reader) io.Reader { return r }}, err
}

// shellCall renders a script; fed says that something will come on its standard input.
func (h *Host) shellCall(s system, text string, fed bool) (call, error) {
	c := engine.Command{Shell: text}
	if fed {
		c.Stdin = engine.Plain("comes as a stream") // so that sudo and its password make room for it
	}
	return h.render(s, c)
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
