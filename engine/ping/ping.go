// Package ping knows what there is to find out about the connection to a host: what works, what the other side offers,
// how long each stage takes, and what will not hold for long. It changes nothing: what it runs are a shell's true, date
// and ver, and a login.
package ping

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// Options say how hosts are asked.
type Options struct {
	Pool     *run.Pool
	Parallel int // hosts at a time; at least 1
	Now      func() time.Time
	// Told hears each stage of a host as it ends; from any goroutine. nil: nobody.
	Told func(host string, s engine.Stage)
	// Ended hears that a host is done, from any goroutine, whether or not its turn has come. nil: nobody.
	Ended func(host string)
	// Done gets each host when it is done, in the order of the list, one at a time. nil: nobody.
	Done func(Host)
	// Text takes secrets out of a text; nil: nothing does.
	Text func(string) string
}

// Run asks all hosts. When ctx ends, those that have not answered count as not tried.
// Its only error is a *run.Bug.
func Run(ctx context.Context, hosts []*engine.Host, o Options) (Report, error) {
	r := Report{V: Version, Hosts: make([]Host, len(hosts))}
	work := make(chan int, len(hosts))
	for i := range hosts {
		work <- i
	}
	close(work)
	line := &inOrder{told: o.Done, hosts: r.Hosts, done: make([]bool, len(hosts))}
	var workers sync.WaitGroup
	bugs := make(chan error, len(hosts))
	for range min(max(o.Parallel, 1), len(hosts)) {
		workers.Go(func() {
			for i := range work {
				if err := one(ctx, hosts[i], o, &r.Hosts[i]); err != nil {
					bugs <- err
				}
				if o.Ended != nil {
					o.Ended(hosts[i].Name)
				}
				line.finish(i)
			}
		})
	}
	workers.Wait()
	close(bugs)
	for _, h := range r.Hosts {
		switch h.Status {
		case OK:
			r.OK++
		case Failed:
			r.Failed++
		case Unreachable:
			r.Unreachable++
		case NotTried:
			r.NotTried++
		case NoWay:
			r.NoWay++
		}
	}
	return r, <-bugs // nil when there was none
}

// one fills what there is to say about h.
func one(ctx context.Context, h *engine.Host, o Options, out *Host) (bug error) {
	l := &look{host: h, options: o, out: out, began: o.Now()}
	defer func() {
		v := recover()
		switch b, ok := v.(error); {
		case v == nil:
		case ok && errors.As(b, new(*run.Bug)):
			bug = b
		default:
			bug = &run.Bug{Host: h.Name, Value: v, Stack: debug.Stack()}
		}
	}()
	*out = Host{Name: h.Name, Status: NotTried, Connection: h.Connection.Type, Address: h.Address, Via: h.Via()}
	switch {
	case ctx.Err() != nil:
		return nil
	case h.Connection.Type == "":
		out.Status = NoWay
		return nil
	}
	l.all(engine.WithStages(ctx, l.hear))
	if ctx.Err() != nil && out.Error != nil { // whatever went wrong, it was our going
		out.Status, out.Error = NotTried, engine.NewEventError(&engine.Error{Kind: engine.KindTimeout, Host: h.Name, Msg: "stopped before it had answered"})
	}
	l.finish()
	return nil
}

// inOrder hands over hosts in the order of the list, each as soon as those before it are done.
type inOrder struct {
	told  func(Host)
	hosts []Host

	mu   sync.Mutex
	done []bool
	next int
}

func (l *inOrder) finish(i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[i] = true
	for l.next < len(l.done) && l.done[l.next] {
		if l.told != nil {
			l.told(l.hosts[l.next])
		}
		l.next++
	}
}

// look is the work on one host.
type look struct {
	host    *engine.Host
	options Options
	out     *Host
	began   time.Time

	mu     sync.Mutex
	stages []engine.Stage
	over   bool
}

func (l *look) hear(s engine.Stage) {
	l.mu.Lock()
	if l.over { // a dial that goes on without us
		l.mu.Unlock()
		return
	}
	l.stages = append(l.stages, s)
	l.mu.Unlock()
	if l.options.Told != nil {
		l.options.Told(l.host.Name, s)
	}
}

// finish puts the stages into the result, and takes the secrets out of it.
func (l *look) finish() {
	l.mu.Lock()
	l.over = true
	stages := slices.Clone(l.stages)
	l.mu.Unlock()
	slices.SortStableFunc(stages, func(a, b engine.Stage) int { return a.Began.Compare(b.Began) })
	for _, s := range stages {
		l.out.Stages = append(l.out.Stages, Stage{Name: s.Name, At: millis(max(s.Began.Sub(l.began), 0)), Ms: millis(s.Took), Detail: s.Detail,
			Offered: s.Offered, Weak: s.Weak, Failed: s.Err != nil})
		if len(s.Offered) > 0 {
			l.out.Offered = s.Offered
		}
		if s.Err != nil {
			l.out.At = s.Name
		}
	}
	l.out.Ms = millis(l.options.Now().Sub(l.began))
	l.judge(stages)
	l.out.Status = cmp.Or(l.out.Status, OK)
	if l.out.Error == nil {
		l.out.At = "" // what failed was tried again, and worked
	}
	if l.options.Text != nil {
		redact(l.out, l.options.Text)
	}
}

func redact(h *Host, text func(string) string) {
	for _, s := range []*string{&h.Address, &h.Via, &h.User, &h.Identity, &h.System} {
		*s = text(*s)
	}
	if e := h.Error; e != nil {
		e.Text, e.Hint = text(e.Text), text(e.Hint)
	}
	for i := range h.Warnings {
		h.Warnings[i].Text, h.Warnings[i].Hint = text(h.Warnings[i].Text), text(h.Warnings[i].Hint)
	}
	for i := range h.Stages {
		h.Stages[i].Detail = text(h.Stages[i].Detail)
	}
}

// fail notes what does not work; the first counts.
func (l *look) fail(status Status, err error) {
	if l.out.Error == nil {
		l.out.Status, l.out.Error = status, engine.NewEventError(engine.Blame(err, l.host.Name))
	}
}
