package guest

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// stream is one output of a command: a file in the guest of which had bytes were handed on.
type stream struct {
	to  io.Writer
	had int64
	bad error // of to
}

// small is a size up to which a file is fetched whenever it has grown. vSphere has no way to fetch a part of a file, so a
// larger one is fetched before the end only when it has doubled: that costs at most as much again.
const small = 64 << 10

func (s *stream) worth(size int64) bool { return size > s.had && (size <= small || size >= 2*s.had) }

// skip hands on what comes after the bytes that were handed on before.
type skip struct {
	*stream
	left int64
}

func (s *skip) Write(p []byte) (int, error) {
	old := min(s.left, int64(len(p)))
	s.left -= old
	fresh := p[old:]
	if len(fresh) > 0 && s.bad == nil {
		var n int
		n, s.bad = s.to.Write(fresh)
		s.had += int64(n)
	}
	return len(p), s.bad
}

// peek hands on what the command has said so far, if that is worth it. That the guest cannot be asked now is no
// failure: the watcher judges that. The error is of who takes the output.
func (r *run) peek(ctx context.Context) error {
	sizes, err := r.sizes(ctx)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	for name, s := range map[string]*stream{"out": r.out, "err": r.err} {
		if s == nil || !s.worth(sizes[name]) {
			continue
		}
		_, _ = r.files.fetch(ctx, r.conn, r.file(name), &skip{s, s.had}) // the end of the command tries again
		if s.bad != nil {
			return s.bad
		}
	}
	return nil
}

func (r *run) sizes(ctx context.Context) (map[string]int64, error) {
	sizes := map[string]int64{}
	err := r.ask(ctx, "look at the output of a command in the guest", func(ctx context.Context, v *vim25.Client) error {
		l, err := methods.ListFilesInGuest(ctx, v, &types.ListFilesInGuest{This: r.conn.managers.file, Vm: r.ref, Auth: r.login, FilePath: r.dir})
		if err != nil {
			return err
		}
		for _, f := range l.Returnval.Files {
			sizes[f.Path] = f.Size
		}
		return nil
	})
	return sizes, err
}

// fetch hands on the rest of both streams, both at once. A transfer that breaks is tried again.
func (r *run) fetch(ctx context.Context) error {
	var wg sync.WaitGroup
	var outErr, errErr error
	for name, x := range map[string]struct {
		s   *stream
		err *error
	}{"out": {r.out, &outErr}, "err": {r.err, &errErr}} {
		if x.s != nil {
			wg.Go(func() { *x.err = r.fetchWhole(ctx, name, x.s) })
		}
	}
	wg.Wait()
	return errors.Join(outErr, errErr)
}

func (r *run) fetchWhole(ctx context.Context, name string, s *stream) error {
	wait := retryPause
	for try := 1; ; try++ {
		_, err := r.files.fetch(ctx, r.conn, r.file(name), &skip{s, s.had})
		if s.bad != nil {
			return s.bad
		}
		if err == nil || try == transferTries || !unanswered(err) && !dialFailed(err) && !away(err) || engine.Wait(ctx, wait) != nil {
			return err
		}
		wait *= 3
	}
}
