package winrm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// closeAfter is when the stdin of a command that gets none is closed, if it still runs.
const closeAfter = time.Second

var errStdinClosed = errors.New("the process has closed its stdin")

// feed sends stdin to its end. A nil error says that the host has all of it, or that the process wants no more:
// it cannot mistake a part for the whole, because the end is sent with the last part. Every other error means
// that input is missing.
func (r *run) feed(ctx context.Context, stdin io.Reader) error {
	if stdin == nil {
		if engine.Wait(ctx, closeAfter) == nil {
			_ = r.give(ctx, part{end: true}) // a courtesy: nothing is missing without it
		}
		return nil
	}
	parts, finished := split(ctx, stdin, &r.limits)
	defer finished()
	for {
		select {
		case p := <-parts:
			full := len(p.data) >= r.limits.chunk()
			err := r.give(ctx, p)
			if errors.Is(err, errStdinClosed) || err == nil && p.end {
				return nil
			}
			if err != nil {
				return err
			}
			if full {
				r.learn(ctx) // one message was not enough: larger ones save time
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// give sends one part, in smaller ones where the host takes no message as large as that.
func (r *run) give(ctx context.Context, p part) error {
	if p.err != nil {
		return p.err
	}
	for {
		n := min(len(p.data), r.limits.chunk())
		rest := p.data[n:]
		hold := inputHold(r.operation)
		_, err := r.callFor(ctx, send(r.shell.id, r.id, p.data[:n], p.end && len(rest) == 0), hold)
		if tooLarge(err) && r.limits.shrink(n) {
			continue // nothing of it was taken
		}
		if err != nil || len(rest) == 0 {
			return untaken(ctx, hold, err)
		}
		p.data = rest
	}
}

// untaken tells what an error of Send means.
func untaken(ctx context.Context, hold time.Duration, err error) error {
	var f *Fault
	switch {
	case err == nil, ctx.Err() != nil: // the command has ended, or is being killed
		return nil
	case stdinClosed(err):
		return errStdinClosed
	case noNews(err): // how much of it the process has got, is not known
		return &lost{msg: fmt.Sprintf("the command has not read its input for %v", hold), hint: "a larger operation_timeout gives it more time", answered: true, err: err}
	case errors.As(err, &f), tooLarge(err):
		return &lost{msg: "the host did not take the input of the command", answered: true, err: err}
	}
	return err
}

// part is what one message carries.
type part struct {
	data []byte
	end  bool
	err  error // of the reader
}

// split reads stdin in parts, each as soon as it is there. finished waits until stdin is not read any more, but
// not long: a Read that blocks cannot be called back.
func split(ctx context.Context, stdin io.Reader, l *limits) (parts <-chan part, finished func()) {
	out, done := make(chan part), make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer close(done)
		for {
			p := next(stdin, l.chunk())
			select {
			case out <- p:
			case <-ctx.Done():
				return
			}
			if p.end || p.err != nil {
				return
			}
		}
	}()
	return out, func() {
		stop()
		timer := time.NewTimer(pace)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
	}
}

func next(stdin io.Reader, size int) part {
	data := make([]byte, size)
	n, err := stdin.Read(data)
	p := part{data: data[:n], end: errors.Is(err, io.EOF)}
	if err != nil && !p.end {
		p.err = err
	}
	if l, ok := stdin.(interface{ Len() int }); ok && err == nil {
		p.end = l.Len() == 0 // strings, bytes: saves a message for the end alone
	}
	return p
}
