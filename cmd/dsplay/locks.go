package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/journal/lock"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"
)

// What is done about a lock that another run holds.
const (
	lockFail = "fail"
	lockWait = "wait"
	lockSkip = "skip"
)

// boundFlags say what keeps a run that acts within its bounds.
type boundFlags struct {
	lock     string
	patience time.Duration // of --lock wait; 0: without end
	deadline time.Duration // of the run; 0: none
}

func (f *boundFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.lock, "lock", lockFail, "when another run has the same playbook and inventory, or a host that would be acted on: fail (exit 7), wait, or skip")
	completes(c, "lock", cobra.FixedCompletions([]cobra.Completion{lockFail, lockWait, lockSkip}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().DurationVar(&f.patience, "lock-timeout", 0, "how long --lock wait waits before it fails (default: without end)")
	c.Flags().DurationVar(&f.deadline, "deadline", 0, "when the run is not over by then it stops as after a signal (exit 8)")
	completes(c, "lock-timeout", cobra.NoFileCompletions)
	completes(c, "deadline", cobra.NoFileCompletions)
}

// check refuses flags that mean nothing.
func (f boundFlags) check() error {
	switch {
	case !slices.Contains([]string{lockFail, lockWait, lockSkip}, f.lock):
		return fmt.Errorf("--lock %s: it is %s, %s or %s; nothing was executed", f.lock, lockFail, lockWait, lockSkip)
	case f.patience < 0 || f.deadline < 0:
		return errors.New("--lock-timeout and --deadline are lengths of time, as 10m; nothing was executed")
	case f.patience > 0 && f.lock != lockWait:
		return errors.New("--lock-timeout is for --lock wait; nothing was executed")
	}
	return nil
}

// lockDir is the variable of the environment that names another folder for the locks.
const lockDir = "DSPLAY_LOCK_DIR"

// lockFolder is where the locks of this machine are: $DSPLAY_LOCK_DIR, else one place for all accounts.
func lockFolder() (*lock.Folder, error) {
	f, err := lock.Open(cmp.Or(os.Getenv(lockDir), lock.Place()))
	if err != nil {
		err = fmt.Errorf("%w ("+lockDir+" names another place, which all accounts that run dsplay must share); nothing was executed", err)
	}
	return f, err
}

// lockRun begins a run: it sets its deadline, and makes sure that no other run has the same playbook and inventory. An error with
// code 0 says that it is left to the other run. Unlock when the run is over.
func (a *app) lockRun(ctx context.Context, playbook string, f *passFlags) (unlock func(), err error) {
	if err := f.bounds.check(); err != nil {
		return nil, err
	}
	a.within(f.bounds.deadline)
	folder, err := lockFolder()
	if err != nil {
		return nil, err
	}
	f.id = cmp.Or(f.id, runID(time.Now()))
	inventory := realPath(f.load.inventory)
	what := fmt.Sprintf("playbook %s with inventory %s", filepath.Base(playbook), cmp.Or(inventory, "none"))
	l, err := a.take(ctx, folder, "run "+filepath.Base(playbook)+" "+inventory, asHolder(f.id, what), f.bounds)
	switch {
	case errors.As(err, new(*lock.Busy)) && f.bounds.lock == lockSkip:
		fmt.Fprintf(a.textOut(*f), "skipped: %s; nothing was executed\n", err)
		return nil, &exitError{code: exitOK}
	case errors.As(err, new(*lock.Busy)):
		return nil, &exitError{exitLocked, fmt.Errorf("%w; nothing was executed. --lock wait waits for it, --lock skip ends quietly", err)}
	case err != nil:
		return nil, fmt.Errorf("%w; nothing was executed", err)
	}
	return l.Release, nil
}

func asHolder(run, what string) lock.Holder {
	user, _ := whoami()
	return lock.Holder{Process: journal.This(user), Run: run, Since: time.Now().Truncate(time.Second), What: what}
}

// take takes a lock as the flags say. A signal ends waiting for it, and so does the deadline of the run.
func (a *app) take(ctx context.Context, folder *lock.Folder, name string, me lock.Holder, f boundFlags) (*lock.Lock, error) {
	l, err := folder.Try(ctx, name, me)
	var busy *lock.Busy
	if f.lock != lockWait || !errors.As(err, &busy) {
		return l, err
	}
	fmt.Fprintf(a.err, "waiting: %s\n", err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	l, err = folder.Take(ctx, name, me, f.patience)
	switch {
	case err == nil || errors.As(err, new(*lock.Busy)):
		return l, err
	case a.signal.Load() != 0:
		return nil, &exitError{exitSIGINT, fmt.Errorf("a signal asked to stop while %w", busy)}
	case a.overdue():
		return nil, &exitError{exitLocked, fmt.Errorf("the deadline is over, and %w", busy)}
	}
	return l, err
}

// realPath is a path by which two accounts that mean the same file name it alike.
func realPath(path string) string {
	if path == "" {
		return ""
	}
	path = absolute(path)
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

// admit makes sure that the plan may be applied now: a window is open, and no other run has one of the hosts that it may act on,
// until the process ends. False: the session was ended. Waited says that time passed meanwhile. With --lock skip what another run has is left to it.
func (s *session) admit(p *plan.Plan) (ok, waited bool, err error) {
	if why := s.closed(p, time.Now()); why != "" {
		return false, false, s.refused(errors.New(why))
	}
	folder, err := lockFolder()
	if err != nil {
		return false, false, s.refusedLock(exitUsage, err)
	}
	wanted := s.lockNames(p)
	left := map[string]string{} // host → why
	began := time.Now()
	for _, name := range slices.Sorted(maps.Keys(wanted)) { // in one order, so that no two runs wait for each other
		f := s.f.bounds
		if f.patience > 0 {
			f.patience = max(f.patience-time.Since(began), time.Millisecond)
		}
		l, err := s.take(s.c.Context(), folder, name, asHolder(s.id, "host "+wanted[name]), f)
		switch {
		case errors.As(err, new(*lock.Busy)) && f.lock == lockSkip:
			left[wanted[name]] = err.Error()
		case errors.As(err, new(*lock.Busy)):
			return false, false, s.refusedLock(exitLocked, err)
		case err != nil:
			return false, false, s.refusedLock(codeOf(err), err)
		default:
			s.locks = append(s.locks, l)
		}
	}
	s.leaveHosts(p, left)
	return true, time.Since(began) > time.Second, nil
}

// closed says that no play of the plan that acts could begin a host now, because their windows are closed; "": one can. A
// play whose window opens later than that of another one is no reason: its hosts are reported as not attempted.
func (s *session) closed(p *plan.Plan, now time.Time) string {
	acting, why := map[string]bool{}, ""
	for _, i := range p.Acting() {
		acting[i.Play] = true
	}
	for _, item := range s.loaded.program.Playbook().Items {
		if item.Play == nil || !acting[item.Play.Name] {
			continue
		}
		w := item.Play.Window
		if w == nil || w.Open(now) {
			return ""
		}
		if why == "" {
			why = fmt.Sprintf("the window of play %q is closed (%s)", item.Play.Name, w)
			if opens := w.Opens(now); !opens.IsZero() {
				why += "; it opens " + w.Clock(opens)
			}
		}
	}
	return why
}

func (s *session) refusedLock(code int, err error) error {
	return s.finish(code, "locked", err.Error()+"; nothing was changed")
}

// lockNames are the locks of what a plan may act on, with the name of the host. A host that does something for another one
// through its API (a vCenter for a guest) is not acted on: the other one is.
func (s *session) lockNames(p *plan.Plan) map[string]string {
	identities := p.Identities()
	out := map[string]string{}
	for _, i := range p.Acting() {
		for _, name := range []string{i.Host, i.On} {
			h := s.inv.Hosts[name]
			if h == nil || name == i.On && i.On != i.Host && h.Connection.Type == "https" {
				continue
			}
			for _, key := range machine(h, identities[name]) {
				out[key] = name
			}
		}
	}
	return out
}

// machine names what a host is by all that can be known: two inventories that name one machine differently meet when it has one
// address in both, is one virtual machine (uuid: the instance UUID in vCenter, which is never given twice), or proves to be the
// same. On a loopback address every port is another machine. A guest that is reached through its vCenter has no address, mostly:
// then only the others count.
func machine(h *engine.Host, identity string) []string {
	if h.Connection.Type == "local" || h.Name == engine.Localhost {
		return []string{"host local"}
	}
	address := strings.ToLower(h.Address)
	if ip, err := netip.ParseAddr(address); err == nil && ip.IsLoopback() || address == "localhost" {
		address += fmt.Sprintf(" port %d", port(h.Connection.Settings))
	}
	var names []string
	if identity != "" && identity != "none" {
		names = append(names, "host identity "+identity)
	}
	if uuid := strings.ToLower(attribute(h, "uuid")); uuid != "" {
		names = append(names, "host uuid "+uuid)
	}
	if names == nil || h.Connection.Type != "guest" || h.Address != h.Name {
		names = append(names, "host address "+address)
	}
	return names
}

// attribute is the text of an attribute of a host; "": it has none.
func attribute(h *engine.Host, name string) string {
	v, ok := h.Attrs[name]
	if !ok || v.IsNull() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// port is the port that settings of a connection name; 0: none.
func port(settings any) int64 {
	if settings == nil {
		return 0
	}
	for _, f := range engine.Fields(settings) {
		if v := reflect.Indirect(reflect.ValueOf(settings)).Field(f.Index); f.Name == "port" && v.CanInt() {
			return v.Int()
		}
	}
	return 0
}

// leaveHosts makes the run leave hosts of plays for which something would be done on a host that another run has.
func (s *session) leaveHosts(p *plan.Plan, left map[string]string) {
	s.bounds.Left = map[run.Spot]string{}
	for _, i := range p.Acting() {
		for _, name := range []string{i.Host, i.On} {
			if why := left[name]; why != "" {
				s.bounds.Left[run.Spot{Play: i.Play, Host: i.Host}] = why
			}
		}
	}
	s.runner.Bound(s.bounds)
}
