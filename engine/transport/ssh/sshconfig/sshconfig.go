// Package sshconfig knows OpenSSH's ssh_config: it reads the files, and says what they say about a host, as ssh -G would.
// The authority is readconf.c of OpenSSH 9.2 to 9.9; what the file says and dsplay does not do is told by notices.
package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// File is one configuration: the files of a Load, with what they include. It is safe for use by several goroutines.
// Each file is read once; what changes on the disk afterwards is not seen.
type File struct {
	roots []root
	home  string
	exec  func(ctx context.Context, line string) (bool, error) // runs the command of a Match exec

	mu    sync.Mutex
	read  map[string]*text    // by path
	globs map[string][]string // by pattern
}

type root struct {
	path string
	user bool // what it includes is looked for in ~/.ssh, not in /etc/ssh
}

// UserFile is ~/.ssh/config, and SystemFile the one that ssh reads after it.
func UserFile(home string) string { return filepath.Join(home, ".ssh", "config") }

// SystemFile is the configuration for everybody on this machine.
func SystemFile() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "ssh", "ssh_config")
	}
	return "/etc/ssh/ssh_config"
}

// Load reads files, of which the first that says a thing counts. As for ssh -F a file that is not there is an error;
// ~/.ssh/config is followed by the system's file, and both need not be there. A ~ stands for home.
//
// Errors name file and line: what cannot be read or split, a file that others may write.
func Load(home string, files ...string) (*File, error) {
	f := &File{home: home, exec: succeeds, read: map[string]*text{}, globs: map[string][]string{}}
	for _, name := range files {
		path := tilde(name, home)
		own := path == UserFile(home)
		if _, err := f.text(path, own); err != nil && (!own || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
		f.roots = append(f.roots, root{path, true})
		if own {
			f.roots = append(f.roots, root{SystemFile(), false})
		}
	}
	return f, nil
}

// Query is for whom a configuration is asked.
type Query struct {
	Host string // as one would type it after ssh
	User string // what is known before the file is asked, as by ssh -l; empty: nothing
	Port int    // as by ssh -p; 0: nothing
	Tag  string // as by ssh -P

	LocalUser string // who asks; empty: who runs this
	LocalHost string // empty: the name of this machine

	NoExec bool // run no command: where one would be run the error is ErrExec
}

// ErrExec says that a Match exec would have to run a command.
var ErrExec = errors.New("a command would have to be run")

// Place is a line of a file.
type Place struct {
	File string
	Line int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Notice says that something in the file has no effect.
type Notice struct {
	Place
	Directive string // "ControlMaster"
	Text      string // why, and what holds instead
}

func (n Notice) String() string { return fmt.Sprintf("%s: %s %s", n.Place, n.Directive, n.Text) }

// Taken is a directive that holds.
type Taken struct {
	Place
	Directive, Value string // "IdentityFile", as it is written; a HostName as it came out
}

func (t Taken) String() string { return fmt.Sprintf("%s: %s %s", t.Place, t.Directive, t.Value) }

// Hop is one host on the way.
type Hop struct {
	User, Host string
	Port       int // 0: nothing is said
}

// Options are what the files say about a host, tokens, variables and ~ replaced. A zero value means that they say nothing.
type Options struct {
	HostName         string // what to connect to; never empty
	User             string
	Port             int
	IdentityFiles    []string
	CertificateFiles []string
	IdentitiesOnly   bool
	IdentityAgent    string   // a socket, or "none"
	UserKnownHosts   []string // nil: nothing is said; empty: there is none
	GlobalKnownHosts []string // likewise
	HostKeyAlias     string
	RevokedHostKeys  string // a file
	HashKnownHosts   bool

	StrictHostKeyChecking string // "yes", "accept-new", "ask" or "no"
	ConnectTimeout        int    // seconds
	ServerAliveInterval   int    // seconds
	RequiredRSASize       int    // bits of an RSA key of the host
	BindAddress           string
	AddressFamily         string // "inet" or "inet6"

	Jump         []Hop  // in the order of travel
	ProxyCommand string // for a shell

	// Lists as they are written, "+", "-" or "^" in front of what is added to, taken from or preferred in the defaults.
	HostKeyAlgorithms, PubkeyAcceptedAlgorithms, KexAlgorithms, Ciphers, MACs string

	Taken []Taken
}

// Resolve says what holds for a host, and what of the files has no effect. Match exec runs its commands, as ssh does, one
// after the other, until ctx ends. An error names file and line.
func (f *File) Resolve(ctx context.Context, q Query) (Options, []Notice, error) {
	s, err := f.state(ctx, q)
	if err != nil {
		return Options{}, nil, err
	}
	o, err := s.options()
	return o, s.notices, err
}

// state reads the files for q: once, and, where one of them says Match final, again for the name that came out.
func (f *File) state(ctx context.Context, q Query) (*state, error) {
	s, err := newState(f, q)
	if err != nil {
		return nil, err
	}
	if err := s.pass(ctx); err != nil {
		return nil, err
	}
	if s.host, err = s.hostname(); err != nil {
		return nil, err
	}
	if s.wantFinal {
		s.final = true
		s.values["hostname"] = value{args: []string{s.host}, place: s.values["hostname"].place, raw: s.values["hostname"].raw}
		err = s.pass(ctx)
	}
	return s, err
}
