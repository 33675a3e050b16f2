package unix

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
)

// machine is what an ESXi host and a DSVA have in common: files, users, processes and commands.
type machine struct {
	name     string
	clock    clock.Clock
	shell    string // how its shell calls itself in messages
	missing  string // what the shell says of an unknown command
	path     string // PATH of users other than root
	rootPath string
	changed  func()
	files    *tree
	commands map[string]command

	mu       sync.Mutex
	rootHome string
	off      chan struct{} // closed when the power goes
	up       bool
	booted   time.Time
	bootID   string
	boots    int
	nextPID  int
	procs    map[int]*process
	others   []string             // daemons that always run
	orphans  []context.CancelFunc // of what sessions left behind in the background
	users    map[string]int       // name → uid
}

// command is a program: it gets a call and returns its exit code.
type command func(ctx context.Context, c *call) int

// call is a program that runs.
type call struct {
	m              *machine
	user           string
	args           []string // without the name
	name           string
	dir            string
	env            map[string]string
	stdin          io.Reader // nil: there is none
	stdout, stderr io.Writer
	pid, parent    int
}

func newMachine(name string, c clock.Clock, changed func()) *machine {
	m := &machine{name: name, clock: c, changed: changed, rootHome: "/root", files: newTree(), commands: map[string]command{}, up: true, boots: 1,
		nextPID: 1200, procs: map[int]*process{}, users: map[string]int{"root": 0}}
	m.boot(time.Now().Add(-9 * 24 * time.Hour))
	return m
}

// install makes commands known under their names in some folders.
func (m *machine) install(run map[string]command, folders ...string) {
	for name, f := range run {
		m.commands[name] = f
		for _, folder := range folders {
			m.files.install(path.Join(folder, name), name)
		}
	}
}

// change runs f under the lock and tells about it.
func (m *machine) change(f func()) {
	func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		f()
	}()
	if m.changed != nil {
		m.changed()
	}
}

func (m *machine) userName(uid int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.users)) {
		if m.users[name] == uid {
			return name
		}
	}
	return fmt.Sprint(uid)
}

func (m *machine) home(user string) string {
	if user == "root" {
		return m.rootHome
	}
	return "/home/" + user
}

// environment is that of a command over SSH: not a login shell.
func (m *machine) environment(user string) map[string]string {
	search := m.path
	if user == "root" {
		search = m.rootPath
	}
	return map[string]string{"HOME": m.home(user), "USER": user, "LOGNAME": user, "SHELL": "/bin/" + m.shell, "PATH": search, "LANG": "C"}
}

// exec runs a line in the login shell of a user.
func (m *machine) exec(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	uid := m.uid(user)
	home := m.home(user)
	if _, err := m.files.get(home, 0); err != nil && home != "/" {
		m.files.put(home+"/.profile", "", 0o644)
		m.files.own(home, uid)
	}
	out, errs := &gate{w: stdout}, &gate{w: stderr}
	defer out.close()
	defer errs.close()
	ctx, leave := m.session(ctx, line)
	defer leave()
	in, closeInput := inlet(ctx, stdin)
	defer closeInput()
	c := &call{m: m, user: user, name: m.shell, dir: home, env: m.environment(user), stdout: out, stderr: errs, parent: 1}
	if in != nil {
		c.stdin = in
	}
	ctx, release, ok := m.begin(ctx, c, []string{m.shell, "-c", line})
	if !ok {
		return 255
	}
	defer release()
	return c.script(ctx, m.shell, line, nil)
}

// session makes a context that ends with ctx, until leave is called: what was put into the background lives on then,
// as long as the machine.
func (m *machine) session(ctx context.Context, line string) (inner context.Context, leave func()) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	return inner, func() {
		stop()
		m.mu.Lock()
		defer m.mu.Unlock()
		if strings.Contains(strings.NewReplacer("&&", "", ">&", "").Replace(line), "&") {
			m.orphans = append(m.orphans, cancel)
		} else {
			cancel()
		}
	}
}
