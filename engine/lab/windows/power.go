package windows

import (
	"context"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// procs is what runs: it dies with a loss of power, and tasklist shows it.
type procs struct {
	next int
	all  map[int]*proc
}

type proc struct {
	image, user string
	line        string // the whole command line, where it is known
	start       time.Time
	kill        context.CancelFunc
	background  bool // not a process of its own
}

func newProcs() procs { return procs{next: 2000, all: map[int]*proc{}} }

// begin makes a process that ends with ctx, with done, or when the guest goes down. ok is false when it is down.
func (g *Guest) begin(ctx context.Context, image, user string) (inner context.Context, done func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.up {
		return ctx, func() {}, false
	}
	inner, pid := g.add(ctx, &proc{image: image, user: user})
	return inner, func() { g.end(pid) }, true
}

// detach makes a context that outlives ctx and ends with release or when the guest goes down.
func (g *Guest) detach(ctx context.Context) (inner context.Context, release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	inner, pid := g.add(context.WithoutCancel(ctx), &proc{background: true})
	return inner, func() { g.end(pid) }
}

func (g *Guest) add(ctx context.Context, p *proc) (context.Context, int) {
	ctx, p.kill = context.WithCancel(ctx)
	p.start = time.Now()
	g.procs.next += 4
	g.procs.all[g.procs.next] = p
	return ctx, g.procs.next
}

func (g *Guest) end(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p, ok := g.procs.all[pid]; ok {
		p.kill()
		delete(g.procs.all, pid)
	}
}

// Down takes the power away: everything that runs dies at once. Calling it again does nothing.
func (g *Guest) Down() {
	g.change(func() { g.powerOff() })
}

func (g *Guest) powerOff() {
	g.up = false
	for pid, p := range g.procs.all {
		p.kill()
		delete(g.procs.all, pid)
	}
	for _, t := range g.tasks {
		t.running = false
	}
	for _, s := range g.services {
		if s.state != stopped {
			s.state, s.exit, s.pid = stopped, 0, 0
		}
	}
	g.shutdown = nil
	g.tools.installing, g.tools.replaced = false, false
}

// Up boots at once a guest that is down: what starts with the system runs, a pending reboot is done.
// The one who calls it waits for the time that a boot takes. On a guest that is up it does nothing.
func (g *Guest) Up() {
	g.change(func() {
		if g.up {
			return
		}
		g.up, g.bootTime = true, time.Now()
		g.boots++
		g.keys.clearPending()
		g.tools.disconnected, g.tools.cut = false, false
		if g.tools.healsAtBoot {
			g.tools.broken, g.tools.healsAtBoot = "", false
		}
		for _, s := range g.services {
			g.boot(s)
		}
	})
}

// Reboot goes down, waits for the lab time of a boot and comes up. It goes on without its caller when ctx ends,
// and returns then; otherwise it returns when the guest is up.
func (g *Guest) Reboot(ctx context.Context) error {
	g.Down()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if g.cfg.Clock.Wait(context.WithoutCancel(ctx), g.cfg.BootTakes) == nil {
			g.Up()
		}
	}()
	wait(ctx, done)
	return ctx.Err()
}

// Codes of shutdown.exe.
const (
	errShutdownScheduled = 1190
	errNoShutdown        = 1116
)

// goodbye is the lab time between the end of the delay of shutdown.exe and the end of everything.
const goodbye = 5 * time.Second

// shutdownProgram is "shutdown /r|/s|/a [/t N] [/f] [/c TEXT] [/d REASON]".
func (g *Guest) shutdownProgram(ctx context.Context, p *cmdexe.Process) uint32 {
	action, delay := "", 30*time.Second
	for i, arg := range p.Argv {
		switch flag := strings.ToLower(strings.Replace(arg, "-", "/", 1)); flag {
		case "/r", "/s", "/a", "/g", "/p":
			action = flag[1:]
		case "/t":
			seconds, err := time.ParseDuration(at(p.Argv, i+1) + "s")
			if err != nil {
				return g.fail(p, 87, "Invalid parameter.")
			}
			delay = seconds
		case "/l", "/h", "/i", "/o":
			return g.fail(p, 1, "shutdown %s is not simulated", flag)
		}
	}
	if action == "p" {
		action, delay = "s", 0
	}
	touch.Mark(ctx)
	if action == "" {
		return g.fail(p, 1, "Usage: shutdown [/r | /s | /a] [/f] [/t xxx]")
	}
	if !g.administrator(p.User) {
		return g.fail(p, errDenied, "%s(5)", g.say("Access is denied."))
	}
	return g.schedule(ctx, p, action, delay)
}

// schedule lets a shutdown wait in the background, or takes one back.
func (g *Guest) schedule(ctx context.Context, p *cmdexe.Process, action string, delay time.Duration) uint32 {
	inner, release := g.detach(ctx)
	g.mu.Lock()
	pending := g.shutdown
	switch {
	case action == "a":
		g.shutdown = nil
	case pending == nil:
		g.shutdown = release
	}
	g.mu.Unlock()
	switch {
	case action == "a" && pending != nil:
		release()
		pending()
		return 0
	case action == "a":
		release()
		return g.fail(p, errNoShutdown, "Unable to abort the system shutdown because no shutdown was in progress.(1116)")
	case pending != nil:
		release()
		return g.fail(p, errShutdownScheduled, "A system shutdown has already been scheduled.(1190)")
	}
	go func() {
		if g.cfg.Clock.Wait(inner, delay+goodbye) != nil {
			return
		}
		if action == "s" {
			g.Down()
			return
		}
		_ = g.Reboot(context.WithoutCancel(inner)) // cannot end early
	}()
	return 0
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
