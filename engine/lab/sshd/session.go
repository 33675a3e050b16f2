package sshd

import (
	"context"
	"io"

	"golang.org/x/crypto/ssh"
)

// signals are the names that RFC 4254 gives to the signals of which a handler may say that it died.
var signals = map[int]string{1: "HUP", 2: "INT", 3: "QUIT", 6: "ABRT", 9: "KILL", 11: "SEGV", 13: "PIPE", 15: "TERM"}

// session serves one channel: one exec, then whatever the client sends until the command ends.
func (s *Server) session(parent context.Context, login *ssh.ServerConn, channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	line, subsystem := s.waitForExec(requests)
	if line == "" && subsystem == nil {
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
	if subsystem != nil {
		subsystem(ctx, channel)
		report(channel, 0)
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

// waitForExec refuses everything (env, pty-req, shell) but exec and the subsystems that there are.
func (s *Server) waitForExec(requests <-chan *ssh.Request) (line string, subsystem func(context.Context, io.ReadWriteCloser)) {
	for r := range requests {
		var asked struct{ Text string }
		if ssh.Unmarshal(r.Payload, &asked) == nil {
			switch r.Type {
			case "exec":
				line = asked.Text
			case "subsystem":
				subsystem = s.options.Subsystems[asked.Text]
			}
		}
		good := line != "" || subsystem != nil
		if r.WantReply {
			_ = r.Reply(good, nil)
		}
		if good {
			return line, subsystem
		}
	}
	return "", nil
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
