package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Command starts a program of this machine and gives it the message as JSON on its standard input.
type Command struct {
	Argv []string `hcl:"argv" doc:"the program, by its whole path, and its arguments; no shell is between. It gets the message as JSON on its standard input, and says by exit code 0 that it was delivered"`

	body func(engine.Message) ([]byte, error)
}

// Shape implements engine.Shaped.
func (c *Command) Shape(body func(engine.Message) ([]byte, error)) { c.body = body }

// Validate implements engine.Validator.
func (c *Command) Validate() error {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return engine.BadArg{Arg: "argv", Problem: "names no program"}
	}
	return nil
}

// Notify implements engine.Notifier.
func (c *Command) Notify(ctx context.Context, m engine.Message) error {
	body, err := json.Marshal(m)
	if c.body != nil {
		body, err = c.body(m)
	}
	if err != nil {
		return err
	}
	var said bytes.Buffer
	p := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	p.Stdin, p.Stdout, p.Stderr = bytes.NewReader(append(body, '\n')), &said, &said
	p.WaitDelay = time.Second // what it left behind may hold its output open
	if err := p.Run(); err != nil {
		return fmt.Errorf("%s: %w%s", c.Argv[0], err, last(said.String()))
	}
	return nil
}

// last is the last line that was said, which most often says why.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if l := strings.TrimSpace(lines[len(lines)-1]); l != "" {
		return ": " + l
	}
	return ""
}
