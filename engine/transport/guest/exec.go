package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// run is one command.
type run struct {
	*conn
	op, dir  string
	pid      int64
	watched  *watched
	out, err *stream
	in       *input // not nil: it is fed while it runs
}

// Exec runs p.Line, by cmd.exe /c or /bin/sh -c, as engine.Shell says. On Windows stdin is read to its end before the
// command starts, at most 128 MB. Output arrives while the command runs, every few seconds; which of two lines on different streams came first
// cannot be seen. The code has 32 bits and a sign on Windows, 8 bits on Linux (death by signal n is 128+n).
//
// A p.Stdin whose Read never returns keeps its goroutine after Exec has returned.
func (c *conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	name := op(p.Line)
	number, err := c.admit()
	if err != nil {
		return 0, c.unbegun(name, err)
	}
	defer c.running.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.closing, func() { cancel(errClosed) })()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return 0, c.unbegun(name, cause(ctx))
	}
	r := &run{conn: c, op: name, dir: c.path(strconv.Itoa(number) + "c")} // no name is the beginning of another: processes are known by it
	if p.Stdout != nil {
		r.out = &stream{to: p.Stdout}
	}
	if p.Stderr != nil {
		r.err = &stream{to: p.Stderr}
	}
	defer func() { r.in.stop() }()
	if err := r.start(ctx, p); err != nil {
		return 0, err
	}
	return r.follow(ctx)
}

// start hands the files over and starts the program.
func (r *run) start(ctx context.Context, p engine.Process) error {
	have := streams{out: r.out != nil, err: r.err != nil}
	if _, err := r.program(p.Line, r.dir, have); err != nil {
		return err // before anything is read
	}
	stdin, fed, err := r.receive(ctx, p.Stdin)
	if err != nil {
		return err
	}
	r.in, have.in, have.fed = fed, stdin != nil, fed != nil
	program, err := r.program(p.Line, r.dir, have)
	if err != nil {
		return err
	}
	if err := r.prepare(ctx, stdin, program.script); err != nil {
		r.clean()
		if ctx.Err() != nil {
			return r.unbegun(r.op, cause(ctx))
		}
		return r.notRun(r.op, err)
	}
	r.pid, err = r.launch(program)
	if err != nil {
		r.clean()
		return err
	}
	r.watched = r.watch.add(r.pid, r.dir)
	return nil
}

// prepare puts what the program needs into its directory.
func (r *run) prepare(ctx context.Context, stdin, script []byte) error {
	if stdin == nil && script == nil && r.in == nil {
		return nil
	}
	if err := r.makeDir(ctx, r.dir); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"in": stdin, "line": script} {
		if data == nil {
			continue
		}
		if err := r.files.write(ctx, r.conn, r.file(name), bytes.NewReader(data), int64(len(data))); err != nil {
			return err
		}
	}
	return nil
}

// file is one in the command's directory.
func (r *run) file(name string) string {
	if r.windows {
		return r.dir + `\` + name
	}
	return r.dir + "/" + name
}

// launch starts a program. The request is not cut off when the caller's time is over: then nobody would know whether
// something was started. Where that is not known all the same, the guest is asked.
func (r *run) launch(p program) (int64, error) {
	pid, err := r.startProgram(r.base, p)
	if err == nil || !unanswered(err) {
		if err != nil {
			err = r.notRun(r.op, err)
		}
		return pid, err
	}
	ctx, cancel := context.WithTimeout(r.base, cleanup)
	defer cancel()
	for pause := r.pause; ; pause = min(2*pause, longPause*r.pause) {
		list, _ := r.watch.list(ctx, nil) // who gets no answer asks again
		for _, x := range list {
			if strings.Contains(x.CmdLine, r.dir) { // it may have ended
				return x.Pid, nil
			}
		}
		if engine.Wait(ctx, pause) != nil {
			return 0, r.lost(r.op, "whether it was started is not known", err, true)
		}
	}
}

// dialFailed tells whether no connection came about, so that nothing was asked.
func dialFailed(err error) bool {
	switch engine.KindOf(err) {
	case engine.KindRefused, engine.KindDNS, engine.KindTLS:
		return true
	}
	return false
}

func (c *conn) startProgram(ctx context.Context, p program) (pid int64, err error) {
	err = c.do(ctx, "start a program in the guest", func(ctx context.Context, v *vim25.Client) error {
		r, err := methods.StartProgramInGuest(ctx, v, &types.StartProgramInGuest{This: c.process, Vm: c.ref, Auth: c.login,
			Spec: &types.GuestProgramSpec{ProgramPath: p.path, Arguments: p.arguments}})
		if err == nil {
			pid = r.Returnval
		}
		return err
	})
	return pid, err
}

// A command that runs is asked for its output after seven times the poll pause; then the pauses grow to fifty times.
const (
	peekFirst = 7
	peekLast  = 50
)

// follow feeds the command, waits for its end, and fetches the output, a part of it before.
func (r *run) follow(ctx context.Context) (int, error) {
	var fed chan error // nil: nothing comes
	if r.in != nil {
		feeding, stop := context.WithCancel(ctx)
		fed = make(chan error, 1)
		var feeder sync.WaitGroup
		feeder.Go(func() { fed <- r.feed(feeding, r.in) })
		defer feeder.Wait()
		defer stop()
	}
	wait := peekFirst * r.pause
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case e := <-r.watched.ended:
			return r.finish(ctx, e)
		case err := <-fed:
			if fed = nil; err != nil && ctx.Err() == nil {
				return r.starved(ctx, err)
			}
		case <-timer.C:
			if err := r.peek(ctx); err != nil {
				dead, _ := r.abandon()
				return 0, r.unkept(err, !dead)
			}
			wait = min(2*wait, peekLast*r.pause)
			timer.Reset(wait)
		case <-ctx.Done():
			return 0, r.cancelled(ctx)
		}
	}
}

// starved is the end of a command whose input could not be handed over: a part is never taken for the whole. It may have
// ended by itself.
func (r *run) starved(ctx context.Context, err error) (int, error) {
	select {
	case e := <-r.watched.ended:
		return r.finish(ctx, e)
	default:
	}
	dead, _ := r.abandon()
	return 0, r.lost(r.op, "its input could not be handed over", err, !dead)
}

// cancelled kills the command, and gives its caller what it had said by then.
func (r *run) cancelled(ctx context.Context) error {
	dead, survivors := r.abandon()
	if !dead {
		r.mu.Lock()
		r.orphans = append(r.orphans, r)
		r.mu.Unlock()
	}
	e := r.killed(r.op, cause(ctx), !dead)
	if len(survivors) > 0 {
		e.Err = errors.Join(e.Err, survivors)
	}
	return e
}

// finish fetches what is left of the output. A command whose output cannot be had has an outcome that nobody knows.
func (r *run) finish(ctx context.Context, e ending) (int, error) {
	if e.err != nil {
		if !silent(e.err) { // else it would be waited for in vain once more; Close tries it
			r.clean()
		}
		runs := !errors.Is(e.err, errGone) && !isFault(e.err, &types.InvalidPowerState{})
		return 0, r.lost(r.op, "the outcome is not known", e.err, runs)
	}
	err := r.fetch(ctx)
	r.clean()
	switch bad := r.bad(); {
	case err == nil:
		return e.code, nil
	case bad != nil:
		return 0, r.unkept(bad, false)
	case isFault(err, &types.FileNotFound{}):
		return 0, &engine.Error{Kind: engine.KindModule, Host: r.host, Op: r.op, Msg: fmt.Sprintf("the guest could not make its temporary files in %s (exit code %d)", r.dir, e.code), Err: err,
			Hint: "is its disk full, or did something remove them? Whether the command was started is not known"}
	case ctx.Err() != nil:
		return 0, r.killed(r.op, cause(ctx), false)
	}
	return 0, r.lost(r.op, fmt.Sprintf("it ended with the code %d, and its output could not be fetched", e.code), err, false)
}

// bad is why one of the streams could not be handed on; nil: both could.
func (r *run) bad() error {
	for _, s := range []*stream{r.out, r.err} {
		if s != nil && s.bad != nil {
			return s.bad
		}
	}
	return nil
}

func (r *run) unkept(err error, orphan bool) error {
	return &engine.Error{Kind: engine.KindModule, Host: r.host, Op: r.op, Msg: "its output could not be kept", Err: err, Orphan: orphan}
}

// clean removes the command's files; what cannot be removed now, Close tries again, and tells of.
func (r *run) clean() {
	ctx, cancel := context.WithTimeout(r.base, cleanup)
	defer cancel()
	_ = r.remove(ctx, r.dir)
}
