package windows

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/sctext"
)

// sc is sc.exe: query, queryex, qc, start, stop and config.
func (g *Guest) sc(ctx context.Context, p *cmdexe.Process) uint32 {
	verb, name := strings.ToLower(at(p.Argv, 0)), at(p.Argv, 1)
	switch verb {
	case "query", "queryex":
		return g.scQuery(p, verb == "queryex")
	case "qc", "start", "stop", "config":
		if name == "" {
			return scUsage(p, verb)
		}
	default:
		return scUsage(p, verb)
	}
	if verb == "qc" {
		return g.scConfigured(p, name)
	}
	touch.Mark(ctx)
	if !g.administrator(p.User) {
		if verb == "start" {
			return g.scFailed(p, "StartService: OpenService", errDenied)
		}
		return g.scFailed(p, "OpenService", errDenied)
	}
	switch verb {
	case "start":
		code := g.startService(ctx, name)
		if code == errNoService {
			return g.scFailed(p, "StartService: OpenService", code)
		}
		if code != 0 {
			return g.scFailed(p, "StartService", code)
		}
		return g.scShow(p, name, true)
	case "stop":
		code := g.stopService(ctx, name)
		if code == errNoService {
			return g.scFailed(p, "OpenService", code)
		}
		if code != 0 {
			return g.scFailed(p, "ControlService", code)
		}
		return g.scShow(p, name, false)
	}
	return g.scConfig(p, name)
}

func scUsage(p *cmdexe.Process, verb string) uint32 {
	if verb != "" {
		fmt.Fprintf(p.Stdout, "\r\n*** Unrecognized or incomplete command ***\r\n")
	}
	io.WriteString(p.Stdout, "DESCRIPTION:\r\n        SC is a command line program used for communicating with the\r\n"+
		"        Service Control Manager and services.\r\nUSAGE:\r\n        sc <server> [command] [service name] <option1> <option2>...\r\n")
	return 1639
}

// scFailed prints "[SC] WHERE FAILED CODE:" and the message, on the output stream as sc does.
func (g *Guest) scFailed(p *cmdexe.Process, where string, code uint32) uint32 {
	_, _ = io.WriteString(p.Stdout, sctext.Failure(where, g.say("FAILED"), code, g.message(code)))
	return code
}

func (g *Guest) scQuery(p *cmdexe.Process, extended bool) uint32 {
	if name := at(p.Argv, 1); name != "" && !strings.HasSuffix(name, "=") {
		g.mu.Lock()
		s := g.find(name)
		text := ""
		if s != nil {
			text = s.text(name, extended)
		}
		g.mu.Unlock()
		if s == nil {
			return g.scFailed(p, "EnumQueryServicesStatus:OpenService", errNoService)
		}
		io.WriteString(p.Stdout, text)
		return 0
	}
	return g.scEnumerate(p, extended)
}

// scEnumerate lists the running services; "type= driver" lists the drivers and "state= all" the stopped ones too.
func (g *Guest) scEnumerate(p *cmdexe.Process, extended bool) uint32 {
	options := map[string]string{}
	for i, arg := range p.Argv {
		if name, ok := strings.CutSuffix(strings.ToLower(arg), "="); ok {
			options[name] = strings.ToLower(at(p.Argv, i+1))
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(g.services)) {
		s := g.services[name]
		kind := map[bool]string{true: "driver", false: "service"}[s.driver()]
		want := options["type"]
		if want != "all" && kind != want && !(want == "" && kind == "service") {
			continue
		}
		if s.state != stopped || options["state"] == "all" {
			io.WriteString(p.Stdout, strings.Replace(s.text(s.name, extended), "\r\nTYPE", "\r\nDISPLAY_NAME: "+s.display+"\r\nTYPE", 1))
		}
	}
	return 0
}

func (g *Guest) scShow(p *cmdexe.Process, name string, extended bool) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.find(name); s != nil {
		io.WriteString(p.Stdout, s.text(name, extended))
	}
	return 0
}

// scConfig is "sc config NAME start= boot|system|auto|demand|disabled"; the blank behind the sign belongs to it.
func (g *Guest) scConfig(p *cmdexe.Process, name string) uint32 {
	var code uint32
	g.change(func() {
		s := g.find(name)
		if s == nil {
			code = g.scFailed(p, "OpenService", errNoService)
			return
		}
		for i, arg := range p.Argv {
			if !strings.EqualFold(arg, "start=") {
				continue
			}
			start := slices.Index([]string{"boot", "system", "auto", "demand", "disabled"}, strings.ToLower(at(p.Argv, i+1)))
			if start < 0 {
				code = scUsage(p, "config")
				return
			}
			s.start = start
		}
		fmt.Fprintf(p.Stdout, "[SC] ChangeServiceConfig %s\r\n", g.say("SUCCESS"))
	})
	return code
}
