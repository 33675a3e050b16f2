package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"

	"github.com/dsplay/dsplay/engine"
)

// Get copies a file of the host to w, as engine.Reader says.
func (h *Host) Get(ctx context.Context, path string, w io.Writer) (engine.FileInfo, error) {
	op := "copy from " + path
	var info engine.FileInfo
	err := h.use(ctx, func(shell engine.Shell) error {
		var err error
		if info, err = h.stat(ctx, shell, path); err != nil {
			return err
		}
		switch {
		case !info.Exists:
			return &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Err: fs.ErrNotExist}
		case info.Kind != "file":
			return &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Msg: "it is no file", Hint: "a folder is copied file by file"}
		}
		return h.fetch(ctx, shell, info, w)
	})
	return info, renamed(err, op)
}

func (h *Host) fetch(ctx context.Context, shell engine.Shell, info engine.FileInfo, w io.Writer) error {
	s, err := h.system(ctx, shell)
	if err != nil {
		return err
	}
	hash := sha256.New()
	to := &sink{w: io.MultiWriter(hash, w)}
	to.source, to.most = h.newSource(engine.Upload{Path: info.Path, Content: engine.Content{Size: info.Size}}, nil), max(info.Size, 1<<20) // files of /proc have no size
	if err := h.receive(ctx, shell, s, info.Path, to); err != nil && !errors.Is(to.err, errMore) {
		return err
	}
	if errors.Is(to.err, errMore) {
		return h.another()
	}
	if to.err != nil {
		return &engine.Error{Kind: engine.KindModule, Host: engine.Localhost, Msg: "it cannot be kept here", Err: to.err}
	}
	if got := hex.EncodeToString(hash.Sum(nil)); info.SHA256 != "" && got != info.SHA256 || info.SHA256 == "" && to.n != info.Size {
		return h.another()
	}
	return nil
}

// receive has the content of a file go to to, whose own error it leaves there.
func (h *Host) receive(ctx context.Context, shell engine.Shell, s system, path string, to *sink) error {
	if h.carriesFiles(shell, s) {
		return h.download(ctx, shell, path, to)
	}
	r, err := h.readCall(s, path, to)
	if err != nil {
		return err
	}
	r.from = to.source
	_, err = h.exec(ctx, shell, r, engine.Command{})
	return err
}

func (h *Host) another() error {
	return &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Msg: "what arrived is not what the host says it has",
		Hint: "does something write to it meanwhile (a log)? Then copy it on the host first"}
}

// errMore is a file of which more comes than the host said that there is: it may have no end.
var errMore = errors.New("there is more than the host said")

func (h *Host) readCall(s system, path string, to *sink) (call, error) {
	if s.platform == engine.Windows {
		return h.readCallWindows(s, path, to)
	}
	r, err := h.shellCall(s, "cat "+engine.QuoteSh(path), false)
	r.stdout = to
	return r, err
}

// sink takes what comes from a host; after the first error of its writer it takes the rest for nothing.
type sink struct {
	w      io.Writer
	source *source
	most   int64 // bytes that are wanted
	n      int64
	err    error
}

func (s *sink) Write(b []byte) (int, error) {
	if s.err == nil && s.n+int64(len(b)) > s.most {
		s.err = errMore
	}
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
	s.n += int64(len(b))
	s.source.moved(len(b))
	return len(b), s.err
}

// compareBack reads the new file back: the host has nothing that knows SHA-256.
func (h *Host) compareBack(ctx context.Context, shell engine.Shell, u engine.Upload, r call) error {
	hash := sha256.New()
	to := &sink{w: hash, source: h.newSource(u, nil), most: u.Content.Size}
	r.from, r.stdout = to.source, to
	if _, err := h.exec(ctx, shell, r, engine.Command{}); err != nil && !errors.Is(to.err, errMore) {
		return err
	}
	want := u.Content.SHA256
	if want == "" {
		data, err := u.Content.Bytes()
		if err != nil {
			return err
		}
		want = sum(data)
	}
	if to.err == nil && hex.EncodeToString(hash.Sum(nil)) == want {
		return nil
	}
	if err := h.sourceChanged(u, "copy to "+u.Path); err != nil {
		return err
	}
	return putError(h.host.Name, "copy to "+u.Path, engine.Output{Code: putHash})
}
