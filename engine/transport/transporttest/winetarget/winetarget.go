//go:build linux

// Package winetarget knows how a Wine guest is a target of the suite of the transports, whatever the way to it.
package winetarget

import (
	"context"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wine"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// Of makes a target of g, which runs and to which open connects. A cut switches g off; it is switched on for the next
// connection.
func Of(g *wine.Guest, open func(t *testing.T) engine.Shell) transporttest.Target {
	on := true
	return transporttest.Target{
		Windows: true, Many: 100, Slow: true,
		Flaky: "Wine's cmd.exe now and then cannot find a program on a busy machine",
		Open: func(t *testing.T) engine.Shell {
			if !on {
				if err := g.On(t.Context()); err != nil {
					t.Fatal(err)
				}
				on = true
			}
			return open(t)
		},
		Commands: commands(),
		Codes:    map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510},
		Lacks:    transporttest.WineLacks(),
		Changes:  transporttest.WineChanges,
		Cut: func(t *testing.T) {
			if err := g.Off(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
			on = false
		},
		Silence: func(t *testing.T) func() {
			if err := g.Freeze(); err != nil {
				t.Fatal(err)
			}
			return func() { _ = g.Thaw() }
		},
	}
}

// commands are those of the guest's own program.
func commands() transporttest.Commands {
	const guestd = `C:\dsplay\guestd.exe`
	program := func(name string) string { return guestd + " " + name }
	return transporttest.Commands{
		Cat: program("cat"), Count: program("count"), Big: program("big"), Both: program("both"), Raw: program("raw"), Flood: program("flood"),
		Sleep: program("parent"), Endless: program("endless"), Full: program("full"),
		Args: []string{guestd, "args"}, Env: []string{guestd, "env"},
		Alive: func(pid string) string { return program("alive " + pid) },
	}
}
