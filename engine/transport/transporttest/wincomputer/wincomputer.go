// Package wincomputer knows the programs with which a simulated Windows passes the suite of the transports.
package wincomputer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// Programs are what the suite needs and Windows does not have: they make every byte and every argument visible. The zero
// value is ready for use. They are safe for use by several goroutines.
type Programs struct {
	mu    sync.Mutex
	last  int
	alive map[int]bool
}

// Install puts the programs into a folder of d.
func (p *Programs) Install(d *disk.Disk, folder string) {
	for _, name := range []string{"cat", "count", "big", "raw", "args", "sleep", "alive", "flood", "endless", "env", "full"} {
		d.Install(folder+`\`+name+".exe", name)
	}
}

// Commands are the command lines that call them, and what differs on this computer.
func Commands() transporttest.Commands {
	return transporttest.Commands{
		Unknown: 1, // of cmd /c, as opposed to %errorlevel%
		Cat:     "cat", Count: "count", Big: "big", Raw: "raw", Sleep: "sleep", Args: []string{"args"},
		Flood: "flood", Endless: "endless", Env: []string{"env"}, Full: "full",
		Alive: func(pid string) string { return "alive " + pid },
	}
}

// Run runs the program name to its end; ok is false when it is none of these.
func (p *Programs) Run(ctx context.Context, name string, c *cmdexe.Process) (code uint32, ok bool) {
	switch name {
	case "cat":
		_, _ = io.Copy(c.Stdout, c.Stdin)
	case "count":
		n, _ := io.Copy(io.Discard, c.Stdin)
		fmt.Fprintln(c.Stdout, n/1000)
	case "big":
		_, _ = io.Copy(c.Stdout, io.LimitReader(exes{}, 10_000_000))
	case "raw":
		_, _ = io.WriteString(c.Stdout, "\xff\xfe\x00\x80\n")
	case "args":
		for _, a := range c.Argv {
			_, _ = io.WriteString(c.Stdout, a+"\x00")
		}
	case "flood":
		ended := make(chan struct{})
		go func() {
			_, _ = io.WriteString(c.Stderr, strings.Repeat("e", 5_000_000))
			close(ended)
		}()
		_, _ = io.WriteString(c.Stdout, strings.Repeat("o", 5_000_000))
		<-ended
	case "env":
		for _, name := range c.Argv {
			_, _ = io.WriteString(c.Stdout, c.Getenv(name)+"\x00")
		}
	case "full":
		return full(c), true
	case "endless":
		id := p.begin()
		defer p.end(id)
		_, err := fmt.Fprintln(c.Stdout, id)
		for i := 0; err == nil && ctx.Err() == nil; i++ {
			_, err = fmt.Fprintln(c.Stdout, "line", i)
		}
	case "sleep":
		id := p.begin()
		defer p.end(id)
		fmt.Fprintln(c.Stdout, id)
		<-ctx.Done()
	case "alive":
		p.mu.Lock()
		defer p.mu.Unlock()
		if id, _ := strconv.Atoi(c.Argv[0]); !p.alive[id] {
			return 1, true
		}
	default:
		return 0, false
	}
	return 0, true
}

type exes struct{}

func (exes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// full writes stdin to a device on which there is no space, and says what Windows says of it.
func full(c *cmdexe.Process) uint32 {
	device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(c.Stderr, err)
		return 2
	}
	defer device.Close()
	if _, err := io.Copy(device, c.Stdin); errors.Is(err, syscall.ENOSPC) {
		fmt.Fprintln(c.Stderr, "There is not enough space on the disk.") // ERROR_DISK_FULL
		return 1
	}
	return 0
}

// begin gives a process an id, under which it lives until end.
func (p *Programs) begin() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive == nil {
		p.alive = map[int]bool{}
	}
	p.last++
	p.alive[p.last] = true
	return p.last
}

func (p *Programs) end(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, id)
}
