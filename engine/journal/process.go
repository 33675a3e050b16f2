package journal

import (
	"fmt"
	"os"
	"time"
)

// Process tells one process from every other one, of this and of other machines, before and after a boot.
type Process struct {
	PID   int    `json:"pid"`
	Start string `json:"start,omitempty"` // when it began, in the kernel's own count; empty: the system does not tell
	Boot  string `json:"boot,omitempty"`  // of the machine; empty: the system does not tell
	Host  string `json:"host"`
	User  string `json:"user"`
	// Uptime is how long the machine had been running, sleep included; 0: the system does not tell. It shows whether the
	// clock was changed while the machine ran.
	Uptime time.Duration `json:"uptime,omitempty"`
}

// This is the process that asks, for a user of that name.
func This(user string) Process {
	host, _ := os.Hostname() // a machine without a name has processes, too
	return Process{PID: os.Getpid(), Start: startOf(os.Getpid()), Boot: bootID(), Host: host, User: user, Uptime: uptime()}
}

// Lives tells whether the process still runs. On another machine nobody can tell: then it is an error.
func (p Process) Lives() (bool, error) {
	host, _ := os.Hostname()
	switch {
	case p.Boot != "" && p.Boot == bootID() && p.Start != "": // whatever the machine is called now
		return startOf(p.PID) == p.Start, nil
	case p.Host != host:
		return false, fmt.Errorf("process %d of %s may still run: this is %s, which cannot tell", p.PID, p.Host, host)
	case p.Boot != "" && bootID() != "" && p.Boot != bootID():
		return false, nil
	}
	return exists(p.PID), nil
}

func (p Process) String() string { return fmt.Sprintf("process %d of %s on %s", p.PID, p.User, p.Host) }

// Skew is by how much the clock of this machine was changed since a process noted its time and uptime; false: nobody can tell,
// because the machine was booted meanwhile, or does not tell.
func (p Process) Skew(noted, now time.Time) (time.Duration, bool) {
	up := uptime()
	if p.Uptime == 0 || up == 0 || p.Boot == "" || p.Boot != bootID() {
		return 0, false
	}
	return now.Round(0).Sub(noted.Round(0)) - (up - p.Uptime), true
}
