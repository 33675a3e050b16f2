package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

const (
	// wholeTime is how long a stdin is waited for, to hand it over as one file. What is not complete by then goes to Linux
	// piece by piece; Windows has no pipe that could be fed, so there it is waited for longer, and then refused.
	wholeTime        = 300 * time.Millisecond
	wholeTimeWindows = 3 * time.Second
	wholeSize        = 16 << 20
	wholeSizeWindows = 128 << 20

	piece  = 1 << 20
	pieces = 4 // that lie in the guest and were not read yet
)

var errDialogue = errors.New("its input has no end yet, and guest operations hand the whole input to a Windows before the command starts")

// input reads a stdin ahead, up to a limit.
type input struct {
	limit int

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change below
	data    []byte
	err     error // io.EOF: it is complete
	stopped bool
}

// newInput begins to read; nil for nil.
func newInput(from io.Reader, limit int) *input {
	if from == nil {
		return nil
	}
	i := &input{limit: limit, changed: make(chan struct{})}
	go i.read(from)
	return i
}

func (i *input) read(from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		i.mu.Lock()
		i.data = append(i.data, buffer[:n]...)
		i.err = err
		i.notify()
		for len(i.data) >= i.limit && !i.stopped {
			changed := i.changed
			i.mu.Unlock()
			<-changed
			i.mu.Lock()
		}
		stop := i.stopped || err != nil
		i.mu.Unlock()
		if stop {
			return
		}
	}
}

// notify wakes who waits; i.mu is held.
func (i *input) notify() {
	close(i.changed)
	i.changed = make(chan struct{})
}

// stop ends the reading, after the Read that is under way.
func (i *input) stop() {
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stopped = true
	i.notify()
}

// until waits until ready, which is called with the lock held, or the end of ctx.
func (i *input) until(ctx context.Context, ready func() bool) error {
	for {
		i.mu.Lock()
		ok, changed := ready(), i.changed
		i.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// whole gives everything if it is there in time.
func (i *input) whole(ctx context.Context, patience time.Duration) (data []byte, complete bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = i.until(ctx, func() bool { return i.err != nil || len(i.data) >= i.limit })
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil && !errors.Is(i.err, io.EOF) {
		return nil, false, i.err
	}
	return i.data, i.err != nil, nil
}

// take waits for a piece; last says that nothing comes after it.
func (i *input) take(ctx context.Context) (data []byte, last bool, err error) {
	if err := i.until(ctx, func() bool { return i.err != nil || len(i.data) > 0 }); err != nil {
		return nil, false, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	n := min(len(i.data), piece)
	data, i.data = i.data[:n:n], i.data[n:]
	i.notify()
	if last = i.err != nil && len(i.data) == 0; last && !errors.Is(i.err, io.EOF) {
		return nil, false, i.err
	}
	return data, last, nil
}

// receive decides how the command gets its input: not at all (nil, nil), as a file, or piece by piece.
func (r *run) receive(ctx context.Context, from io.Reader) (file []byte, fed *input, err error) {
	limit, patience := wholeSize, wholeTime
	if r.windows {
		limit, patience = wholeSizeWindows, wholeTimeWindows
	}
	in := newInput(from, limit)
	if in == nil {
		return nil, nil, nil
	}
	file, complete, err := in.whole(ctx, patience)
	switch {
	case complete && len(file) == 0:
		return nil, nil, nil
	case complete:
		return file, nil, nil
	case err == nil && !r.windows && ctx.Err() == nil:
		return nil, in, nil
	}
	in.stop()
	if ctx.Err() != nil {
		return nil, nil, r.unbegun(r.op, cause(ctx))
	}
	e := &engine.Error{Kind: engine.KindModule, Host: r.host, Op: r.op, Err: err}
	if err == nil {
		e.Err, e.Hint = errDialogue, "end the input, or use winrm"
	}
	return nil, nil, e
}

// feed hands an input over piece by piece until it ends, or ctx does. A piece gets its name when it is complete.
func (r *run) feed(ctx context.Context, in *input) error {
	for n := 1; ; n++ {
		data, last, err := in.take(ctx)
		if err != nil {
			return err
		}
		if len(data) > 0 {
			if err := r.hand(ctx, fmt.Sprintf("in.%d", n), data); err != nil {
				return err
			}
		}
		if last {
			return r.files.write(ctx, r.conn, r.file("in.end"), bytes.NewReader(nil), 0)
		}
		if err := r.drained(ctx, n); err != nil {
			return err
		}
	}
}

func (r *run) hand(ctx context.Context, name string, data []byte) error {
	if err := r.files.write(ctx, r.conn, r.file("new"), bytes.NewReader(data), int64(len(data))); err != nil {
		return err
	}
	return r.do(ctx, "hand over input", func(ctx context.Context, v *vim25.Client) error {
		_, err := methods.MoveFileInGuest(ctx, v, &types.MoveFileInGuest{This: r.conn.managers.file, Vm: r.ref, Auth: r.login,
			SrcFilePath: r.file("new"), DstFilePath: r.file(name), Overwrite: true})
		return err
	})
}

// drained waits until the guest has read all but some of the n pieces: it must not fill its disk with what nobody reads.
func (r *run) drained(ctx context.Context, n int) error {
	for wait := r.pause; n >= pieces; wait = min(2*wait, longPause*r.pause) {
		sizes, err := r.sizes(ctx)
		if err != nil {
			return err
		}
		if _, unread := sizes[fmt.Sprintf("in.%d", n-pieces+1)]; !unread {
			return nil
		}
		if err := engine.Wait(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}
