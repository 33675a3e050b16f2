package sshd

import (
	"context"

	"golang.org/x/crypto/ssh"
)

// signals are the names that RFC 4254 gives to the signals of which a handler may say that it died.
var signals = map[int]string{1: "HUP", 2: "INT", 3: "QUIT", 6: "ABRT", 9: "KILL", 11: "SEGV", 13: "PIPE", 15: "TERM"}

// session serves one channel: one exec, then whatever the client sends until the command ends.
func (s *Server) session(parent context.Context, login *ssh.ServerConn, channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	line, ok := waitForExec(requests)
	if !ok {
		return
	}
	go func() {
		defer cancel() // requests ends with the channel
		for r := range requests {
			if r.Type == "signal" {
				cancel()
			}
			if r.WantReply {
				_ = r.Reply(r.Type == "signal", nil)
			}
		}
	}()
	if s.hangs() {
		<-ctx.Done()
		return
	}
	exit := s.options.Handle(ctx, &Session{
		User: login.User(), Line: line, Remote: login.RemoteAddr(),
		Stdin: channel, Stdout: channel, Stderr: channel.Stderr(),
	})
	_ = channel.CloseWrite()
	if !s.forgets() {
		report(channel, exit)
	}
}

// waitForExec refuses everything (env, pty-req, shell, subsystem) but exec.
func waitForExec(requests <-chan *ssh.Request) (line string, ok bool) {
	for r := range requests {
		var exec struct{ Line string }
		good := r.Type == "exec" && ssh.Unmarshal(r.Payload, &exec) == nil
		if r.WantReply {
			_ = r.Reply(good, nil)
		}
		if good {
			return exec.Line, true
		}
	}
	return "", false
}

func report(channel ssh.Channel, exit int) {
	if exit >= 0 {
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(exit)}))
		return
	}
	name := signals[-exit]
	if name == "" {
		name = "KILL"
	}
	_, _ = channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
		Signal            string
		Core              bool
		Message, Language string
	}{Signal: name}))
}
