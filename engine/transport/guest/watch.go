package guest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// longPause is how many first pauses the pause between two looks grows to, each by half. VMware Tools notice an end within
// a second (SECONDS_BETWEEN_POLL_TEST_FINISHED), so to look much more often would only cost.
const longPause = 20

// errGone is a program of which nothing is left, not even how it ended.
var errGone = errors.New("VMware Tools do not know the program any more")

// ending is how a program ended.
type ending struct {
	code int
	err  error // not nil: the code is not known, and this is why
}

// watched is a program that somebody waits for.
type watched struct {
	pid   int64
	dir   string // of the command: it is in the program's command line and nowhere else
	ended chan ending
	start time.Time // as the guest tells it; zero: nobody has looked yet
	quiet int       // looks in a row in which Tools did not know of it
}

// watcher looks at all programs of a guest with one request: vSphere cannot tell of an end by itself.
type watcher struct {
	*conn
	mu     sync.Mutex
	all    map[int64]*watched
	wait   time.Duration // before the next look
	poke   chan struct{} // something new to look at
	going  bool
	done   sync.WaitGroup
	silent time.Time // since when nobody could be asked; zero: the last look worked
}

func newWatcher(c *conn) *watcher {
	return &watcher{conn: c, all: map[int64]*watched{}, poke: make(chan struct{}, 1)}
}

// add watches a program.
func (w *watcher) add(pid int64, dir string) *watched {
	x := &watched{pid: pid, dir: dir, ended: make(chan ending, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[pid], w.wait = x, w.pause
	if !w.going {
		w.going = true
		w.silent = time.Time{}
		w.done.Go(w.loop)
	}
	select {
	case w.poke <- struct{}{}:
	default:
	}
	return x
}

// forget stops watching.
func (w *watcher) forget(x *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, x.pid)
}

func (w *watcher) close() {
	w.mu.Lock()
	clear(w.all)
	w.mu.Unlock()
	select {
	case w.poke <- struct{}{}:
	default:
	}
	w.done.Wait()
}

// loop looks until nobody waits any more.
func (w *watcher) loop() {
	for {
		w.mu.Lock()
		wait := w.wait
		w.wait = min(wait*3/2, longPause*w.pause)
		if w.going = len(w.all) > 0; !w.going {
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			w.look()
		case <-w.poke:
			timer.Stop()
		}
	}
}

func (w *watcher) look() {
	w.mu.Lock()
	var pids []int64
	for pid := range w.all {
		pids = append(pids, pid)
	}
	w.mu.Unlock()
	if len(pids) == 0 {
		return
	}
	list, err := w.list(w.base, pids)
	if err != nil {
		w.unknown(err)
		return
	}
	w.silent = time.Time{}
	found := map[int64]types.GuestProcessInfo{}
	for _, p := range list {
		found[p.Pid] = p
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, pid := range pids {
		x := w.all[pid]
		if x == nil {
			continue
		}
		switch p, ok := found[pid]; {
		case !ok, !x.start.IsZero() && !x.start.Equal(p.StartTime): // gone, or another process has the number by now
			x.quiet++
		case p.EndTime != nil:
			w.tell(x, ending{code: int(p.ExitCode)})
		default:
			x.start, x.quiet = p.StartTime, 0
		}
		if x.quiet > 1 {
			w.done.Go(func() { w.search(x) })
			delete(w.all, pid)
		}
	}
}

// tell ends the waiting; w.mu is held.
func (w *watcher) tell(x *watched, e ending) {
	delete(w.all, x.pid)
	x.ended <- e
}

// unknown ends the waiting when nobody could be asked for too long. It ends at once where the guest was switched off:
// what ran there does not run any more.
func (w *watcher) unknown(err error) {
	now := time.Now()
	if w.silent.IsZero() {
		w.silent = now
	}
	limit := w.patient
	switch {
	case away(err):
		limit = w.conn.tools
	case !unanswered(err) && engine.KindOf(err) != engine.KindRefused && engine.KindOf(err) != engine.KindDNS, isFault(err, &types.InvalidPowerState{}):
		limit = 0
	}
	// A silent vCenter has been waited for in the request already.
	if waited := now.Sub(w.silent); waited < limit && !silent(err) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.all {
		w.tell(x, ending{err: err})
	}
}

// list asks Tools for these programs; none: for everything that runs. Who waits asks again soon, so a machine that is
// busy is not waited for here.
func (w *watcher) list(ctx context.Context, pids []int64) (list []types.GuestProcessInfo, err error) {
	err = w.once(vsphere.Asking(ctx), func(ctx context.Context, v *vim25.Client) error {
		r, err := methods.ListProcessesInGuest(ctx, v, &types.ListProcessesInGuest{This: w.process, Vm: w.ref, Auth: w.login, Pids: pids})
		if err == nil {
			list = r.Returnval
		}
		return err
	})
	return list, w.explain("look at the programs in the guest", err)
}

// search looks for a program that Tools know nothing of, although they started it: they have restarted, or the guest
// has. It waits while a process with its command line lives, and then for the code that it has left, which is Linux
// only.
func (w *watcher) search(x *watched) {
	lost := &engine.Error{Kind: engine.KindLost, Host: w.host, Op: "look at the programs in the guest", Unreachable: true, Err: errGone,
		Hint: "the guest or its VMware Tools restarted meanwhile, or nobody asked for five minutes after its end; look at what it has done before it is repeated"}
	began := time.Now()
	for wait := w.pause; ; wait = min(wait*2, longPause*w.pause) {
		list, err := w.list(w.base, nil)
		switch {
		case err == nil && !lives(list, x.dir):
			x.ended <- w.left(x, lost)
			return
		case err != nil && time.Since(began) > w.conn.tools:
			x.ended <- ending{err: err}
			return
		case err == nil:
			began = time.Now()
		}
		if engine.Wait(w.closing, wait) != nil {
			x.ended <- ending{err: lost}
			return
		}
	}
}

func lives(list []types.GuestProcessInfo, dir string) bool {
	for _, p := range list {
		if p.EndTime == nil && strings.Contains(p.CmdLine, dir) {
			return true
		}
	}
	return false
}

func (w *watcher) left(x *watched, lost error) ending {
	if w.windows {
		return ending{err: lost}
	}
	text, err := w.files.read(w.base, w.conn, x.dir+"/code")
	code, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || bad != nil {
		return ending{err: lost}
	}
	return ending{code: code}
}
