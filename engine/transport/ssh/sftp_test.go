package ssh_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// lender is a pool of one connection, which it opens anew after a Discard.
type lender struct {
	open func() engine.Shell
	conn engine.Shell
}

func (l *lender) Get(context.Context, *engine.Host) (engine.Conn, error) {
	if l.conn == nil {
		l.conn = l.open()
	}
	return l.conn, nil
}

func (l *lender) Discard(_ *engine.Host, c engine.Conn) {
	_ = c.Close() // it broke
	l.conn = nil
}

func serveSFTP(_ context.Context, stream io.ReadWriteCloser) {
	server, err := sftp.NewServer(stream)
	if err == nil {
		_ = server.Serve() // it ends with the stream
	}
}

// TestSFTP: a large file goes by SFTP, with what was announced and nothing else; no session of it is left. When the
// subsystem breaks in the middle the old file stays, and nothing beside it.
func TestSFTP(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcde\n"), 200_000)
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, data, 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := engine.FileContent(source)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		serve func(context.Context, io.ReadWriteCloser)
		fails string
	}{
		"whole": {serveSFTP, ""},
		"breaks": {func(ctx context.Context, stream io.ReadWriteCloser) {
			serveSFTP(ctx, struct {
				io.Reader
				io.WriteCloser
			}{io.LimitReader(stream, 1<<20), stream})
		}, "copy to"},
	} {
		t.Run(name, func(t *testing.T) {
			server := listen(t, func(o *sshd.Options) {
				o.Subsystems = map[string]func(context.Context, io.ReadWriteCloser){"sftp": test.serve}
			})
			h := host(t, server, nil)
			var mu sync.Mutex
			var ran []string
			m := machine.New(&lender{open: func() engine.Shell { return open(t, h) }}, h, machine.Options{Ran: func(line string) {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, line)
			}})
			dir := t.TempDir()
			u := engine.Upload{Path: filepath.Join(dir, "x"), Content: content, Mode: "0640"}
			if err := os.WriteFile(u.Path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			lines, err := m.PutLines(t.Context(), u)
			if err != nil || !strings.Contains(strings.Join(lines, "\n"), "subsystem sftp: write ") {
				t.Fatalf("%q, %v", lines, err)
			}
			looked := len(ran)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err = m.Acting(lines).Put(ctx, u)
			want := data
			if test.fails != "" {
				want = []byte("old")
			}
			if (err != nil) != (test.fails != "") || err != nil && (!strings.Contains(err.Error(), test.fails) || errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("%v (%s)", err, engine.HintOf(err))
			}
			if got, err := os.ReadFile(u.Path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			for _, line := range ran[looked:] {
				if !slices.Contains(lines, line) && !strings.Contains(line, "dsplay:") && line != "subsystem sftp" {
					t.Errorf("it ran and was not announced: %s", line)
				}
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

// TestNoSuchSubsystem: a server without it says so, and the connection is as good as before.
func TestNoSuchSubsystem(t *testing.T) {
	c := open(t, host(t, listen(t, nil), nil))
	_, err := c.(*ssh.Conn).Subsystem(t.Context(), "sftp")
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.KindProtocol || e.Op != "run subsystem sftp" || e.Msg != "the host has no such subsystem" {
		t.Errorf("%+v", err)
	}
	says(t, c, "echo x", "x\n")
}
