package guest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

const (
	// parallel is how many commands run at once in a guest; more wait. VMware Tools do one operation after the other.
	parallel = 5
	// cleanup is how long one attempt to remove what is left, or to tell who lives, may take.
	cleanup = 5 * time.Second
)

// conn is one guest.
type conn struct {
	*center
	managers
	machine
	login *types.NamePasswordAuthentication
	tools time.Duration // how long Tools may be away
	files *transfers
	dir   string // in the guest, for the temporary files of this connection
	watch *watcher

	slots   chan struct{}
	base    context.Context // without deadline, for what has to be done after the caller's has ended
	closing context.Context
	stop    context.CancelCauseFunc
	running sync.WaitGroup

	mu      sync.Mutex
	last    int    // number of the last command
	orphans []*run // were to be killed, and are not known to be dead
	closed  bool
}

func open(ctx context.Context, h *engine.Host, s *Settings, p parsed, api engine.API) (*conn, error) {
	c := &conn{
		center: &center{api: api, host: h.Name, vc: s.VCenter, patient: p.answer, pause: p.poll}, tools: p.tools,
		login: &types.NamePasswordAuthentication{Username: s.User, Password: s.Password.Reveal()},
		slots: make(chan struct{}, parallel), base: context.WithoutCancel(ctx),
	}
	c.closing, c.stop = context.WithCancelCause(c.base)
	err := c.begin(ctx, h, s, p)
	if err != nil {
		c.stop(errClosed)
		return nil, unreachable(err)
	}
	c.watch = newWatcher(c)
	return c, nil
}

// unreachable says of an error of Open that nothing was executed.
func unreachable(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) || e.Unreachable {
		return err
	}
	copied := *e
	copied.Unreachable = true
	return &copied
}

// begin tells its stages: which machine, whose account, where its files are.
func (c *conn) begin(ctx context.Context, h *engine.Host, s *Settings, p parsed) (err error) {
	if c.managers, err = c.center.managers(engine.WithoutStages(ctx)); err != nil {
		return err
	}
	end := engine.BeginStage(ctx, engine.StageLookup)
	quiet := engine.WithoutStages(ctx) // the vCenter's connection is not this one
	ref, err := c.find(quiet, want(h, s))
	if err == nil {
		c.machine, err = c.look(quiet, ref, s.OS)
	}
	end(engine.Stage{Detail: c.machine.name + " " + ref.Value, Err: err})
	if err != nil {
		return err
	}
	if c.files, err = c.openTransfers(quiet, s, p); err != nil {
		return err
	}
	end = engine.BeginStage(ctx, engine.StageLogin)
	err = c.tryLogin(quiet, c.managers, c.ref, c.login)
	end(engine.Stage{Detail: c.login.Username + " in the guest, by VMware Tools", Err: err})
	if err != nil {
		return err
	}
	end = engine.BeginStage(ctx, engine.StageShell)
	c.dir, err = c.place(quiet)
	end(engine.Stage{Detail: c.dir, Err: err})
	return err
}

// place makes the directory of this connection and hands a file over to it: that the ESXi host cannot be reached, or has
// an unknown certificate, must not show when a command has run and its output cannot be fetched.
func (c *conn) place(ctx context.Context) (dir string, err error) {
	if dir, err = c.temporary(ctx); err != nil {
		return "", err
	}
	c.dir = dir
	text := "temporary files of dsplay\n"
	if err = c.files.write(ctx, c, c.path("about"), strings.NewReader(text), int64(len(text))); err != nil {
		ctx, cancel := context.WithTimeout(c.base, cleanup)
		defer cancel()
		_ = c.remove(ctx, dir) // err is what has to be told
	}
	return dir, err
}

// temporary makes the directory of this connection, which nobody but the account may read (mode 0700, or in the
// account's own folder).
func (c *conn) temporary(ctx context.Context) (dir string, err error) {
	err = c.do(ctx, "make a temporary directory in the guest", func(ctx context.Context, v *vim25.Client) error {
		r, err := methods.CreateTemporaryDirectoryInGuest(ctx, v, &types.CreateTemporaryDirectoryInGuest{This: c.file, Vm: c.ref, Auth: c.login, Prefix: "dsplay-"})
		if err == nil {
			dir = r.Returnval
		}
		return err
	})
	return dir, err
}

// Identity is the BIOS UUID of the machine, and what the vCenter proved to be: there is nothing else by which a guest
// could prove itself over this way.
func (c *conn) Identity() string {
	return "guest vm " + c.bios + " via " + c.api.Identity()
}

func (c *conn) Family() string {
	if c.windows {
		return "windows"
	}
	return "posix"
}

// path is a file or directory in the directory of this connection.
func (c *conn) path(parts ...string) string {
	separator := "/"
	if c.windows {
		separator = `\`
	}
	return c.dir + separator + strings.Join(parts, separator)
}

// Close ends what still runs, tries once more to end what could not be killed, and removes the temporary files; what
// could not be removed is in the error.
func (c *conn) Close() error {
	c.mu.Lock()
	already := c.closed
	c.closed = true
	c.mu.Unlock()
	if already {
		return nil
	}
	c.stop(errClosed)
	c.running.Wait()
	var orphans sync.WaitGroup
	for _, r := range c.orphans {
		orphans.Go(func() { _, _ = r.abandon() }) // its error was told
	}
	orphans.Wait()
	c.watch.close()
	ctx, cancel := context.WithTimeout(c.base, cleanup)
	defer cancel()
	if err := c.remove(ctx, c.dir); err != nil {
		return &engine.Error{Kind: engine.KindOf(err), Host: c.host, Op: "remove temporary files in the guest", Msg: c.dir + " is left there", Err: err}
	}
	return nil
}

// remove removes a directory with everything in it; one that is gone is no failure.
func (c *conn) remove(ctx context.Context, dir string) error {
	err := c.do(ctx, "remove "+dir, func(ctx context.Context, v *vim25.Client) error {
		_, err := methods.DeleteDirectoryInGuest(ctx, v, &types.DeleteDirectoryInGuest{This: c.file, Vm: c.ref, Auth: c.login, DirectoryPath: dir, Recursive: true})
		return err
	})
	if isFault(err, &types.FileNotFound{}) {
		return nil
	}
	return err
}

func (c *conn) makeDir(ctx context.Context, dir string) error {
	return c.do(ctx, "make "+dir, func(ctx context.Context, v *vim25.Client) error {
		_, err := methods.MakeDirectoryInGuest(ctx, v, &types.MakeDirectoryInGuest{This: c.file, Vm: c.ref, Auth: c.login, DirectoryPath: dir, CreateParentDirectories: true})
		return err
	})
}

// admit counts a command in and numbers it.
func (c *conn) admit() (number int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, errClosed
	}
	c.running.Add(1)
	c.last++
	return c.last, nil
}
