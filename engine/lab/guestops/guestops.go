// Package guestops is what VMware Tools do inside of virtual machines for who asks through a vCenter: they check an
// account of the guest, run programs, tell of processes, and hand files over.
//
// Where the facts come from: methods, faults and the five minutes for which an ended program is remembered are those of
// the vSphere Web Services API (GuestProcessManager, GuestFileManager). That the command line is the quoted program, a
// blank and the arguments, which Linux hands to bash -c; that Tools look once a second whether a program has ended; that
// a program killed by a signal has the code -1; that a temporary directory has the mode 0700 and "vmware" in its name;
// and that a request has at most 64 KiB: open-vm-tools 13.1, vixTools.c and procMgrPosix.c.
// That a URL for a file is good for one transfer and ten minutes: the API's documents.
package guestops

import (
	"errors"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine/lab/clock"
)

// Families of guests, as guest.guestFamily has them.
const (
	Windows = string(types.VirtualMachineGuestOsFamilyWindowsGuest)
	Linux   = string(types.VirtualMachineGuestOsFamilyLinuxGuest)
)

// ErrDenied says that the user may not; other errors of a System are those of io/fs.
var ErrDenied = errors.New("permission denied in the guest")

// Program is one that is to be started.
type Program struct {
	Path, Arguments, Dir string
	Env                  []string // nil: the user's own
}

// Process is one that runs.
type Process struct {
	PID                  int64
	Name, Owner, Command string
	Start                time.Time
}

// File is an entry of a directory.
type File struct {
	Path string // absolute
	Dir  bool
	Size int64
}

// System is the operating system in a guest. Paths are absolute, in its own notation. It is safe for use by several
// goroutines.
type System interface {
	Family() string
	// Boot is another value after each boot; nil while it is down.
	Boot() any
	// Start starts a program; ended is called once, from another goroutine, with its exit code. It is not called for a
	// program that ends with its system.
	Start(user string, p Program, ended func(code int32)) (pid int64, err error)
	// Kill ends one process and nothing that it has started.
	Kill(user string, pid int64) error
	Processes() []Process
	// Temporary makes an empty file, or a directory, that nobody else may read, in dir; "" is the user's own place.
	Temporary(user, dir, prefix, suffix string, folder bool) (path string, err error)
	// Scratch tells whether a path is a temporary one, or below it: writing there changes nothing of the system.
	Scratch(path string) bool
	List(path string) ([]File, error) // of a directory, without itself; of a file, itself
	Read(path string) ([]byte, error)
	Write(path string, data []byte, overwrite bool) error
	MakeDir(path string, parents bool) error
	Remove(path string) error    // a file
	RemoveAll(path string) error // a directory
	Move(from, to string, overwrite bool) error
}

// Guest is a machine as Tools see it.
type Guest struct {
	System System
	// Password gives the password of an account; ok is false when there is none.
	Password func(user string) (password string, ok bool)
	// Lockout is how many wrong passwords in a row lock an account for good; 0: never.
	Lockout int
	// Record is told of what was done, when it is done: programs by their command lines. May be nil.
	Record func(user, text string, mutates bool)

	mu      sync.Mutex
	wrong   map[string]int // by account
	boot    any
	records map[int64]*record
}

// Wrong is how many logins were refused for a wrong password since the last right one.
func (g *Guest) Wrong(user string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wrong[user]
}

// Config is what the operations are made of.
type Config struct {
	Clock clock.Clock
	// Guest finds the inside of a machine, or says with a fault why nobody can get there: it is off, Tools do not run.
	Guest func(ctx *simulator.Context, vm types.ManagedObjectReference) (*Guest, types.BaseMethodFault)
	// Before may refuse any operation ("StartProgramInGuest") with a fault. May be nil.
	Before func(method string, vm types.ManagedObjectReference) types.BaseMethodFault
	// Transfer is host, or host:port, in the URLs of files; "" is "*": the one who was asked.
	Transfer string
}

// Tools are the guest operations of one vCenter. They serve the URLs of files as an http.Handler.
type Tools struct {
	cfg Config

	mu        sync.Mutex
	last      int
	transfers map[string]*transfer
}

// New makes the operations.
func New(cfg Config) *Tools { return &Tools{cfg: cfg, transfers: map[string]*transfer{}} }

// Register puts the managers into the place of the simulator's own.
func (t *Tools) Register(registry *simulator.Registry) error {
	content, ok := registry.Get(*vim).(*simulator.ServiceInstance)
	if !ok || content.Content.GuestOperationsManager == nil {
		return errors.New("this simulator has no guest operations")
	}
	m, ok := registry.Get(*content.Content.GuestOperationsManager).(*simulator.GuestOperationsManager)
	if !ok || m.ProcessManager == nil || m.FileManager == nil {
		return errors.New("the simulator's guest operations are not what they were")
	}
	auth := types.ManagedObjectReference{Type: "GuestAuthManager", Value: "guestOperationsAuthManager"}
	m.AuthManager = &auth
	process, file, authentication := &processManager{tools: t}, &fileManager{tools: t}, &authManager{tools: t}
	process.Self, file.Self, authentication.Self = *m.ProcessManager, *m.FileManager, auth
	registry.Put(process)
	registry.Put(file)
	registry.Put(authentication)
	return nil
}

var vim = &types.ManagedObjectReference{Type: "ServiceInstance", Value: "ServiceInstance"}

// seat is an operation that was let in: whose, and where.
type seat struct {
	*Guest
	user string
}

// enter checks everything that is the same for all operations.
func (t *Tools) enter(ctx *simulator.Context, method string, vm types.ManagedObjectReference, auth types.BaseGuestAuthentication) (seat, types.BaseMethodFault) {
	if t.cfg.Before != nil {
		if fault := t.cfg.Before(method, vm); fault != nil {
			return seat{}, fault
		}
	}
	g, fault := t.cfg.Guest(ctx, vm)
	if fault != nil {
		return seat{}, fault
	}
	boot := g.System.Boot()
	if boot == nil {
		return seat{}, new(types.GuestOperationsUnavailable)
	}
	name, ok := auth.(*types.NamePasswordAuthentication)
	if !ok || !g.login(name.Username, name.Password) {
		return seat{}, new(types.InvalidGuestLogin)
	}
	g.rebooted(boot)
	return seat{g, name.Username}, nil
}

func (g *Guest) login(user, password string) bool {
	right, known := g.Password(user)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wrong == nil {
		g.wrong = map[string]int{}
	}
	if !known || g.Lockout > 0 && g.wrong[user] >= g.Lockout || right != password {
		g.wrong[user]++
		return false
	}
	g.wrong[user] = 0
	return true
}

// rebooted forgets the programs of a system that is not there any more.
func (g *Guest) rebooted(boot any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.boot != boot || g.records == nil {
		g.boot, g.records = boot, map[int64]*record{}
	}
}

func (g *Guest) record(user, text string, mutates bool) {
	if g.Record != nil {
		g.Record(user, text, mutates)
	}
}
