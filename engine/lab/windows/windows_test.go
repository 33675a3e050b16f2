package windows

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/transcript"
)

var update = flag.Bool("update", false, "write the real output into the transcripts")

// TestTranscripts runs every file in testdata against a guest of its own.
func TestTranscripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			c := &conversation{t: t, config: Config{Name: "vm1", Clock: clock.Clock{Speed: 5000}}}
			transcript.Check(t, file, c.run, c.act, *update)
		})
	}
}

// conversation is a guest that a transcript talks to; its first acts may still change its configuration.
type conversation struct {
	t      *testing.T
	config Config
	guest  *Guest
	lost   []time.Duration
}

func (c *conversation) g() *Guest {
	if c.guest == nil {
		c.config.OnNetworkLoss = func(d time.Duration) { c.lost = append(c.lost, d) }
		c.guest = New(c.config)
	}
	return c.guest
}

func (c *conversation) run(line, input string) (string, string, int64) {
	user, rest, ok := strings.Cut(line, "$ ")
	if !ok {
		user, rest = `CORP\ops`, line
	}
	var stdin io.Reader
	if input != "" {
		stdin = strings.NewReader(input)
	}
	var stdout, stderr bytes.Buffer
	code := c.g().Exec(c.t.Context(), user, rest, stdin, &stdout, &stderr)
	return stdout.String(), stderr.String(), int64(code)
}

func (c *conversation) act(words []string) error {
	switch words[0] {
	case "japanese":
		c.config.Japanese = true
	case "reboot-needed":
		c.config.RebootNeeded = true
	case "limited":
		c.config.Limited = words[1:]
	case "tools":
		c.config.ToolsVersion = words[1]
	case "speed":
		if _, err := fmt.Sscan(words[1], &c.config.Clock.Speed); err != nil {
			return err
		}
	case "break":
		return c.g().Break(words[1])
	case "reboot":
		return c.g().Reboot(c.t.Context())
	case "unmount":
		c.g().EjectMedia()
	case "volume": // "! volume E:"
		c.g().AddVolume(words[1])
	case "iso": // "! iso F:": a user mounts an image
		c.g().MountISO(words[1], func() {})
	case "file": // "! file PATH WORDS…": a text file with \n for line ends
		c.g().disk.Put(words[1], strings.ReplaceAll(strings.Join(words[2:], " "), `\n`, "\r\n"))
	case "task-ends":
		return eventually(func() error {
			g := c.g()
			g.mu.Lock()
			defer g.mu.Unlock()
			if t := g.tasks[words[1]]; t == nil || t.running {
				return fmt.Errorf("the task %s runs", words[1])
			}
			return nil
		})
	case "file-comes": // "! file-comes PATH": it is there, and has something in it
		return eventually(func() error {
			if info, ok := c.g().disk.Stat(words[1]); !ok || info.Size == 0 {
				return fmt.Errorf("there is no %s", words[1])
			}
			return nil
		})
	case "state":
		return c.state(words[1:])
	case "eventually":
		return eventually(func() error { return c.state(words[1:]) })
	default:
		return fmt.Errorf("unknown act")
	}
	return nil
}

// state compares words like Connected=true, vsepflt=STOPPED or FileIntrospection=false with the state.
func (c *conversation) state(words []string) error {
	s := c.g().State()
	for _, word := range words {
		name, want, _ := strings.Cut(word, "=")
		var got any
		switch name {
		case "Connected":
			got = s.Connected
		case "ToolsInstalled":
			got = s.ToolsInstalled
		case "ToolsBroken":
			got = s.ToolsBroken
		case "PendingReboot":
			got = s.PendingReboot
		case "NetworkLost":
			got = s.NetworkLost
		case "Up":
			got = s.Up
		case "Boots":
			got = s.Boots
		case "InstallerRuns":
			got = s.InstallerRuns
		case "Losses":
			got = len(c.lost)
		default:
			got = slices.Contains(s.Features, name)
			if state, ok := s.Drivers[name]; ok {
				got = state
			}
		}
		if fmt.Sprint(got) != want {
			return fmt.Errorf("%s is %v, not %s", name, got, want)
		}
	}
	return nil
}

// eventually waits for what comes with time.
func eventually(check func() error) error {
	var err error
	for range 5000 {
		if err = check(); err == nil {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return err
}
