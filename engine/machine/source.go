package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const (
	tellAfter = 2 * time.Second // copies that are faster are not spoken of
	tellEvery = 2 * time.Second
)

// source is the content of an upload on its way: it counts, it tells how far it is, and it notices that nothing moves.
type source struct {
	path  string
	total int64
	from  io.Reader
	left  int64 // bytes that are still wanted of it
	tell  func(engine.Progress)

	mu    sync.Mutex
	began time.Time
	told  time.Time
	done  int64
	alive *time.Timer // stops the copy unless it is reset; nil: nobody watches
	idle  time.Duration
}

func (h *Host) newSource(u engine.Upload, r io.Reader) *source {
	now := time.Now()
	return &source{path: u.Path, total: u.Content.Size, from: r, left: u.Content.Size, tell: h.options.Progress, began: now, told: now}
}

func (s *source) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.from.Read(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	s.moved(n)
	return n, err
}

// WriteTo lets the kernel carry a file into a pipe (splice), a piece at a time.
func (s *source) WriteTo(w io.Writer) (int64, error) {
	all := int64(0)
	for s.left > 0 {
		n, err := io.CopyN(w, s.from, min(s.left, 1<<20))
		all, s.left = all+n, s.left-n
		s.moved(int(n))
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Size lets an SFTP client know how much will come.
func (s *source) Size() int64 { return s.total }

func (s *source) moved(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done += int64(n)
	if s.alive != nil {
		s.alive.Reset(s.idle)
	}
	now := time.Now()
	if s.tell == nil || now.Sub(s.began) < tellAfter || now.Sub(s.told) < tellEvery {
		return
	}
	s.told = now
	s.tell(engine.Progress{Path: s.path, Done: s.done, Total: s.total, Rate: float64(s.done) / now.Sub(s.began).Seconds()})
}

// errStalled is the cause of a context that a copy without progress ended.
var errStalled = errors.New("no progress")

// watched gives a context that ends when nothing moves for so long: a big file may take hours, a dead link not.
func (s *source) watched(ctx context.Context, idle time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = idle
	s.alive = time.AfterFunc(idle, func() { cancel(errStalled) })
	return ctx, func() {
		s.alive.Stop()
		cancel(nil)
	}
}

// explained turns the error of a copy that was stopped because nothing moved into one that says so.
func (s *source) explained(ctx context.Context, h *Host, err error) error {
	if err == nil || !errors.Is(context.Cause(ctx), errStalled) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &engine.Error{Kind: engine.KindTimeout, Host: h.host.Name, Op: "copy to " + s.path,
		Msg:  "nothing moved for " + s.idle.String() + ", stopped; " + engine.Progress{Path: s.path, Done: s.done, Total: s.total}.String(),
		Hint: "look at the disk and the link of the host"}
	var cause *engine.Error
	if errors.As(err, &cause) {
		e.Orphan = cause.Orphan
	}
	return e
}

// sourceGone is the error of a file of this machine that cannot be read any more.
func (h *Host) sourceGone(op string, err error) error {
	return &engine.Error{Kind: engine.KindModule, Host: engine.Localhost, Op: op, Msg: "the source cannot be read here", Err: err,
		Hint: "nothing was changed on the host"}
}

// sourceChanged tells whether the source holds something else than what was planned.
func (h *Host) sourceChanged(u engine.Upload, op string) error {
	r, err := u.Content.Open()
	if err != nil {
		return h.sourceGone(op, err)
	}
	defer r.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, r)
	if err != nil {
		return h.sourceGone(op, err)
	}
	if u.Content.SHA256 == "" || n == u.Content.Size && hex.EncodeToString(hash.Sum(nil)) == u.Content.SHA256 {
		return nil
	}
	return &engine.Error{Kind: engine.KindModule, Host: engine.Localhost, Op: op, Msg: "the source is another one than what was planned; nothing was changed",
		Hint: "plan again, so that somebody can read what it is now"}
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
