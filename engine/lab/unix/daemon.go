package unix

import (
	"context"
	"time"
)

// daemon is a service of a machine: it runs or not, and may be stuck while it runs.
type daemon struct {
	m         *machine
	name      string
	processes [][]string    // command lines, the main process first
	stopTakes time.Duration // lab time
	runsAfter time.Duration // lab time that a start takes

	busy chan struct{} // holds one token while someone starts or stops it

	// guarded by m.mu
	running bool
	stuck   bool // it runs and does not do its work, until it is started anew
	hangs   bool // the next restart stops it and then never returns
	enabled bool // it starts with the machine
	starts  int  // since New, those of a boot not counted
	pids    []int
	since   time.Time
}

func (m *machine) newDaemon(name string, processes ...[]string) *daemon {
	d := &daemon{m: m, name: name, processes: processes, stopTakes: 3 * time.Second, runsAfter: 5 * time.Second, enabled: true,
		busy: make(chan struct{}, 1)}
	d.spawn(m.booted.Add(40 * time.Second))
	return d
}

// spawn makes the processes; m.mu is held or m is new.
func (d *daemon) spawn(at time.Time) {
	d.running, d.stuck, d.since, d.pids = true, false, at, nil
	for _, args := range d.processes {
		d.pids = append(d.pids, d.m.daemon(at, d.died, args...))
	}
}

// vanish takes the processes away; m.mu is held.
func (d *daemon) vanish() {
	for _, pid := range d.pids {
		delete(d.m.procs, pid)
	}
	d.running, d.pids = false, nil
}

// died is what happens when somebody kills one of the processes: the service is down.
func (d *daemon) died() { d.m.change(d.vanish) }

// take waits until nobody else starts or stops the service.
func (d *daemon) take(ctx context.Context) (release func(), err error) {
	select {
	case d.busy <- struct{}{}:
		return func() { <-d.busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop ends the service. Its work is over at once, the call takes its time.
func (d *daemon) stop(ctx context.Context) error {
	d.m.change(d.vanish)
	return d.m.clock.Wait(ctx, d.stopTakes)
}

// start starts the service. Who is cut off before its time leaves it stopped.
func (d *daemon) start(ctx context.Context) error {
	if err := d.m.clock.Wait(ctx, d.runsAfter); err != nil {
		return err
	}
	d.m.change(func() {
		if d.m.up && !d.running {
			d.spawn(time.Now())
			d.starts++
		}
	})
	return nil
}

// restart stops and starts; between says what is printed meanwhile.
func (d *daemon) restart(ctx context.Context, between func()) error {
	d.m.mu.Lock()
	hangs := d.hangs
	d.hangs = false // used up, also when this restart is cut off before it hangs
	d.m.mu.Unlock()
	if err := d.stop(ctx); err != nil {
		return err
	}
	between()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.start(ctx)
}

// status gives a copy of what can be seen from outside.
func (d *daemon) status() (running bool, pid int, since time.Time) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if !d.running {
		return false, 0, time.Time{}
	}
	return true, d.pids[0], d.since
}
