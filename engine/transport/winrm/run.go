package winrm

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// run is a command that was started.
type run struct {
	*conn
	shell *shell
	id    string
	op    string
}

// follow feeds the command and fetches its output until it ends.
func (r *run) follow(ctx context.Context, p engine.Process) (int, error) {
	fed := make(chan error, 1)
	feeding, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fed <- r.feed(feeding, p.Stdin)
	}()
	code, err := r.fetch(ctx, fed, p)
	stop()
	<-ended
	if err != nil {
		return 0, r.abandon(ctx, err)
	}
	r.release()
	return code, nil
}

// fetch receives until the command has ended, or its stdin was lost.
func (r *run) fetch(ctx context.Context, fed <-chan error, p engine.Process) (int, error) {
	for {
		began := time.Now()
		news, err := r.receive(ctx, &fed)
		if err != nil && !noNews(err) {
			return 0, err
		}
		if err == nil {
			if err := write(news, p); err != nil {
				return 0, err
			}
			if news.done() {
				return news.exitCode()
			}
		}
		if quiet := err != nil || len(news.Streams) == 0; quiet && time.Since(began) < pace {
			if err := engine.Wait(ctx, pace); err != nil {
				return 0, err
			}
		}
	}
}

// receive waits for news of the command. When its stdin is lost meanwhile, that is the error.
func (r *run) receive(ctx context.Context, fed *<-chan error) (*received, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var news *received
	got := make(chan error, 1)
	go func() {
		a, err := r.call(ctx, receive(r.shell.id, r.id))
		if err == nil {
			if news = a.Received; news == nil { // it may have held output
				err = &lost{msg: "the host was asked for output and answered something else", answered: true}
			}
		}
		got <- err
	}()
	select {
	case err := <-got:
		return news, err
	case err := <-*fed:
		*fed = nil
		if err != nil {
			cancel()
			<-got
			return nil, err
		}
		err = <-got
		return news, err
	}
}

// write hands the output on as the bytes that came; whether they are UTF-8 is for others to see.
func write(news *received, p engine.Process) error {
	for _, s := range news.Streams {
		to := map[string]io.Writer{"stdout": p.Stdout, "stderr": p.Stderr}[s.Name]
		data, err := s.bytes()
		if err != nil {
			return &lost{msg: s.Name + " is garbled", answered: true, err: err}
		}
		if to == nil || len(data) == 0 {
			continue
		}
		if _, err := to.Write(data); err != nil {
			return fmt.Errorf("keep %s: %w", s.Name, err)
		}
	}
	return nil
}

// release frees what the host keeps of an ended command. The exit code is known, so that a failure does not matter:
// the end of the shell frees it, too.
func (r *run) release() {
	ctx, cancel := context.WithTimeout(r.base, cleanup)
	defer cancel()
	_, _ = r.call(ctx, terminate(r.shell.id, r.id))
}

// abandon kills the command and tells why.
func (r *run) abandon(ctx context.Context, cause error) error {
	orphan := false
	if faultIs(cause, codeShellGone) {
		r.forget(r.shell)
	} else {
		orphan = !r.kill()
	}
	if ctx.Err() != nil {
		return r.killed(r.op, why(ctx), orphan)
	}
	return r.lost(r.op, cause, orphan)
}

// kill tells whether the command is certainly dead. The host answers a terminate signal when it is.
func (r *run) kill() bool {
	ctx, cancel := context.WithTimeout(r.base, cleanup)
	defer cancel()
	_, err := r.call(ctx, terminate(r.shell.id, r.id))
	return err == nil || gone(err)
}
