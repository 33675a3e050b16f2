package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// request is one line of JSON to the control socket, answer the line that comes back.
type request struct {
	Op     string `json:"op"` // "inject", "clear", "world" or "down"
	Fault  string `json:"fault,omitempty"`
	Target string `json:"target,omitempty"`
}

type answer struct {
	Error string `json:"error,omitempty"`
	World *World `json:"world,omitempty"`
}

func socket(dir string) string { return filepath.Join(dir, "control.sock") }

// serveControl listens on DIR/control.sock, which only the owner of the directory can reach.
func (l *Lab) serveControl() (err error) {
	path := socket(l.opts.Dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if l.control, err = net.Listen("unix", path); err != nil {
		return fmt.Errorf("%w (the path of a socket has at most 107 bytes; this one has %d)", err, len(path))
	}
	l.running.Go(func() {
		for {
			c, err := l.control.Accept()
			if err != nil {
				return
			}
			l.running.Go(func() { l.serve(c) })
		}
	})
	return nil
}

func (l *Lab) serve(c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(l.ctx, func() { _ = c.Close() })
	defer stop()
	var r request
	if json.NewDecoder(c).Decode(&r) == nil {
		_ = json.NewEncoder(c).Encode(l.obey(r))
		if r.Op == "down" { // only now: the end closes this connection, too
			l.end()
		}
	}
}

func (l *Lab) obey(r request) answer {
	var err error
	switch r.Op {
	case "inject":
		err = l.Inject(r.Fault, r.Target)
	case "clear":
		err = l.Clear()
	case "world":
		world := l.World()
		return answer{World: &world}
	case "down": // serve ends the lab when the answer is out
	default:
		err = fmt.Errorf("the lab does not know the request %q", r.Op)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{}
}

func (l *Lab) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		close(l.done)
	}
	l.ended = true
}

// Remote speaks to a lab that another process runs, through the socket in its directory.
type Remote struct{ Dir string }

// Inject brings a fault about; see Lab.Inject.
func (r Remote) Inject(ctx context.Context, fault, target string) error {
	_, err := r.ask(ctx, request{"inject", fault, target})
	return err
}

// Clear makes everything healthy again.
func (r Remote) Clear(ctx context.Context) error {
	_, err := r.ask(ctx, request{Op: "clear"})
	return err
}

// World is the truth about the estate.
func (r Remote) World(ctx context.Context) (World, error) {
	a, err := r.ask(ctx, request{Op: "world"})
	if err == nil && a.World == nil {
		err = errors.New("the lab gave no world")
	}
	if err != nil {
		return World{}, err
	}
	return *a.World, nil
}

// Down asks the lab to end; it returns when the lab has heard it.
func (r Remote) Down(ctx context.Context) error {
	_, err := r.ask(ctx, request{Op: "down"})
	return err
}

func (r Remote) ask(ctx context.Context, q request) (a answer, err error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", socket(r.Dir))
	if err != nil {
		return a, fmt.Errorf("no lab runs in %s: %w", r.Dir, err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err = json.NewEncoder(c).Encode(q); err == nil {
		err = json.NewDecoder(c).Decode(&a)
	}
	switch {
	case err != nil:
		return a, fmt.Errorf("ask the lab in %s: %w", r.Dir, err)
	case a.Error != "":
		return a, errors.New(a.Error)
	}
	return a, nil
}
