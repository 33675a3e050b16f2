package lab

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/lab/wsman"
)

// networkLoss is the guest's adapter going away. It may be called by a command that runs over this very network.
func (g *guest) networkLoss(d time.Duration) {
	if d < 0 {
		g.changed() // windows.State says it from now on
		return
	}
	g.outage(1)
	g.lab.background(func() {
		if g.lab.clock.Wait(g.lab.ctx, d) == nil {
			g.outage(-1)
		}
	})
}

func (g *guest) outage(n int) {
	g.mu.Lock()
	g.outages = max(0, g.outages+n)
	g.mu.Unlock()
	g.changed()
}

// changed brings the network and the vCenter's view in line with the machine, soon and in the background: it is called
// by commands that run, and cutting their network waits for them.
func (g *guest) changed() {
	g.mu.Lock()
	begin := g.door != nil && !g.syncing // without a door the lab is still being built
	if g.door != nil {
		g.syncing, g.again = true, true
	}
	g.mu.Unlock()
	if begin {
		g.lab.background(g.settle)
	}
}

func (g *guest) settle() {
	for {
		g.mu.Lock()
		if !g.again {
			g.syncing = false
			g.mu.Unlock()
			return
		}
		g.again = false
		win, power, outages := g.win, g.power, g.outages
		g.mu.Unlock()
		s := win.State()
		g.writeLog()
		_ = g.door.setCut(power != On || !s.Up || outages > 0 || s.NetworkLost) // a port that was stolen stays shut
		g.show(vcenter.State{Power: vcenter.Power(power), Tools: s.ToolsRun, Boot: s.BootTime})
	}
}

// show tells the vCenter what is news. Only settle calls it, so nothing overtakes.
func (g *guest) show(s vcenter.State) {
	g.mu.Lock()
	news := g.shown != s
	g.shown = s
	g.mu.Unlock()
	if news {
		g.lab.vcenter.Set(g.name, s)
	}
}

func (g *guest) openDoor() error {
	certificate, err := g.lab.keys.authority.Server(g.name, g.ip)
	if err != nil {
		return err
	}
	d, err := newDoor(g.lab.ctx, g.ip, g.listen(certificate))
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.door = d
	g.mu.Unlock()
	if g.powerNow() != On {
		return d.setCut(true)
	}
	return nil
}

// listen is the guest's WinRM.
func (g *guest) listen(certificate tls.Certificate) func(addr string, m manner) (listening, error) {
	return func(addr string, m manner) (listening, error) {
		password := g.lab.keys.guests
		if m == wrongPassword {
			password = rand.Text()
		}
		o := wsman.Options{Addr: addr, Users: map[string]string{guestUser: password}, NTLM: true, Basic: true, Handle: g.handle}
		if !g.lab.opts.PlainWS {
			o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		}
		return wsman.Listen(o)
	}
}

func (g *guest) handle(ctx context.Context, s *wsman.Session) uint32 {
	var exit uint32
	g.lab.record("winrm", g.name, s.User, s.Line, s.Stdin, func(in io.Reader) bool {
		ctx, w := touch.Watch(ctx)
		exit = g.machine().Exec(ctx, s.User, s.Line, in, s.Stdout, s.Stderr)
		return w.Touched()
	})
	return exit
}
