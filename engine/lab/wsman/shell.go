package wsman

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// shell is a remote shell; mu of the server guards it.
type shell struct {
	id, user   string
	commands   map[string]*command
	operations int // commands that were ever started in it
	pending    int // requests about it that have no answer yet
	idle       time.Duration
	expiry     *time.Timer // it is deleted then
}

// end kills what runs in the shell; the lock is held.
func (sh *shell) end() {
	sh.expiry.Stop()
	for _, c := range sh.commands {
		c.kill()
	}
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// act does what a request asks.
func (s *Server) act(ctx context.Context, user string, e *envelope) *reply {
	if e.Action == nsTransfer+"/Get" && e.ResourceURI == configURI {
		return s.config(user)
	}
	if e.ResourceURI != cmdShell {
		return faultReply(faultSchema)
	}
	defer s.use(e.shellID())()
	acts := map[string]func(context.Context, string, *envelope) (*reply, error){
		nsTransfer + "/Create": s.create, nsTransfer + "/Delete": s.delete,
		nsShell + "/Command": s.command, nsShell + "/Send": s.send, nsShell + "/Receive": s.receive, nsShell + "/Signal": s.signal,
	}
	act, found := acts[e.Action]
	if !found {
		return faultReply(faultAction)
	}
	answer, err := act(ctx, user, e)
	var f fault
	switch {
	case errors.As(err, &f):
		answer = faultReply(f)
	case err != nil:
		answer = faultReply(fault{faultSchema.code, faultSchema.subcode, err.Error()})
	}
	return answer
}

func (s *Server) create(_ context.Context, user string, e *envelope) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	for _, sh := range s.shells {
		if sh.user == user {
			open++
		}
	}
	if open >= s.opts.ShellQuota {
		return nil, faultShells
	}
	sh := &shell{id: newID(), user: user, commands: map[string]*command{}, idle: s.opts.MaxIdle}
	if asked := timeout(e.IdleTimeout); asked > 0 {
		sh.idle = min(sh.idle, asked)
	}
	sh.expiry = time.AfterFunc(sh.idle, func() { s.expire(sh) })
	s.shells[sh.id] = sh
	return ok(nsTransfer+"/CreateResponse", `<x:ResourceCreated><a:Address>`+s.URL()+`</a:Address><a:ReferenceParameters><w:ResourceURI>`+cmdShell+
		`</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">`+sh.id+`</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>`+
		`<rsp:Shell><rsp:ShellId>`+sh.id+`</rsp:ShellId><rsp:ResourceUri>`+cmdShell+`</rsp:ResourceUri><rsp:Owner>`+escape(user)+
		`</rsp:Owner><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>`), nil
}

func (s *Server) delete(_ context.Context, user string, e *envelope) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shell(user, e)
	if err != nil {
		return nil, err
	}
	sh.end()
	delete(s.shells, sh.id)
	return ok(nsTransfer+"/DeleteResponse", ""), nil
}

// shell finds the shell that the request names; the lock is held.
func (s *Server) shell(user string, e *envelope) (*shell, error) {
	sh := s.shells[e.shellID()]
	switch {
	case sh == nil:
		return nil, faultSelectors
	case sh.user != user:
		return nil, faultAccess
	}
	return sh, nil
}

// find finds a command of the shell that the request names.
func (s *Server) find(user string, e *envelope, id string) (*shell, *command, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shell(user, e)
	if err != nil {
		return nil, nil, err
	}
	c := sh.commands[id]
	if c == nil {
		return nil, nil, faultCommand
	}
	return sh, c, nil
}

func (s *Server) command(_ context.Context, user string, e *envelope) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shell(user, e)
	switch {
	case err != nil:
		return nil, err
	case s.ctx.Err() != nil:
		return nil, faultAborted
	case len(sh.commands) >= s.opts.Processes:
		return nil, faultProcesses
	case s.operations(user) >= s.opts.Operations:
		return nil, faultOperations
	}
	c := newCommand(s.ctx)
	sh.operations++
	sh.commands[c.id] = c
	s.running.Go(func() { c.run(s.opts.Handle, user, e.line()) })
	return ok(nsShell+"/CommandResponse", `<rsp:CommandResponse><rsp:CommandId>`+c.id+`</rsp:CommandId></rsp:CommandResponse>`), nil
}

func (s *Server) send(ctx context.Context, user string, e *envelope) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout())
	defer cancel()
	for _, in := range e.Send {
		_, c, err := s.find(user, e, in.CommandID)
		if err != nil {
			return nil, err
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(in.Data))
		if err != nil {
			return nil, err
		}
		if err := c.feed(ctx, data, in.End); err != nil {
			return nil, err
		}
	}
	return ok(nsShell+"/SendResponse", `<rsp:SendResponse/>`), nil
}

// receive waits for output or the end; a reply holds as much as an envelope allows.
func (s *Server) receive(ctx context.Context, user string, e *envelope) (*reply, error) {
	_, c, err := s.find(user, e, e.Receive.CommandID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout())
	defer cancel()
	size := s.opts.MaxEnvelope
	if e.MaxEnvelope > 0 {
		size = min(size, e.MaxEnvelope)
	}
	got, err := c.fetch(ctx, max(1, (size-2500)/4*3)) // base64, and a header of about 2 kB
	if err != nil {
		return nil, err
	}
	return ok(nsShell+"/ReceiveResponse", got.xml(c.id)), nil
}

// signal ends a command, or releases one that has ended. It answers when the process is dead.
func (s *Server) signal(ctx context.Context, user string, e *envelope) (*reply, error) {
	sh, c, err := s.find(user, e, e.Signal.CommandID)
	if err != nil {
		return nil, err
	}
	c.kill()
	ctx, cancel := context.WithTimeout(ctx, min(e.timeout(), time.Minute))
	defer cancel()
	select {
	case <-c.ended:
	case <-ctx.Done():
		return nil, faultTimedOut
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(sh.commands, c.id)
	return ok(nsShell+"/SignalResponse", `<rsp:SignalResponse/>`), nil
}
