package ping

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
	"github.com/dsplay/dsplay/engine/api/nsx"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/engine/machine"
)

// Stages of ping's own, after those of the connection.
const (
	stageRun   = "run"   // true, or on Windows ver: what the shell costs
	stageClock = "clock" // date
	stageSudo  = "sudo"  // true by sudo
)

// patience is how long one harmless command may take.
const patience = 30 * time.Second

// all tries everything that the connection is good for.
func (l *look) all(ctx context.Context) {
	conn, err := l.options.Pool.Get(ctx, l.host)
	if err != nil {
		status := Failed
		if engine.IsUnreachable(err) {
			status = Unreachable
		}
		l.fail(status, err)
		return
	}
	l.out.Status, l.out.Identity = OK, conn.Identity()
	if l.out.Identity == "none" {
		l.out.Identity = ""
	}
	switch conn := conn.(type) {
	case engine.API:
		l.api(ctx, conn)
	case engine.Shell:
		l.shell(ctx)
	}
}

// step does one thing as a stage; false: it failed, and that is noted.
func (l *look) step(ctx context.Context, name string, do func() (engine.Stage, error)) bool {
	end := engine.BeginStage(ctx, name)
	s, err := do()
	s.Err = err
	end(s)
	if err != nil {
		status := Failed
		if engine.IsUnreachable(err) {
			status = Unreachable
		}
		l.fail(status, err)
	}
	return err == nil
}

func (l *look) shell(ctx context.Context) {
	memo := machine.NewMemo()
	plain := machine.New(l.options.Pool, l.host, machine.Options{Memo: memo, Timeout: patience})
	var platform engine.Platform
	known := l.step(ctx, engine.StagePlatform, func() (engine.Stage, error) {
		var err error
		platform, err = plain.Platform(ctx)
		return engine.Stage{Detail: string(platform)}, err
	})
	if l.out.Platform = string(platform); !known {
		return
	}
	harmless := engine.Command{Argv: []string{"true"}}
	if platform == engine.Windows {
		harmless = engine.Command{Shell: "ver"}
	}
	ran := l.step(ctx, stageRun, func() (engine.Stage, error) {
		out, err := plain.Run(ctx, harmless)
		l.out.System = strings.TrimSpace(out.Stdout)
		return engine.Stage{Detail: l.out.System}, err
	})
	if !ran {
		return
	}
	if platform != engine.Windows && l.host.Connection.Type != "local" {
		l.clock(ctx, plain)
	}
	if l.host.Sudo != nil {
		l.sudo(ctx, platform, machine.New(l.options.Pool, l.host, machine.Options{Memo: memo, Timeout: patience, Sudo: l.host.Sudo}))
	}
}

// clock asks for the time. A host that has no date is none that does not work.
func (l *look) clock(ctx context.Context, host *machine.Host) {
	end := engine.BeginStage(ctx, stageClock)
	out, err := host.Run(ctx, engine.Command{Argv: []string{"date", "+%s"}})
	seconds, bad := strconv.ParseInt(strings.TrimSpace(out.Stdout), 10, 64)
	if err != nil || bad != nil {
		end(engine.Stage{Detail: "it does not tell the time"})
		return
	}
	there := time.Unix(seconds, 0).Add(time.Second / 2)
	end(engine.Stage{Detail: there.UTC().Format(time.RFC3339), Clock: there})
}

// sudo runs true as the other user.
func (l *look) sudo(ctx context.Context, platform engine.Platform, host *machine.Host) {
	s := &Sudo{User: l.host.Sudo.User, Status: OK}
	if s.User == "" {
		s.User = "root"
	}
	l.out.Sudo = s
	argv := engine.Command{Argv: []string{"true"}}
	if line, err := host.Line(ctx, argv); err == nil && !strings.Contains(line, "sudo") {
		s.Status = NotNeeded
		return
	}
	end := engine.BeginStage(ctx, stageSudo)
	_, err := host.Run(ctx, argv)
	var e *engine.Error
	if errors.As(err, &e) && e.Kind == engine.KindAuth && strings.Contains(e.Msg, "may not run this command") {
		s.Status = Restricted
		end(engine.Stage{Detail: "sudoers allows some commands, and true is none of them"})
		return
	}
	end(engine.Stage{Detail: s.User, Err: err})
	if err != nil {
		s.Status = Failed
		l.fail(Failed, err)
	}
}

func (l *look) api(ctx context.Context, api engine.API) {
	a := &API{Kind: api.Kind(), Login: NotTried}
	l.out.API = a
	user, _ := api.Login()
	switch {
	case !api.Key().IsZero():
		a.Login, l.out.User = OK, "an API key"
	case user != "":
		a.Login, l.out.User = OK, user
	}
	well := l.step(ctx, engine.StageSession, func() (engine.Stage, error) {
		switch {
		case a.Kind == "vsphere":
			about, err := vsphere.Hello(ctx, api)
			a.Version = about.Product
			return engine.Stage{Detail: about.Product, Clock: about.Time}, err
		case a.Kind == "dsm":
			hello, err := dsm.Hello(ctx, api)
			a.Version = strings.TrimSpace(hello.Version + " " + hello.API)
			return engine.Stage{Detail: a.Version, Clock: l.options.Now().Add(hello.Skew)}, err
		case (a.Kind == "nsx" || a.Kind == "nsxt") && user != "":
			hello, err := nsx.Hello(ctx, api)
			a.Version = hello.API
			return engine.Stage{Detail: a.Version, Clock: hello.Time}, err
		}
		a.Login = NotTried // nothing here knows how to log in to it
		return l.front(ctx, api)
	})
	if !well {
		a.Login = Failed
	}
}

// front asks for the front page: whatever it is, an answer shows that HTTP is spoken there.
func (l *look) front(ctx context.Context, api engine.API) (engine.Stage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, api.Endpoint().JoinPath("/").String(), nil)
	if err != nil {
		return engine.Stage{}, err
	}
	response, err := api.HTTP().Do(request)
	if err != nil {
		var e *engine.Error
		if errors.As(err, &e) {
			err = e // without what net/http wraps around it
		}
		return engine.Stage{}, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	_ = response.Body.Close()
	s := engine.Stage{Detail: "GET / " + response.Status}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		s.Clock = date.Add(time.Second / 2)
	}
	return s, nil
}
