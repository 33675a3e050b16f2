package main

import (
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/refused"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/local"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	"github.com/dsplay/dsplay/inventory"
	"github.com/dsplay/dsplay/inventory/vsphere"
	"github.com/dsplay/dsplay/modules"
)

// wires are the implementations behind the engine's seams: a new one is a line here.
type wires struct {
	transports map[string]engine.Transport
	sources    map[string]inventory.Source
	modules    []engine.Module
}

func (a *app) wires() wires {
	memory := &refused.Memory{Dir: refusedDir, Now: time.Now}
	overSSH := ssh.New()
	overSSH.Config, overSSH.Refused = a.sshConfig, memory
	return wires{
		transports: map[string]engine.Transport{
			"ssh":   overSSH,
			"winrm": winrm.New(),
			"local": local.Transport{},
			"https": https.Transport{Refused: memory},
			"guest": guest.Transport{},
		},
		sources: map[string]inventory.Source{"vsphere": vsphere.Source{}},
		modules: modules.All(),
	}
}

// checkSSHConfig says once what else every connection block would be blamed for.
func (a *app) checkSSHConfig() error {
	t := ssh.New()
	t.Config = a.sshConfig
	if err := t.Settings().(*ssh.Settings).Validate(); err != nil {
		return fmt.Errorf("-F %s: %w; nothing was executed", a.sshConfig, err)
	}
	return nil
}

// inventory reads an inventory. With unread secrets are not read: it is told where they would be read from.
func (w wires) inventory(path string, secrets *engine.Secrets, unread func(source string)) (*inventory.Model, engine.Problems) {
	return inventory.Load(path, inventory.Options{Transports: w.transports, Sources: w.sources, Secrets: secrets, Unread: unread})
}

// unasked is for commands that have no use for secrets: they are not read.
func unasked(string) {}
