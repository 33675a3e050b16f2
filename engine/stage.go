package engine

import (
	"context"
	"time"
)

// The stages of opening a connection, in the order in which they come. A jump host is StageJump, a space and its name;
// the stages of its own connection are not told.
const (
	StageLookup    = "lookup"    // name → addresses
	StageTCP       = "tcp"       // the address that answered
	StageProxy     = "proxy"     // the proxy made the way to the host
	StageJump      = "jump"      // a jump host made the way to the host
	StageCommand   = "command"   // a ProxyCommand was started
	StageTLS       = "tls"       // version and cipher suite; whose certificate
	StageHandshake = "handshake" // SSH: the server's version and the algorithms that were agreed on
	StageHostKey   = "hostkey"   // SSH: the key that was accepted, and why
	StageLogin     = "login"     // the method that worked, and who one is then
	StageShell     = "shell"     // a remote shell was made
	StagePlatform  = "platform"  // what answers in the shell
	StageSession   = "session"   // an API took the login, and which API that is
)

// Stage is one part of opening a connection: for a person who asks what works and what takes so long.
// It never holds a secret.
type Stage struct {
	Name    string    // one of the names above
	Detail  string    // what was found or agreed on; for a stage that failed: nothing, Err says it
	Offered []string  // what the other side offered to choose from (ways to log in), as it calls them
	Weak    []string  // what is weaker here than it should be, in words: "the certificate is signed with SHA-1"
	Until   time.Time // when what the other side proved itself with ends to be valid; zero: it has no end
	Clock   time.Time // what time it was there; zero: it did not say
	Began   time.Time
	Took    time.Duration
	Err     error // not nil: it failed here
}

type stagesKey struct{}

// WithStages makes told hear of the stages of connections that are opened with the context, as each ends. It is called
// from any goroutine, and must not wait.
func WithStages(ctx context.Context, told func(Stage)) context.Context {
	return context.WithValue(ctx, stagesKey{}, told)
}

// WithoutStages keeps stages from who listens: those of a connection that is part of another one.
func WithoutStages(ctx context.Context) context.Context {
	if !HearsStages(ctx) {
		return ctx
	}
	return context.WithValue(ctx, stagesKey{}, (func(Stage))(nil))
}

// HearsStages tells whether somebody listens, so that what is costly to find out need not be.
func HearsStages(ctx context.Context) bool {
	told, _ := ctx.Value(stagesKey{}).(func(Stage))
	return told != nil
}

// BeginStage starts the clock of a stage. The function that it returns ends the stage and tells of it; Name, Began and
// Took need not be given. When nobody listens it does nothing.
//
//	end := engine.BeginStage(ctx, engine.StageTCP)
//	conn, err := dial(ctx, address)
//	end(engine.Stage{Detail: address, Err: err})
func BeginStage(ctx context.Context, name string) (end func(Stage)) {
	told, _ := ctx.Value(stagesKey{}).(func(Stage))
	if told == nil {
		return func(Stage) {}
	}
	began := time.Now()
	return func(s Stage) {
		if s.Name == "" {
			s.Name = name
		}
		if s.Began.IsZero() {
			s.Began = began
		}
		if s.Took == 0 {
			s.Took = time.Since(s.Began)
		}
		told(s)
	}
}
