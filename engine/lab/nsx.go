package lab

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/dsplay/dsplay/engine/lab/nsx"
)

// Lab times of the NSX manager: until a changed tag is read back, and until the group has followed ("seconds to minutes").
const (
	tagShows    = 2 * time.Second
	groupMoves  = 30 * time.Second
	groupName   = "DS-Protected"
	noNSX       = "none"
	backupScope = "backup"
)

func (o *Options) completeNSX() error {
	if o.NSX == "" {
		o.NSX = string(nsx.T)
		if o.NSXV {
			o.NSX = string(nsx.V)
		}
	}
	switch {
	case o.NSX == string(nsx.V):
		o.NSXV = true
	case o.NSX == string(nsx.T) && o.NSXV:
		return errors.New("a lab with the Mux of NSX-V has no NSX-T manager")
	case o.NSX != string(nsx.T) && o.NSX != noNSX:
		return fmt.Errorf("the NSX manager of a lab is v, t or none, not %q", o.NSX)
	}
	return nil
}

// membership is the operator's tag, who has which is protected.
func (l *Lab) membership() nsx.Tag {
	if l.opts.NSX == string(nsx.V) {
		return nsx.Tag{Name: "DS-Protect"}
	}
	return nsx.Tag{Scope: "deepsecurity", Name: "protected"}
}

// backup is a tag that every guest has besides, and that nobody may lose.
func (l *Lab) backup() nsx.Tag {
	if l.opts.NSX == string(nsx.V) {
		return nsx.Tag{Name: "backup.daily"}
	}
	return nsx.Tag{Scope: backupScope, Name: "daily"}
}

// startNSX makes the manager; nobody can reach it yet.
func (l *Lab) startNSX() error {
	if l.opts.NSX == noNSX {
		return nil
	}
	cfg := nsx.Config{Generation: nsx.Generation(l.opts.NSX), User: nsxUser, Password: l.keys.nsx, Clock: l.clock, ReadDelay: tagShows, GroupDelay: groupMoves,
		Membership: l.membership(), Group: groupName, Defined: []nsx.Tag{l.backup(), {Name: "ANTI_VIRUS.VirusFound.threat=high"}, {Name: "IDS_IPS.threat=high"}},
		State: l.machineStates(), Health: l.introspection, Changed: l.retagged,
		Record: func(user, text string, mutates bool) {
			l.received.add(Received{Time: time.Now(), Kind: "nsx", Host: nsxName, User: user, Text: text, Mutates: mutates})
		}}
	refs := l.vcenter.Refs()
	for _, h := range l.hosts {
		a := h.appliance
		id := uuid.NewSHA1(uuid.NameSpaceDNS, []byte(h.name+".node.lab")).String()
		cfg.Hosts = append(cfg.Hosts, nsx.Host{Ref: refs[h.name], ID: id, Name: h.name, SVM: a.uuid})
		cfg.VMs = append(cfg.VMs, nsx.VM{Ref: refs[a.vm], Name: a.vm, InstanceUUID: a.uuid, BIOSUUID: a.bios, Service: true})
	}
	for _, g := range l.guests {
		tags := []nsx.Tag{l.backup()}
		if g.agentless {
			tags = append(tags, l.membership())
		}
		cfg.VMs = append(cfg.VMs, nsx.VM{Ref: refs[g.name], Name: g.name, InstanceUUID: g.uuid, BIOSUUID: g.bios, Tags: tags})
	}
	l.nsx = nsx.New(cfg)
	return nil
}

// NSX is the manager, for tests that make it misbehave; nil: there is none.
func (l *Lab) NSX() *nsx.Manager { return l.nsx }

// machineStates is what the manager hears of machines from their hosts.
func (l *Lab) machineStates() func(instance string) (host string, on bool) {
	all := map[string]func() (string, bool){}
	for _, g := range l.guests {
		all[g.uuid] = func() (string, bool) { return g.where().name, g.powerNow() != Off }
	}
	for _, h := range l.hosts {
		all[h.appliance.uuid] = func() (string, bool) { return h.name, h.appliance.powerNow() == On }
	}
	return func(instance string) (string, bool) { return all[instance]() }
}

// introspection is what the manager sees of a host: connections, not whether anything goes through them. So an appliance
// or a Mux that is stuck looks well.
func (l *Lab) introspection(name string) nsx.Health {
	h, ok := l.names[name].(*host)
	if !ok {
		return nsx.Health{}
	}
	mux, agent, awake := h.machine().State(), h.appliance.machine().State(), h.appliance.awake()
	return nsx.Health{Deployed: awake, Solution: awake && agent.AgentRunning, Mux: awake && h.appliance.atHome() && mux.Up && mux.MuxRunning}
}

// retagged tells the DSM of the group when it has followed a change of tags.
func (l *Lab) retagged(instance string) {
	for _, g := range l.guests {
		if g.uuid == instance {
			l.background(func() {
				if l.clock.Wait(l.ctx, groupMoves) == nil {
					l.dsm.SetMember(g.id, g.member())
				}
			})
		}
	}
}

// member tells whether NSX sends what the guest does to the appliance.
func (g *guest) member() bool { return g.lab.nsx == nil || g.lab.nsx.Member(g.uuid) }

func (g *guest) tags() (list []string) {
	if g.lab.nsx == nil {
		return nil
	}
	for _, t := range g.lab.nsx.Tags(g.uuid) {
		list = append(list, t.String())
	}
	return list
}

// onNSX does something with the manager, if there is one.
func (l *Lab) onNSX(f func() error) error {
	if l.nsx == nil {
		return errors.New("this lab has no NSX manager")
	}
	return f()
}

// loseTag is tag-missing.
func (l *Lab) loseTag(target string) error {
	return l.onNSX(func() error {
		return l.onGuest(target, func(g *guest) error {
			if !g.agentless {
				return fmt.Errorf("%s has an agent of its own and needs no tag", g.name)
			}
			l.nsx.Lose(g.uuid)
			l.dsm.SetMember(g.id, false)
			return nil
		})
	})
}

func (l *Lab) nsxTruth() NSX {
	t := NSX{Generation: l.opts.NSX}
	if l.nsx != nil {
		t.WrongPasswords, t.Locked = l.nsx.WrongPasswords()
		t.Sessions = l.nsx.Sessions()
	}
	return t
}

// nsxAttribute is what ESXi hosts and guests say of their NSX manager, nsxTag what one says that is to be protected.
func (l *Lab) nsxAttribute() string {
	if l.nsx == nil {
		return ""
	}
	return fmt.Sprintf("  nsx     = %q\n", nsxName)
}

func (l *Lab) nsxTag(g *guest) string {
	if l.nsx == nil || !g.agentless {
		return ""
	}
	t := l.membership()
	return fmt.Sprintf("  nsx_tag = { scope = %q, name = %q, group = %q }\n", t.Scope, t.Name, groupName)
}

func (l *Lab) nsxBlock(b *strings.Builder) {
	if l.nsx == nil {
		return
	}
	kind := map[string]string{string(nsx.V): "nsx", string(nsx.T): "nsxt"}[l.opts.NSX]
	ip, port := l.nsxDoor.Addr()
	fmt.Fprintf(b, "host %q {\n  address = %q\n  connection \"https\" {\n    kind     = %q\n    port     = %s\n    user     = %q\n    password = secret(%s)\n    ca       = %s\n  }\n}\n\n",
		nsxName, ip, kind, port, nsxUser, l.secret("nsx"), l.path("ca.pem"))
}
