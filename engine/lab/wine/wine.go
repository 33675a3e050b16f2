//go:build linux

// Package wine knows how a Debian machine with Wine 8 becomes Windows hosts for tests: a userland that is not ours, a
// real service control manager, a kernel driver that really loads, and processes of a cmd.exe behind WS-Management.
// It is no Windows: there is no PowerShell, and several programs of Wine (tasklist, findstr, where, systeminfo, shutdown)
// do nothing and report success. It needs wine, wine64 and gcc-mingw-w64-x86-64-win32, and no display.
package wine

import (
	"bufio"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine/lab/wine/settings"
)

//go:embed native/*.c
var native embed.FS

// Template is a Wine prefix with everything that a guest has. Guests are copies of it.
type Template struct{ dir string }

// Prepare makes a template under dir, in some ten seconds and 700 MB.
func Prepare(ctx context.Context, dir string) (*Template, error) {
	t := &Template{dir: filepath.Join(dir, "template")}
	if err := t.run(ctx, "wineboot", "-i"); err != nil {
		return nil, err
	}
	steps := []func(context.Context, string) error{t.compile, t.build, t.configure}
	for _, step := range steps {
		if err := step(ctx, dir); err != nil {
			return nil, err
		}
	}
	return t, t.off(ctx)
}

// compile makes the library and the driver, which are native Windows code.
func (t *Template) compile(ctx context.Context, dir string) error {
	system := filepath.Join(t.dir, "drive_c", "windows", "system32")
	for _, c := range []struct {
		source, target string
		options        []string
	}{
		{"bcryptprimitives.c", filepath.Join(system, "bcryptprimitives.dll"), []string{"-ladvapi32"}},
		{"vsepflt.c", filepath.Join(system, "drivers", "vsepflt.sys"), []string{"-nostdlib", "-Wl,--subsystem,native", "-Wl,--entry,DriverEntry", "-lntoskrnl"}},
	} {
		text, err := native.ReadFile("native/" + c.source)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, c.source)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "x86_64-w64-mingw32-gcc", append([]string{"-shared", "-o", c.target, file}, c.options...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("compile %s: %w\n%s", c.source, err, out)
		}
	}
	return nil
}

// build makes the program that a guest runs, and puts it in Wine's place for sc.exe.
func (t *Template) build(ctx context.Context, _ string) error {
	folder := filepath.Join(t.dir, "drive_c", "dsplay")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	program := filepath.Join(folder, "guestd.exe")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/dsplay/dsplay/engine/lab/wine/guestd")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build guestd: %w\n%s", err, out)
	}
	sc := filepath.Join(t.dir, "drive_c", "windows", "system32", "sc.exe")
	return errors.Join(os.Remove(sc), os.Link(program, sc))
}

func (t *Template) configure(ctx context.Context, _ string) error {
	for _, value := range [][]string{
		{`HKCU\Software\Wine\DllOverrides`, "/v", "sc.exe", "/d", "native,builtin"}, // else Wine prefers its own to the file
		{`HKCU\Software\Wine`, "/v", "Version", "/d", "win10"},
	} {
		if err := t.run(ctx, "wine", append(append([]string{"reg", "add"}, value...), "/f")...); err != nil {
			return err
		}
	}
	return t.run(ctx, "wine", guestd, "install")
}

const guestd = `C:\dsplay\guestd.exe`

// run runs a program of Wine in this prefix to its end.
func (t *Template) run(ctx context.Context, name string, args ...string) error {
	_, err := t.output(ctx, name, args...)
	return err
}

// Run runs a Windows program, which is a file of the machine below, to its end, and returns what it wrote on both streams.
func (t *Template) Run(ctx context.Context, program string, args ...string) (string, error) {
	return t.output(ctx, "wine", append([]string{program}, args...)...)
}

// output goes to a file: the services that a program of Wine starts keep it open.
func (t *Template) output(ctx context.Context, name string, args ...string) (string, error) {
	log, err := os.CreateTemp("", "wine")
	if err != nil {
		return "", err
	}
	defer func() { _ = errors.Join(log.Close(), os.Remove(log.Name())) }()
	cmd := t.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	failed := cmd.Run()
	text, err := os.ReadFile(log.Name())
	if failed != nil {
		return string(text), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), failed, text)
	}
	return string(text), err
}

func (t *Template) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "WINEPREFIX="+t.dir, "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree=;mshtml=", "DISPLAY=")
	cmd.WaitDelay = time.Second
	return cmd
}

// off switches the computer off: every process of the prefix is killed.
func (t *Template) off(ctx context.Context) error {
	_ = t.command(ctx, "wineserver", "-k").Run() // it fails when nothing runs
	return t.command(ctx, "wineserver", "-w").Run()
}

// Remove deletes the template; guests that were copied from it live on.
func (t *Template) Remove() { _ = os.RemoveAll(filepath.Dir(t.dir)) } // what is left over is in a temporary folder

// Guest is a Windows host that runs.
type Guest struct {
	prefix Template
	file   string
	addr   string
	ssh    string
	key    []byte
	server *exec.Cmd
}

// Start copies the template and switches the copy on. It listens on a free port of loopback unless s names an address.
func (t *Template) Start(ctx context.Context, dir string, s settings.Settings) (*Guest, error) {
	g := &Guest{prefix: Template{dir: filepath.Join(dir, "prefix")}, file: filepath.Join(dir, "guestd.json")}
	if out, err := exec.CommandContext(ctx, "cp", "-a", "--reflink=auto", t.dir, g.prefix.dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the template: %w\n%s", err, out)
	}
	if s.Addr == "" {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.Addr = free.Addr().String()
		_ = free.Close()
	}
	g.addr = s.Addr
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(g.file, text, 0o600); err != nil {
		return nil, err
	}
	return g, g.On(ctx)
}

// Path is how a guest names a file of the machine below.
func Path(file string) string { return "Z:" + strings.ReplaceAll(file, "/", `\`) }

// Addr is where it listens, host:port; the same after a reboot.
func (g *Guest) Addr() string { return g.addr }

// On switches it on, and returns when it listens.
func (g *Guest) On(ctx context.Context) error {
	g.server = g.prefix.command(context.WithoutCancel(ctx), "wine", guestd, "listen", Path(g.file))
	out, err := g.server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := g.server.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 4 || words[0] != "listening" {
		return fmt.Errorf("the guest says %q: %w", line, err)
	}
	g.ssh = words[2]
	g.key, err = base64.StdEncoding.DecodeString(words[3])
	return err
}

// SSH is where it listens for SSH, and its host key on the wire. Both change with a reboot.
func (g *Guest) SSH() (addr string, key []byte) { return g.ssh, g.key }

// Off is a power failure: every process of it dies at once.
func (g *Guest) Off(ctx context.Context) error {
	err := g.prefix.off(ctx)
	_ = g.server.Wait() // killed
	return err
}

// Freeze stops the process that listens, so that the host accepts connections and says nothing; Thaw undoes it.
func (g *Guest) Freeze() error { return g.server.Process.Signal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (g *Guest) Thaw() error { return g.server.Process.Signal(syscall.SIGCONT) }
