package unix

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// process is one that lives.
type process struct {
	pid, parent int
	user        string
	comm        string   // at most 15 characters
	args        []string // the whole command line
	start       time.Time
	cancel      context.CancelFunc // ends a command; nil for a daemon
	killed      func()             // what the death of a daemon means; called without locks
}

// ticks is the unit of times in /proc.
const ticks = 100

// boot starts the machine anew; m.mu is held or m is new.
func (m *machine) boot(at time.Time) {
	m.up, m.booted, m.bootID = true, at, uuid.NewString()
	m.off = make(chan struct{})
	m.procs[1] = &process{pid: 1, user: "root", comm: "init", args: []string{"/sbin/init"}, start: at}
	for _, name := range m.others {
		m.daemon(at, nil, name)
	}
}

// always makes a daemon that runs whenever the machine does, and of which nothing depends.
func (m *machine) always(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others = append(m.others, name)
	m.daemon(m.booted, nil, name)
}

// daemon makes a process that lives until someone ends it; m.mu is held or m is new.
func (m *machine) daemon(start time.Time, killed func(), args ...string) int {
	m.nextPID++
	m.procs[m.nextPID] = &process{pid: m.nextPID, parent: 1, user: "root", comm: comm(args[0]), args: args, start: start, killed: killed}
	return m.nextPID
}

func comm(name string) string {
	name = path.Base(name)
	return name[:min(len(name), 15)]
}

// begin makes a process of c that ends with ctx, by a signal, or with the machine; release takes it off the list. ok is false when that is down.
func (m *machine) begin(ctx context.Context, c *call, argv []string) (inner context.Context, release func(), ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.up {
		return ctx, func() {}, false
	}
	inner, cancel := context.WithCancel(ctx)
	m.nextPID++
	c.pid = m.nextPID
	pid := c.pid
	m.procs[pid] = &process{pid: pid, parent: c.parent, user: c.user, comm: comm(argv[0]), args: argv, start: time.Now(), cancel: cancel}
	return inner, func() { // without a cancel: what it left in the background is not its own any more
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.procs, pid)
	}, true
}

// signal sends a signal to a process. Signal 0 only asks.
func (m *machine) signal(pid, number int, uid int) error {
	m.mu.Lock()
	p, ok := m.procs[pid]
	owner := 0
	if ok {
		owner = m.users[p.user]
	}
	m.mu.Unlock()
	switch {
	case !ok:
		return errNoProcess
	case uid != 0 && uid != owner:
		return errNotPermitted
	case number != 0 && p.cancel != nil:
		p.cancel()
	case number != 0 && p.killed != nil:
		m.mu.Lock()
		delete(m.procs, pid)
		m.mu.Unlock()
		p.killed()
	}
	return nil
}

// processes gives copies of those that live, by id.
func (m *machine) processes() []process {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []process
	for _, pid := range slices.Sorted(maps.Keys(m.procs)) {
		all = append(all, *m.procs[pid])
	}
	return all
}

// proc gives the files of /proc that are made when someone looks.
func (m *machine) proc(name string) *node {
	m.mu.Lock()
	booted, bootID := m.booted, m.bootID
	m.mu.Unlock()
	dir := &node{mode: fs.ModeDir | 0o555, modified: booted}
	rest, ok := strings.CutPrefix(name, "/proc/")
	switch {
	case !ok:
		return nil
	case rest == "uptime":
		return m.text("%.2f %.2f\n", time.Since(booted).Seconds(), time.Since(booted).Seconds()*1.9)
	case rest == "stat":
		return m.text("cpu  0 0 0 0\nbtime %d\n", booted.Unix())
	case rest == "sys/kernel/random/boot_id":
		return m.text("%s\n", bootID)
	case slices.Contains([]string{"sys", "sys/kernel", "sys/kernel/random"}, rest):
		return dir
	}
	id, file, more := strings.Cut(rest, "/")
	pid, err := strconv.Atoi(id)
	m.mu.Lock()
	p := m.procs[pid]
	m.mu.Unlock()
	switch {
	case err != nil || p == nil:
		return nil
	case !more:
		return dir
	case file == "stat":
		start := int64(p.start.Sub(booted).Seconds() * ticks)
		return m.text("%d (%s) S %d %d %d 0 -1 4202496 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0\n", p.pid, p.comm, p.parent, p.pid, p.pid, start)
	case file == "comm":
		return m.text("%s\n", p.comm)
	case file == "cmdline":
		return m.text("%s\x00", strings.Join(p.args, "\x00"))
	}
	return nil
}

// procList names what is in /proc, for patterns.
func (m *machine) procList(dir string) []string {
	names := []string{"/proc/uptime", "/proc/stat", "/proc/sys"}
	if dir != "/proc" {
		return nil
	}
	for _, p := range m.processes() {
		names = append(names, "/proc/"+strconv.Itoa(p.pid))
	}
	return names
}

func (m *machine) text(format string, args ...any) *node {
	return &node{mode: 0o444, data: fmt.Appendf(nil, format, args...), modified: time.Now()}
}

// down takes the power away: everything that runs dies.
func (m *machine) down() {
	if m.up {
		close(m.off)
	}
	m.up = false
	for _, cancel := range m.orphans {
		cancel()
	}
	m.orphans = nil
	for pid, p := range m.procs {
		if p.cancel != nil {
			p.cancel()
		}
		delete(m.procs, pid)
	}
}

// powerOff ends everything, and the services.
func (m *machine) powerOff(daemons ...*daemon) {
	m.change(func() {
		for _, d := range daemons {
			d.vanish()
		}
		m.down()
	})
}

// powerOn boots, with the services that start with the machine.
func (m *machine) powerOn(daemons ...*daemon) {
	m.change(func() {
		if m.up {
			return
		}
		m.boot(time.Now())
		m.boots++
		for _, d := range daemons {
			if d.enabled {
				d.spawn(time.Now())
			}
		}
	})
}

// atPowerOff is closed when the power goes.
func (m *machine) atPowerOff() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.off
}
