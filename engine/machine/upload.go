package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

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
