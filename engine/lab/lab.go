// Package lab is a simulated estate on loopback: ESXi hosts with their appliances, guests, a vCenter, a DSM and an NSX manager,
// coherent with each other. Commands change machines, machines decide which engines are online, heartbeats tell the DSM.
// What travels on the wire is real: SSH, WinRM, TLS, the vSphere API, REST and SOAP.
package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/dsm"
	"github.com/dsplay/dsplay/engine/lab/nsx"
	"github.com/dsplay/dsplay/engine/lab/pki"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
)

// Options say what estate to simulate. Only Dir has no default.
type Options struct {
	Dir    string  // for the inventory, keys, secrets and received.jsonl; made when it is not there
	ESXi   int     // hosts; default 4, at most 250
	Guests int     // per host; default 10, at most 240
	Speed  float64 // lab seconds per real second; default 600: a ten-minute heartbeat takes a second

	Japanese bool // the guests' Windows, and the language setting of the DSM's users
	NoREST   bool // a DSM 11.0: SOAP only
	// LegacyDSM is a DSM 11.0 as one finds it: SOAP only, an account that is set to Japanese whatever the guests are, and two
	// sessions per user.
	LegacyDSM bool
	NSXV      bool // the Mux is vShield-Endpoint-Mux instead of nsx-context-mux
	// NSX is the generation of the NSX manager: "v", "t" or "none"; default: the one that fits the Mux.
	NSX string
	// MuxListed gives every ESXi host a key for its Mux in the list of services that the vCenter shows.
	MuxListed bool
	// Site is in the UUIDs of machines: estates of different sites have no machine in common.
	Site string
	// Twins gives the second guest the BIOS UUID of the first one, as a careless clone has it.
	Twins    bool
	PlainWS  bool // WinRM over http with NTLM sealing instead of https
	GuestOps bool // the inventory reaches guests through the vCenter (vSphere guest operations) instead of over WinRM
	Static   bool // the inventory holds uuid, bios_uuid and esxi of every guest itself, and has no source block
	// Everyone protects every guest and switches all of them on. Else, in an estate of at least 2 hosts with 4 guests
	// each, the last guest has an agent of its own and the one before it is off.
	Everyone bool
	// NoToolsMedia leaves the CD drives of the guests empty; else the image of VMware Tools is in each.
	NoToolsMedia bool
	// Appliance is the pattern of the appliances' VM names; default "Trend Micro Deep Security (%d)".
	Appliance string
	// DSMSession is how long a SOAP session may idle, in real time; default 30 minutes.
	DSMSession time.Duration
}

// Limits of the address scheme: 127.LAB.HOST.MACHINE.
const (
	maxESXi   = 250
	maxGuests = 240
)

func (o *Options) complete() error {
	if o.ESXi == 0 {
		o.ESXi = 4
	}
	if o.Guests == 0 {
		o.Guests = 10
	}
	if o.Speed == 0 {
		o.Speed = 600
	}
	if o.Appliance == "" {
		o.Appliance = "Trend Micro Deep Security (%d)"
	}
	if err := o.completeNSX(); err != nil {
		return err
	}
	o.NoREST = o.NoREST || o.LegacyDSM
	switch {
	case o.Dir == "":
		return errors.New("a lab needs a directory for its inventory and keys")
	case o.ESXi < 1 || o.ESXi > maxESXi:
		return fmt.Errorf("a lab has 1 to %d ESXi hosts, not %d", maxESXi, o.ESXi)
	case o.Guests < 1 || o.Guests > maxGuests:
		return fmt.Errorf("a lab has 1 to %d guests per ESXi host, not %d", maxGuests, o.Guests)
	case o.Speed < 0:
		return fmt.Errorf("the speed of a lab is a positive factor, not %v", o.Speed)
	}
	dir, err := filepath.Abs(o.Dir)
	o.Dir = dir
	return err
}

// Lab is an estate that runs. Its methods are safe for use by several goroutines.
type Lab struct {
	opts    Options
	clock   clock.Clock
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup // heartbeats, boots, everything in the background
	done    chan struct{}  // closed when somebody asked for the end

	keys     *keys
	received *log
	file     *os.File
	control  net.Listener
	vcenter  *vcenter.VCenter
	dsm      *dsm.Manager
	updates  *updates
	nsx      *nsx.Manager // nil: there is none
	vcDoor   *door
	dsmDoor  *door
	nsxDoor  *door
	hosts    []*host
	guests   []*guest
	names    map[string]any     // inventory name → *host, *appliance, *guest
	machines map[string]powered // name in the vCenter → *appliance, *guest

	mu     sync.Mutex
	faults []Fault
	dark   bool // a central cause: no engine can be online
	stale  bool // the DSM is deaf
	ended  bool // done is closed
}

// Start builds the estate, writes the files of Options.Dir and returns when every system answers.
// ctx bounds the life of the lab, too.
func Start(ctx context.Context, o Options) (*Lab, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	l := &Lab{opts: o, clock: clock.Clock{Speed: o.Speed}, done: make(chan struct{}), names: map[string]any{}, machines: map[string]powered{}}
	l.ctx, l.stop = context.WithCancel(ctx)
	if err := l.start(); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("start the lab in %s: %w", o.Dir, err)
	}
	return l, nil
}

func (l *Lab) start() error {
	if err := l.claim(); err != nil {
		return err
	}
	authority, err := pki.NewAuthority()
	if err == nil {
		l.keys, err = writeKeys(l.opts.Dir, authority)
	}
	if err == nil {
		err = l.openLog()
	}
	for _, step := range []func() error{l.populate, l.startUpdates, l.startDSM, l.startVCenter, l.startNSX, l.openDoors, l.writeLogs, l.writeInventory, l.serveControl} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		return err
	}
	l.Heartbeat()
	for _, h := range l.hosts {
		l.running.Go(h.appliance.beat)
	}
	return nil
}

// claim makes the directory ours.
func (l *Lab) claim() error {
	if err := os.MkdirAll(l.opts.Dir, 0o700); err != nil {
		return err
	}
	if _, err := (Remote{l.opts.Dir}).World(l.ctx); err == nil {
		return errors.New("a lab runs in this directory already; dslab down --dir DIR ends it")
	}
	return nil
}

func (l *Lab) openLog() (err error) {
	l.file, err = os.OpenFile(filepath.Join(l.opts.Dir, "received.jsonl"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	l.received = newLog(l.file, l.keys.secrets()...)
	return err
}

// Dir is the directory with inventory.hcl and the keys.
func (l *Lab) Dir() string { return l.opts.Dir }

// Received is everything that the systems got so far, in the order in which they finished it.
func (l *Lab) Received() []Received { return l.received.list() }

// Done is closed when somebody asked for the end of the lab over its control socket.
func (l *Lab) Done() <-chan struct{} { return l.done }

// Close ends everything. The files stay, the control socket goes.
func (l *Lab) Close() error {
	l.stop()
	l.mu.Lock()   // who was about to start something in the background has done so, or does not any more
	l.mu.Unlock() //nolint:staticcheck // an empty critical section is the point
	if l.control != nil {
		_ = l.control.Close()
	}
	var doors sync.WaitGroup
	for _, d := range l.doors() {
		doors.Go(d.close)
	}
	doors.Wait()
	l.updates.close()
	l.running.Wait()
	if l.vcenter != nil {
		l.vcenter.Close()
	}
	if l.file != nil {
		return l.file.Close()
	}
	return nil
}

func (l *Lab) doors() []*door {
	list := []*door{l.vcDoor, l.dsmDoor, l.nsxDoor}
	for _, h := range l.hosts {
		list = append(list, h.door, h.appliance.door)
	}
	for _, g := range l.guests {
		list = append(list, g.door)
	}
	var open []*door
	for _, d := range list {
		if d != nil {
			open = append(open, d)
		}
	}
	return open
}
