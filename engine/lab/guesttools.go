package lab

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/guestops/winguest"
)

// toolsOf finds the VMware Tools of a virtual machine; nil: it has none.
func (l *Lab) toolsOf(vm string) *guestops.Guest {
	switch m := l.machines[vm].(type) {
	case *guest:
		return m.tools
	case *appliance:
		return m.tools
	}
	return nil
}

func (g *guest) newTools() *guestops.Guest {
	record := func(user, text string, mutates bool) {
		g.lab.received.add(Received{Time: time.Now(), Kind: "guest", Host: g.name, User: user, Text: text, Mutates: mutates})
		if mutates {
			g.lab.background(func() { g.lab.moveOff(g.name) })
		}
	}
	return &guestops.Guest{
		System:   winguest.System{Ctx: g.lab.ctx, Guest: g.machine, Ended: record},
		Record:   record,
		Password: g.password,
	}
}

// password is that of the account that WinRM knows, too: "ops" or "LAB\ops".
func (g *guest) password(user string) (string, bool) {
	name := user[strings.LastIndexByte(user, '\\')+1:]
	name, _, _ = strings.Cut(name, "@")
	if g.door.meets(wrongPassword) {
		return rand.Text(), true
	}
	return g.lab.keys.guests, strings.EqualFold(name, guestUser)
}
