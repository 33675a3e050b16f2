package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/dsplay/dsplay/engine"
)

// subsystems is a connection that has more than command lines: SSH, with its subsystem "sftp".
type subsystems interface {
	// Subsystem begins one; the stream ends with Close, or with ctx. An error means that the host has none of this name.
	Subsystem(ctx context.Context, name string) (io.ReadWriteCloser, error)
}

const sftpLine = "subsystem sftp"

type sftpKey struct{ conn engine.Conn }

// sftpPacket is what a message of SFTP may carry: every server takes 32 kB. One that knows the extension limits@openssh.com is
// OpenSSH 8.5 or later, which takes 256 kB with its own header: an eighth of the messages, and of the work for them.
type sftpPacket int

const (
	noSFTP     sftpPacket = 0
	anyServer  sftpPacket = 32 << 10
	newOpenSSH sftpPacket = 255 << 10
)

// requests are on their way at once: twice what the window of an SSH channel takes, 2 MB, so that it is never empty. Each
// holds its packet in memory, and there may be fifty hosts.
func (p sftpPacket) requests() int { return 4 << 20 / int(p) }

func (p sftpPacket) options() []sftp.ClientOption {
	return []sftp.ClientOption{sftp.MaxPacketUnchecked(int(p)), sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(p.requests())}
}

// sftp is found out once per connection, by trying.
func (h *Host) sftp(ctx context.Context, shell engine.Shell) sftpPacket {
	s, ok := shell.(subsystems)
	if !ok {
		return noSFTP
	}
	value, err := h.options.Memo.ends.once(ctx, sftpKey{shell}, func(ctx context.Context) (any, error) {
		h.options.Ran(sftpLine)
		ctx, cancel := context.WithTimeout(ctx, undoTime)
		defer cancel()
		stream, err := s.Subsystem(ctx, "sftp")
		if err != nil {
			return noSFTP, nil //nolint:nilerr // that there is none is the answer
		}
		defer stream.Close()
		client, err := sftp.NewClientPipe(stream, stream)
		if err != nil {
			return noSFTP, nil //nolint:nilerr // it says that it begins, and does not
		}
		defer client.Close()
		if _, limits := client.HasExtension("limits@openssh.com"); limits {
			return newOpenSSH, nil
		}
		return anyServer, nil
	})
	if err != nil {
		return noSFTP
	}
	return value.(sftpPacket)
}

// sftpStep writes the temporary file by SFTP, many requests at once.
func sftpStep(h *Host, job putJob) step {
	line := fmt.Sprintf("%s: write %s", sftpLine, job.temp)
	return step{line: line, carry: func(ctx context.Context, shell engine.Shell, from *source) error {
		packet := max(h.sftp(ctx, shell), anyServer)
		h.options.Ran(line)
		stream, err := shell.(subsystems).Subsystem(ctx, "sftp")
		if err != nil {
			return err
		}
		defer stream.Close()
		client, err := sftp.NewClientPipe(stream, stream, packet.options()...)
		if err != nil {
			return h.sftpError(ctx, nil, job, err)
		}
		defer client.Close()
		return h.sftpError(ctx, client, job, sftpWrite(client, job.temp, from, packet.requests()))
	}}
}

func sftpWrite(client *sftp.Client, name string, from *source, requests int) error {
	f, err := client.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.ReadFromWithConcurrency(from, requests); err != nil {
		_ = f.Close() // the first error is the one to tell
		return err
	}
	return f.Close()
}

// sftpError: the protocol has few words; a full disk is a plain failure, so the free space is asked for.
func (h *Host) sftpError(ctx context.Context, client *sftp.Client, job putJob, err error) error {
	if err == nil {
		return nil
	}
	e := &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Msg: "the SFTP server of the host", Err: err}
	var status *sftp.StatusError
	switch {
	case ctx.Err() != nil:
		return &engine.Error{Kind: engine.KindTimeout, Host: h.host.Name, Msg: "stopped", Err: ctx.Err()}
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &engine.Error{Kind: engine.KindLost, Host: h.host.Name, Msg: "the connection broke", Unreachable: true,
			Hint: "nothing has taken the place of the old file; run it again"}
	case client != nil && errors.As(err, &status) && status.Code == uint32(sftp.ErrSSHFxFailure):
		if disk, bad := client.StatVFS(path.Dir(job.u.Path)); bad == nil && disk.Bavail*disk.Frsize < 1<<20 {
			e.Msg, e.Err, e.Hint = "the SFTP server gave up", syscall.ENOSPC, "make room on the file system of the target: df"
		}
	}
	if hint, cause := phrased(err.Error(), "", nil); cause != nil {
		e.Err, e.Hint = cause, hint
	}
	return e
}

// scpStep writes the temporary file by the old protocol of scp: https://web.archive.org/web/20170215184048/https://blogs.oracle.com/janp/entry/how_the_scp_protocol_works
func (h *Host) scpStep(s system, job putJob) (step, error) {
	r, err := h.shellCall(s, "scp -t "+engine.QuoteSh(job.temp), true)
	return step{call: r, line: r.line, carry: func(ctx context.Context, shell engine.Shell, from *source) error {
		talk := newSCP(ctx, path.Base(job.temp), from)
		h.options.Ran(r.line)
		var stderr limited
		stderr.max, stderr.full = maxOutput, func() {}
		code, err := shell.Exec(ctx, engine.Process{Line: r.line, Stdin: talk, Stdout: talk, Stderr: &stderr})
		talk.end()
		switch said := talk.complaint(); {
		case err != nil:
			return err
		case said == "" && code == 0:
			return nil
		default:
			return putError(h.host.Name, "copy to "+job.u.Path, engine.Output{Code: putSize, Stderr: strings.TrimSpace(said + " " + stderr.String())})
		}
	}}, err
}

// scp speaks with "scp -t": it is its standard input, and listens on its standard output. Each of our messages is
// answered by a zero byte, or by 1 or 2 and a line of text.
type scp struct {
	ctx    context.Context
	parts  []io.Reader // the header, the content, the zero byte after it
	answer chan struct{}
	once   sync.Once

	mu   sync.Mutex
	said []byte // after the first byte that is not zero
}

func newSCP(ctx context.Context, name string, from *source) *scp {
	header := fmt.Sprintf("C0600 %d %s\n", from.total, strings.Map(func(r rune) rune {
		if r < ' ' {
			return '_' // only a name in the protocol: the target is on the command line
		}
		return r
	}, name))
	return &scp{ctx: ctx, answer: make(chan struct{}, 16),
		parts: []io.Reader{nil, strings.NewReader(header), nil, io.MultiReader(from, strings.NewReader("\x00")), nil}}
}

// Read gives the next part; a nil one waits for an answer.
func (s *scp) Read(b []byte) (int, error) {
	for len(s.parts) > 0 {
		if s.parts[0] == nil {
			select {
			case _, ok := <-s.answer:
				if !ok {
					return 0, io.EOF
				}
			case <-s.ctx.Done():
				return 0, s.ctx.Err()
			}
			s.parts = s.parts[1:]
			continue
		}
		n, err := s.parts[0].Read(b)
		if errors.Is(err, io.EOF) {
			s.parts, err = s.parts[1:], nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// Write takes what scp says.
func (s *scp) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range b {
		switch {
		case c == 0 && len(s.said) == 0:
			select {
			case s.answer <- struct{}{}:
			default: // more answers than questions
			}
		case len(s.said) < 4096:
			s.said = append(s.said, c)
		}
	}
	if len(s.said) > 0 {
		s.end()
	}
	return len(b), nil
}

// end lets a Read that waits give up.
func (s *scp) end() { s.once.Do(func() { close(s.answer) }) }

func (s *scp) complaint() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Trim(string(s.said), "\x00\x01\x02\r\n ")
}
