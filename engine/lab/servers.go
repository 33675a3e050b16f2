package lab

import (
	"crypto/tls"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/dsplay/dsplay/engine/lab/dsm"
	"github.com/dsplay/dsplay/engine/lab/update"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
)

// Names of the managers in the inventory.
const (
	vcenterName = "vc1"
	dsmName     = "dsm1"
	nsxName     = "nsx1"
)

// Names of what updates come through; they are no hosts of the inventory.
const (
	proxyName  = "proxy1"
	relayName  = "relay1"
	serverName = "update1"
)

// The last bytes of addresses: 127.LAB.0.x for the managers, 127.LAB.HOST.x for a host, its appliance and its guests.
const (
	vcenterByte, dsmByte    = 1, 2
	proxyByte, serverByte   = 3, 4
	nsxByte                 = 5
	hostByte, applianceByte = 1, 2
	firstGuest              = 9
)

// ip gives an address of the lab. The second byte comes from the directory, so that labs side by side seldom share
// addresses; ports are free ones anyway.
func (l *Lab) ip(host, machine int) string {
	sum := uuid.NewSHA1(uuid.NameSpaceURL, []byte(l.opts.Dir))
	return fmt.Sprintf("127.%d.%d.%d", 1+int(sum[0])%254, host, machine)
}

// legacySessions is how many sessions a user of a legacy DSM may have.
const legacySessions = 2

// startDSM makes the manager; nobody can reach it yet.
func (l *Lab) startDSM() error {
	var list []dsm.Computer
	for _, h := range l.hosts {
		list = append(list,
			dsm.Computer{ID: h.id, Kind: dsm.ESX, Name: h.name, Display: h.name, Platform: "VMware ESXi 7.0.3 build-20328353", Address: h.ip},
			dsm.Computer{ID: h.appliance.id, Kind: dsm.Appliance, Name: h.appliance.name, Display: h.appliance.vm, ESXi: h.id, Power: dsm.On,
				Platform: "Deep Security Virtual Appliance", Address: h.appliance.ip, BIOSUUID: h.appliance.bios})
	}
	for _, g := range l.guests {
		list = append(list, dsm.Computer{ID: g.id, Kind: dsm.VM, Name: g.name, Display: g.name, Platform: "Microsoft Windows Server 2019 (64 bit)",
			BIOSUUID: g.bios, Address: g.ip, Agentless: g.agentless, ESXi: g.where().id, Appliance: g.where().appliance.id, Power: dsm.Power(g.power)})
	}
	languages, most := map[string]string{}, 0
	if l.opts.LegacyDSM {
		languages[dsmUser], most = "ja", legacySessions
	}
	l.dsm = dsm.New(dsm.Config{Languages: languages, MaxSessions: most, Policy: l.policyArrives, NoREST: l.opts.NoREST, Japanese: l.opts.Japanese, APIKey: l.keys.apiKey, Session: l.opts.DSMSession,
		Users: map[string]string{dsmUser: l.keys.dsm}, Updates: update.URL, Background: l.background,
		Fetch: func(source string) (string, error) { return l.updates.fetch(l, source) },
		Record: func(user, text string, mutates bool) {
			l.received.add(Received{Time: time.Now(), Kind: "dsm", Host: dsmName, User: user, Text: text, Mutates: mutates})
		}}, list)
	return nil
}

// startVCenter makes the vCenter; nobody can reach it yet.
func (l *Lab) startVCenter() (err error) {
	cfg := vcenter.Config{User: vcenterUser, Password: l.keys.vcenter,
		Record: func(user, text string, mutates bool) {
			l.received.add(Received{Time: time.Now(), Kind: "vsphere", Host: vcenterName, User: user, Text: text, Mutates: mutates})
		},
		Changed:  func(vm string, p vcenter.Power) { l.machines[vm].setPower(Power(p)) },
		Rebooted: func(vm string) { l.machines[vm].reboot() },
		Inserted: l.inserted, Log: l.logOf,
		Guest: l.toolsOf, Clock: l.clock,
		Booted: func(vm string) (time.Time, bool) { return l.machines[vm].booted() },
		Agent:  func(name string) vcenter.Agent { return l.names[name].(*host).agent },
	}
	for _, h := range l.hosts {
		cfg.Hosts = append(cfg.Hosts, h.name)
		a := h.appliance
		cfg.VMs = append(cfg.VMs, vcenter.VM{Name: a.vm, Host: h.name, UUID: a.bios, InstanceUUID: a.uuid, HostName: a.name, Address: a.ip,
			GuestID: "rhel7_64Guest", GuestName: "Red Hat Enterprise Linux 7 (64-bit)", Power: vcenter.On})
	}
	for _, g := range l.guests {
		cfg.VMs = append(cfg.VMs, vcenter.VM{Name: g.name, Host: g.where().name, UUID: g.bios, InstanceUUID: g.uuid, HostName: g.name, Address: g.ip,
			GuestID: "windows2019srv_64Guest", GuestName: "Microsoft Windows Server 2019 (64-bit)", Power: vcenter.Power(g.power), Image: l.image()})
	}
	l.vcenter, err = vcenter.New(cfg)
	return err
}

// powered is a virtual machine: a guest or an appliance.
type powered interface {
	setPower(p Power)
	reboot()
	booted() (at time.Time, up bool)
}

// openDoors makes everything reachable. Thousands of certificates and listeners take seconds, so it is done in parallel.
func (l *Lab) openDoors() (err error) {
	if l.vcDoor, err = l.httpsDoor(vcenterName, l.ip(0, vcenterByte), l.vcenter); err != nil {
		return err
	}
	if l.dsmDoor, err = l.httpsDoor(dsmName, l.ip(0, dsmByte), l.dsm); err != nil {
		return err
	}
	if l.nsx != nil {
		if l.nsxDoor, err = l.httpsDoor(nsxName, l.ip(0, nsxByte), l.nsx); err != nil {
			return err
		}
	}
	var group errgroup.Group
	group.SetLimit(2 * runtime.NumCPU())
	for _, h := range l.hosts {
		group.Go(h.openDoors)
	}
	for _, g := range l.guests {
		group.Go(g.openDoor)
	}
	return group.Wait()
}

func (l *Lab) httpsDoor(name, ip string, handler http.Handler) (*door, error) {
	certificate, err := l.keys.authority.Server(name, ip)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	return newDoor(l.ctx, ip, func(addr string, _ manner) (listening, error) {
		inner, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, err
		}
		s := &httpsServer{listener: inner, server: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: stdlog.New(io.Discard, "", 0)}}
		s.done.Go(func() { _ = s.server.Serve(tls.NewListener(inner, config)) })
		return s, nil
	})
}

// httpsServer is a web server behind a door.
type httpsServer struct {
	listener net.Listener
	server   *http.Server
	done     sync.WaitGroup
}

// Addr is host and port.
func (s *httpsServer) Addr() string { return s.listener.Addr().String() }

// Close cuts every connection.
func (s *httpsServer) Close() {
	_ = s.server.Close()
	s.done.Wait()
}

// background runs f and makes Close wait for it. After Close has begun nothing starts any more.
func (l *Lab) background(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() == nil {
		l.running.Go(f)
	}
}

// record runs a command and writes down what it was before its sender hears of the end.
func (l *Lab) record(kind, host, user, line string, stdin io.Reader, run func(in io.Reader) (mutates bool)) {
	r := Received{Time: time.Now(), Kind: kind, Host: host, User: user, Text: line}
	in := &tee{Reader: stdin}
	r.Mutates = run(in)
	r.Stdin = in.text()
	l.received.add(r)
	if r.Mutates {
		l.moveOff(host)
	}
}
