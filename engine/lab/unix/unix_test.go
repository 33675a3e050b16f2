package unix

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/transcript"
)

var update = flag.Bool("update", false, "write the real output into the transcripts")

// TestTranscripts runs every file in testdata against a machine of its own.
func TestTranscripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			c := &conversation{t: t, clock: clock.Clock{Speed: 5000}}
			transcript.Check(t, file, c.run, c.act, *update)
		})
	}
}

// shell is what ESXi and DSVA have in common.
type shell interface {
	Exec(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int
	Break(fault string) error
	Down()
	Up()
}

// conversation is a machine that a transcript talks to: its first act says which.
type conversation struct {
	t     *testing.T
	clock clock.Clock
	shell shell
	esxi  *ESXi
	dsva  *DSVA
	beat  int // the status with which the DSM answers
	beats int
	user  string
}

func (c *conversation) run(line, input string) (string, string, int64) {
	user := c.user
	if name, rest, ok := strings.Cut(line, "$ "); ok && !strings.ContainsAny(name, ` ("`) {
		user, line = name, rest
	}
	var stdin io.Reader
	if input != "" {
		stdin = strings.NewReader(input)
	}
	var stdout, stderr bytes.Buffer
	code := c.shell.Exec(c.t.Context(), user, line, stdin, &stdout, &stderr)
	return stdout.String(), stderr.String(), int64(code)
}

func (c *conversation) act(words []string) error {
	switch words[0] {
	case "esxi": // "! esxi [MUX]"
		c.user = "root"
		c.esxi = NewESXi(ESXiConfig{Name: "esx1", Clock: c.clock, Mux: strings.Join(words[1:], "")})
		c.shell = c.esxi
	case "dsva": // "! dsva [systemd] [password=WORD] [nosudo=USER]"
		c.user, c.beat = "dsva", 200
		config := DSVAConfig{Name: "dsva1", Clock: c.clock, Heartbeat: func() int { c.beats++; return c.beat }}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			switch name {
			case "systemd":
				config.Systemd = true
			case "password":
				config.SudoPassword = value
			case "nosudo":
				config.NoSudo = []string{value}
			}
		}
		c.dsva = NewDSVA(config)
		c.shell = c.dsva
	case "break":
		return c.shell.Break(words[1])
	case "down":
		c.shell.Down()
	case "up":
		c.shell.Up()
	case "answer":
		_, err := fmt.Sscan(words[1], &c.beat)
		return err
	case "eventually":
		var err error
		eventually(c.t, strings.Join(words[1:], " "), func() bool { err = c.state(words[1:]); return err == nil })
		return err
	case "state":
		return c.state(words[1:])
	default:
		return fmt.Errorf("unknown act")
	}
	return nil
}

// state compares words like MuxRunning=true with the state.
func (c *conversation) state(words []string) error {
	values := map[string]any{"Beats": c.beats}
	if c.esxi != nil {
		s := c.esxi.State()
		values["MuxRunning"], values["MuxStuck"], values["MuxRestarts"] = s.MuxRunning, s.MuxStuck, s.MuxRestarts
	} else {
		s := c.dsva.State()
		values["AgentRunning"], values["AgentStuck"], values["AgentRestarts"] = s.AgentRunning, s.AgentStuck, s.AgentRestarts
		values["Activated"], values["Fresh"], values["Boots"] = s.Activated, time.Since(s.AgentStarted) < time.Minute, s.Boots
	}
	for _, word := range words {
		name, want, _ := strings.Cut(word, "=")
		if got := fmt.Sprint(values[name]); got != want {
			return fmt.Errorf("%s is %s, not %s", name, got, want)
		}
	}
	return nil
}
