package windows

import (
	"context"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// setup64 is the setup program of VMware Tools: /S makes it silent, /v hands a text to the installer. A blank
// behind /v loses this text. Without /S and /qn it shows a window that nobody sees, and waits for ever.
func (g *Guest) setup64(ctx context.Context, p *cmdexe.Process) uint32 {
	touch.Mark(ctx)
	silent, options := false, ""
	for _, arg := range p.Argv {
		switch lower := strings.ToLower(arg); {
		case lower == "/s" || lower == "-s":
			silent = true
		case strings.HasPrefix(lower, "/v") || strings.HasPrefix(lower, "-v"):
			options = arg[2:]
		}
	}
	r, quiet := request{restart: true, setup: true}, false
	g.options(p, &r, &quiet, cmdexe.SplitArgs(options))
	if !silent || !quiet {
		return window(ctx)
	}
	if !g.administrator(p.User) {
		return msiFatal
	}
	return g.configure(ctx, r)
}

// window waits for a click that never comes.
func window(ctx context.Context) uint32 {
	<-ctx.Done()
	return cmdexe.Killed
}

// options reads the arguments that setup64 and msiexec share.
func (g *Guest) options(p *cmdexe.Process, r *request, quiet *bool, args []string) {
	for i, arg := range args {
		lower := strings.ToLower(strings.Replace(arg, "-", "/", 1))
		switch {
		case slices.Contains([]string{"/qn", "/q", "/qb", "/quiet", "/passive", "/qb!", "/qb-", "/qn+"}, lower):
			*quiet = true
		case lower == "/norestart":
			r.restart = false
		case lower == "/log" || strings.HasPrefix(lower, "/l"):
			r.log = disk.Clean(p.Dir, at(args, i+1))
		default:
			r.option(arg)
		}
	}
}

// msiexec is the Windows Installer: /i, /f and /x with the product code of VMware Tools.
func (g *Guest) msiexec(ctx context.Context, p *cmdexe.Process) uint32 {
	touch.Mark(ctx)
	r, quiet := request{restart: true}, false
	g.options(p, &r, &quiet, p.Argv)
	action, target := "", ""
	for i, arg := range p.Argv {
		lower := strings.ToLower(strings.Replace(arg, "-", "/", 1))
		if len(lower) >= 2 && lower[0] == '/' && strings.ContainsRune("ifx", rune(lower[1])) && action == "" {
			action, target = lower[1:2], at(p.Argv, i+1)
		}
	}
	if action == "" || target == "" {
		return msiInvalidCommand
	}
	if !quiet {
		return window(ctx)
	}
	if !strings.HasPrefix(target, "{") {
		return msiNoPackage // no .msi file of this guest can be opened
	}
	g.mu.Lock()
	known := g.tools.installed && !g.tools.quirks.unregistered && strings.EqualFold(target, ProductCode)
	g.mu.Unlock()
	switch {
	case !known:
		return msiUnknownProduct
	case !g.administrator(p.User):
		return msiFatal
	case action == "f":
		r.reinstall = []string{"ALL"}
	case action == "x":
		r.remove, r.uninstall = []string{"ALL"}, true
	}
	return g.configure(ctx, r)
}
