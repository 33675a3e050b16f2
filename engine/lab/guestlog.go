package lab

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// vmwareLog is the vmware.log of a guest: what its ESXi host writes there, of which the lines of the driver in the guest
// matter. Their texts are those of VMware's documents on NSX logging; what stands before "Guest:" is that of ESXi 7 (high).
type vmwareLog struct {
	mu     sync.Mutex
	text   strings.Builder
	boots  int  // of the guest, when its driver was loaded last
	loaded bool // the driver runs
	linked bool // it is connected to the Mux
	muxes  int  // restarts of the Mux, when it connected last
	links  int  // connections, in all
}

func (l *vmwareLog) add(format string, args ...any) {
	fmt.Fprintf(&l.text, "%s In(05) vcpu-0 - %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), fmt.Sprintf(format, args...))
}

// String is the file.
func (l *vmwareLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *vmwareLog) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.links
}

// write adds what has happened since the last time, as the truth of the world has it.
func (g *guest) writeLog() {
	s, esxi := g.machine().State(), g.where()
	mux := esxi.machine().State()
	l := &g.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() == 0 {
		l.add("Log for VMware ESX pid=2101234 version=7.0.3 build=build-20328353 option=Release")
	}
	loaded := s.Up && s.Drivers["vsepflt"] == "RUNNING"
	if loaded && (!l.loaded || l.boots != s.Boots) {
		l.add("Guest: vsep: AUDIT: DriverEntry : vfileFilter build-3325473 loaded")
	}
	linked := g.powerNow() == On && s.Connected && mux.Up && mux.MuxRunning && !mux.MuxStuck
	if linked && (!l.linked || l.boots != s.Boots || l.muxes != mux.MuxRestarts) {
		l.add("Guest: vsep: AUDIT: VFileSocketMgrConnectHelper : Mux is connected")
		l.links++
	}
	l.loaded, l.linked, l.boots, l.muxes = loaded, linked, s.Boots, mux.MuxRestarts
}

// logOf is the vmware.log of a machine in the vCenter; of an appliance it is empty.
func (l *Lab) logOf(vm string) string {
	if g, ok := l.machines[vm].(*guest); ok {
		g.writeLog()
		return g.log.String()
	}
	return ""
}

// writeLogs begins the logs of all guests.
func (l *Lab) writeLogs() error {
	for _, g := range l.guests {
		g.writeLog()
	}
	return nil
}

// rotate begins the log anew, as a power on does.
func (l *vmwareLog) rotate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
	l.loaded, l.linked = false, false
}

// changed makes what an ESXi host's Mux does known to the logs of its guests.
func (h *host) changed() {
	for _, g := range h.residents() {
		g.changed()
	}
}
