package windows

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// programNames are the programs in System32.
var programNames = []string{"cmd", "sc", "net", "reg", "schtasks", "msiexec", "shutdown", "tasklist", "taskkill", "findstr",
	"find", "more", "sort", "where", "ping", "timeout", "hostname", "whoami", "certutil", "chcp"}

// program runs an executable of the disk. It stands in tasklist meanwhile.
func (g *Guest) program(ctx context.Context, name string, p *cmdexe.Process) uint32 {
	ctx, done, ok := g.begin(ctx, p.Path[strings.LastIndexByte(p.Path, '\\')+1:], p.User)
	if !ok {
		return cmdexe.Killed
	}
	defer done()
	run := g.lookup(name)
	if g.cfg.Program != nil && run == nil {
		if code, ok := g.cfg.Program(ctx, name, p); ok {
			return code
		}
	}
	if run == nil {
		return g.fail(p, 1, "%s is not simulated", name)
	}
	code := run(ctx, p)
	if ctx.Err() != nil {
		return cmdexe.Killed
	}
	return code
}

func (g *Guest) lookup(name string) func(context.Context, *cmdexe.Process) uint32 {
	switch name {
	case "sc":
		return g.sc
	case "net":
		return g.net
	case "reg":
		return g.reg
	case "schtasks":
		return g.schtasks
	case "setup64":
		return g.setup64
	case "msiexec":
		return g.msiexec
	case "shutdown":
		return g.shutdownProgram
	case "powershell":
		return g.powershell
	case "wmic":
		return g.wmic
	case "tasklist":
		return g.tasklist
	case "taskkill":
		return g.taskkill
	case "findstr":
		return g.findstr
	case "find":
		return g.findText
	case "more", "sort":
		return g.passOn
	case "where":
		return g.where
	case "ping":
		return g.ping
	case "timeout":
		return g.timeout
	case "certutil":
		return g.certutil
	case "chcp":
		return g.chcp
	case "hostname":
		return func(_ context.Context, p *cmdexe.Process) uint32 { return line(p, "%s", g.cfg.Name) }
	case "whoami":
		return g.whoami
	}
	return nil
}

// line prints one line and is a success.
func line(p *cmdexe.Process, format string, args ...any) uint32 {
	fmt.Fprintf(p.Stdout, format+"\r\n", args...)
	return 0
}

// fail prints a message to the error stream, in the language of the guest, and gives the code back.
func (g *Guest) fail(p *cmdexe.Process, code uint32, english string, args ...any) uint32 {
	fmt.Fprintf(p.Stderr, g.say(english)+"\r\n", args...)
	return code
}

// chcp shows or sets the code page; programs here speak UTF-8 whatever it is.
func (g *Guest) chcp(_ context.Context, p *cmdexe.Process) uint32 {
	page := "437"
	if g.cfg.Japanese {
		page = "932"
	}
	if len(p.Argv) > 0 {
		page = p.Argv[0]
	}
	return line(p, "Active code page: %s", page)
}

func (g *Guest) whoami(_ context.Context, p *cmdexe.Process) uint32 {
	if isSystem(p.User) {
		return line(p, `nt authority\system`)
	}
	return line(p, "%s", strings.ToLower(p.Getenv("USERDOMAIN")+`\`+p.Getenv("USERNAME")))
}

// input reads a file, or what was piped into the program.
func (g *Guest) input(p *cmdexe.Process, files []string) ([]byte, error) {
	if len(files) == 0 {
		if p.Stdin == nil {
			return nil, nil
		}
		return io.ReadAll(p.Stdin)
	}
	var all bytes.Buffer
	for _, name := range files {
		data, err := g.disk.Read(clean(p, name))
		if err != nil {
			return nil, err
		}
		all.Write(data)
	}
	return all.Bytes(), nil
}

// passOn is more and sort, without pages: it prints its input.
func (g *Guest) passOn(_ context.Context, p *cmdexe.Process) uint32 {
	data, err := g.input(p, p.Argv)
	if err != nil {
		return g.fail(p, 1, "%s", err)
	}
	p.Stdout.Write(data)
	return 0
}
