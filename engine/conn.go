package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Transport opens connections of one type.
type Transport interface {
	// Settings returns a pointer to a fresh settings struct with its defaults. Its exported fields with
	// hcl and doc tags are the arguments of a connection block; the inventory decodes into it.
	Settings() any
	// Open connects to h, whose Connection.Settings came from Settings. Every stage (name, dial,
	// handshake, authentication) has a deadline. A failure is an *Error with Unreachable set.
	Open(ctx context.Context, h *Host) (Conn, error)
}

// Conn is an open connection to a host. It is safe for use by several goroutines.
// What else it can do it says by implementing Shell or API.
type Conn interface {
	// Identity is what the host proved to be: "ssh ssh-ed25519 SHA256:…", "tls sha256:… CN", or "none".
	Identity() string
	// Close frees everything, here and on the host. It returns in bounded time even when the host is gone.
	Close() error
}

// Process is one command line for a shell connection.
type Process struct {
	// Line is the exact text for the shell of the host: the login shell over ssh, /bin/sh for local, cmd.exe over winrm.
	Line           string
	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer // nil: thrown away
	// TTY asks for a terminal, without echo and without any change of bytes; everything comes on Stdout, and the end of Stdin
	// is not told. Only for a shell that implements Terminals.
	TTY bool
}

// Terminals is implemented by shells that can give a process a terminal.
type Terminals interface{ Terminals() }

// Observable is a connection that can tell what goes over it where a command line does not say it: an API's requests.
type Observable interface {
	// Observe makes the connection call told with every request, as "GET /api/computers" or "POST /sdk PowerOnVM_Task", before
	// it is sent, from any goroutine. A later call replaces an earlier one.
	Observe(told func(request string))
}

// ErrNotRun is wrapped by an error of Exec after which nothing was executed: the connection had broken before.
// Such a command may be repeated on a new connection whatever it does.
var ErrNotRun = errors.New("nothing was run")

// Survivors are the ids of processes on the host that Exec was to kill and that its user may not kill (sudo started
// them). An error with Orphan may wrap them, so that someone with more rights can finish.
type Survivors []int

func (s Survivors) Error() string { return fmt.Sprintf("processes %v could not be killed", []int(s)) }

// Shell is a connection that runs command lines.
type Shell interface {
	Conn
	// Exec runs p and waits. With a nil error the code is the exit code, whatever its value.
	// When ctx ends, the process is killed on the host too; the error is then KindTimeout (deadline) or
	// wraps context.Canceled, and says with Orphan when the death could not be confirmed.
	// A connection that breaks meanwhile gives KindLost, and Orphan unless it is known that nothing runs any more. No error leaves a goroutine behind.
	Exec(ctx context.Context, p Process) (code int, err error)
	// Family is "posix" or "windows" when the transport knows it, else "".
	Family() string
}

// Encoded is a shell connection to a Windows whose programs may write another code page than UTF-8.
type Encoded interface {
	// Encoding is the code page of output and standard input: "utf-8", "cp932", "cp1252" …
	Encoding() string
}

// API is a connection to a host that speaks HTTPS: a vCenter, a DSM, an NSX manager.
// Modules take sessions, TLS and retries from here, never of their own.
type API interface {
	Conn
	Kind() string       // "vsphere", "dsm", "nsx", "nsxt" or "" as the inventory says
	Endpoint() *url.URL // scheme, host and port
	// HTTP gives a client with TLS verified as the inventory says and a deadline on every request;
	// it repeats GET on 429 and 503 with backoff. Errors are *Error.
	HTTP() *http.Client
	Login() (user string, secret Secret)
	// Key is an API key, which is preferred to the login where the host takes one; zero: none.
	Key() Secret
	// Tenant is the tenant to which the login belongs; empty: the host has none, or the first one.
	Tenant() string
	// Session returns what open made under this name for this connection; open runs at most once at a time,
	// and again after Forget. The returned close runs when the connection closes.
	Session(ctx context.Context, name string, open func(context.Context) (session any, close func(context.Context) error, err error)) (any, error)
	// Forget drops a session that the other side has ended, so that the next Session opens a new one.
	Forget(name string)
}
