package sshd

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
)

// ErrBusy is what Options.Forward returns when the server has no resources for now.
var ErrBusy = errors.New("resource shortage")

// Forward is an Options.Forward that connects to the address.
func Forward(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

// forward serves a channel direct-tcpip (RFC 4254, 7.2), with OpenSSH's answers when it cannot.
func (s *Server) forward(ctx context.Context, offer ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	if s.options.Forward == nil || ssh.Unmarshal(offer.ExtraData(), &to) != nil {
		_ = offer.Reject(ssh.Prohibited, "open failed")
		return
	}
	conn, err := s.options.Forward(ctx, net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		reason, text := ssh.ConnectionFailed, err.Error()
		if errors.Is(err, ErrBusy) {
			reason = ssh.ResourceShortage
		}
		var op *net.OpError
		if errors.As(err, &op) {
			text = op.Err.Error()
		}
		_ = offer.Reject(reason, text)
		return
	}
	defer conn.Close()
	channel, requests, err := offer.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	go ssh.DiscardRequests(requests)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(conn, channel)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	})
	both.Go(func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.CloseWrite()
	})
	both.Wait()
}
