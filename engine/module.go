package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"
)

// Module is one entry of the catalogue: what a probe or a step of this type does.
//
// New returns a pointer to a struct whose exported fields are the arguments, with defaults set, tagged
//
//	hcl:"name" or hcl:"name,optional"   as gohcl reads them
//	doc:"…"                             one sentence for dsplay doc
//	plain:"shown"                       a Secret that most often is none: plans show a text that nobody declared secret
//	executed:"true"                     it ends in a command, a path, a name or a request: never unknown in a plan, never a secret
//	oneof:"started stopped"             the values that are allowed
//
// The struct implements Prober, or Checker and Applier, or all three. An instance serves one execution
// (Check, Apply, Prove, Check) of one entry on one host, and may keep unexported state meanwhile.
type Module struct {
	Name string
	Doc  string // first a sentence, then what a user has to know; plain text
	New  func() any
	// Result is a zero value of the result struct (fields with hcl and doc tags as above).
	// A pointer field may be null; everything else always has a value.
	Result any
	// Targets are the platforms on which it works (posix, esxi, windows) or the kinds of API (vsphere, dsm).
	Targets []string
}

// Platform is what a shell connection ends at.
type Platform string

// The platforms that modules tell apart.
const (
	POSIX   Platform = "posix"
	ESXi    Platform = "esxi"
	Windows Platform = "windows"
)

// Effect is something that an approver wants to know of a step before it runs.
type Effect string

// Effects that are counted in a plan's worst case and that a policy can deny.
const (
	EffectRestart  Effect = "restart"
	EffectStop     Effect = "stop" // of a service, which is not started again
	EffectReboot   Effect = "reboot"
	EffectNetwork  Effect = "network_loss"
	EffectWeakens  Effect = "weakens_security"
	EffectPower    Effect = "power"
	EffectSoftware Effect = "software"
)

// Prober looks and changes nothing. Its result is total: "do not know" is a value, not an error.
type Prober interface {
	Probe(ctx context.Context, host Reader) (result any, err error)
}

// Checker predicts what Apply would do, without doing it.
type Checker interface {
	Check(ctx context.Context, host Reader) (Diff, error)
}

// Applier makes the difference true, using only what Check announced in Diff.Commands.
type Applier interface {
	Apply(ctx context.Context, host Machine, diff Diff) (result any, err error)
}

// Prover shows that an act (Diff.Act) really happened after since: the process or the boot is younger.
// since is in the controller's clock; a new instance must be able to prove what an interrupted one did.
// An error of KindCheck says that it has not happened, unless it wraps ErrUnprovable: then the host does not tell.
type Prover interface {
	Prove(ctx context.Context, host Reader, since time.Time) error
}

// Effecter tells the effects that this module has with the arguments that it was given.
type Effecter interface{ Effects() []Effect }

// Validator refuses arguments that are wrong whatever the host, with a BadArg.
type Validator interface{ Validate() error }

// Sourced is a module that reads files of this machine. Beside is called before Validate, with the folder of the playbook:
// relative paths start there, as those of the function file do.
type Sourced interface{ Beside(dir string) }

// BadArg is an argument that a module does not accept; the engine places it at file:line:col.
type BadArg struct{ Arg, Problem string }

func (b BadArg) Error() string { return b.Arg + " " + b.Problem }

// DurationArg reads an argument that is a length of time, as "30s": longer than nothing, else the error is a BadArg.
func DurationArg(arg, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, BadArg{Arg: arg, Problem: `must be a duration such as "30s", not ` + strconv.Quote(text)}
	}
	return d, nil
}

// Diff is what a step would do on one host. It is stable: asked twice in the same world it is the same.
type Diff struct {
	Changes []Change `json:"changes,omitempty"`
	// Act describes something done whatever the state ("restart ds_agent"); it is proven, not compared.
	Act string `json:"act,omitempty"`
	// Opaque marks a command whose effect nobody can predict; its step ends as "ran".
	Opaque bool `json:"opaque,omitempty"`
	// Commands are the exact command lines (from Reader.Line) and requests ("POST /api/…", "PowerOnVM_Task vm-17")
	// that Apply may use. The engine refuses a command line that is not among them. A diff that is empty may have some: what
	// Apply would use if an entry before it, which has not run yet, makes it necessary (a step that undoes another).
	Commands []string `json:"commands,omitempty"`
	// Note says why there is nothing to do, or what an approver has to know besides.
	Note string `json:"note,omitempty"`
}

// Change is one difference, in words.
type Change struct {
	What   string `json:"what"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Empty tells whether there is nothing to do.
func (d Diff) Empty() bool { return len(d.Changes) == 0 && d.Act == "" && !d.Opaque }

// Announces is an error where a request to an API is not among Commands: then it is not to be sent. The engine judges command
// lines by itself; of requests it sees nothing, so each Apply asks this before it sends one.
func (d Diff) Announces(host, request string) error {
	if slices.Contains(d.Commands, request) {
		return nil
	}
	return &Error{Kind: KindModule, Host: host, Op: request, Msg: "the plan does not say so; it was not sent", Hint: "plan anew: what it is about has changed meanwhile"}
}

// Command is a command for a shell connection: Argv, which the engine quotes for the platform, Shell, which goes to the
// platform's shell (sh, cmd.exe) as it is, or PowerShell, a script for Windows. Exactly one of the three is set.
type Command struct {
	Argv  []string
	Shell string
	Stdin Secret            // sent on standard input; not part of the command line, so a secret may travel here
	Env   map[string]string // in the command line: never a secret
	Dir   string
	// PowerShell stops at the first error that it does not catch, with the code 1; else its code is what exit says, or that
	// of the last program that it ran. It finds Stdin in $input, line by line.
	PowerShell string
	// Params are for the param block of PowerShell, by name. They travel on standard input: a secret may be one.
	Params map[string]Secret
	// OK are the exit codes that are no failure; nil means only 0. A nil error of Run and Do
	// therefore means that Output.Code is among them.
	OK     []int
	AnyOK  bool // no exit code is a failure
	NoSudo bool // run as the connection's user although the entry says sudo
}

// Output is what a command gave. Both streams are as the host sent them, decoded to UTF-8 on Windows.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Reader is a host as a probe or a check sees it. What it runs must change nothing: that is the author's
// promise, the engine cannot enforce it. A connection that broke is opened anew by the next call.
type Reader interface {
	// Name is the host's name in the inventory, for messages.
	Name() string
	Platform(ctx context.Context) (Platform, error)
	// Run executes a command that changes nothing. An exit code that is not fine is an *Error of KindExit.
	Run(ctx context.Context, c Command) (Output, error)
	// Line is the exact command line that Run and Do send for c, sudo included: what a plan shows.
	Line(ctx context.Context, c Command) (string, error)
	// ReadFile returns a whole file, at most 1 MiB; a missing one is fs.ErrNotExist.
	ReadFile(ctx context.Context, path string) ([]byte, error)
	// Stat tells how a path is on the host; what does not exist is no error. The path must be absolute.
	Stat(ctx context.Context, path string) (FileInfo, error)
	// Get copies a file of any size from the host to w, and fails when what came is not what the host says it has
	// (FileInfo.SHA256); what was written to w then is worth nothing. A missing file is fs.ErrNotExist.
	Get(ctx context.Context, path string, w io.Writer) (FileInfo, error)
	// PutLines are the lines that Put needs for u among the Commands of the diff: u.String(), then the exact command lines.
	PutLines(ctx context.Context, u Upload) ([]string, error)
	// Once returns what f returned for key on this connection in this pass; f runs once, the others wait for it.
	Once(ctx context.Context, key string, f func(context.Context) (any, error)) (any, error)
	// API is the connection of an API host; an error of KindModule when the host is none.
	API(ctx context.Context) (API, error)
}

// Machine is a host as Apply sees it.
type Machine interface {
	Reader
	// Do executes a command that may change something. Its line must be among the Commands of the diff.
	Do(ctx context.Context, c Command) (Output, error)
	// Put writes a file under a temporary name, compares SHA-256, and moves it to its place in one step, so that nothing
	// half-written is ever seen there. Its PutLines must be among the Commands of the diff. When it fails the old file is
	// untouched, unless the error is KindLost. Errors wrap fs.ErrNotExist (no such folder), fs.ErrPermission, syscall.ENOSPC,
	// syscall.EROFS or ErrValidate where that is the cause.
	Put(ctx context.Context, u Upload) error
}

// ErrUnprovable is wrapped by an error of Prove when the host has nothing that tells whether the act happened. The words are
// those of the error around it.
var ErrUnprovable = errors.New("")

// ErrValidate is wrapped by an error of Put when the command that looks at the new file did not like it.
var ErrValidate = errors.New("the new file is not valid")
