package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/infer"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/dsplay/dsplay/inventory"
	"github.com/spf13/cobra"
)

// loadFlags say where inventory and variables come from.
type loadFlags struct {
	inventory string
	vars      []assignment
	declared  []string            // attributes that hosts are known to have, for loading without an inventory
	unread    func(source string) // not nil: secrets are not read, it is told where they would be read from
	from      *source             // the playbook of a plan; nil: it is read from the disk
}

func (f *loadFlags) register(c *cobra.Command) {
	f.registerInventory(c)
	f.registerVars(c)
}

func (f *loadFlags) registerInventory(c *cobra.Command) {
	c.Flags().StringVarP(&f.inventory, "inventory", "i", os.Getenv("DSPLAY_INVENTORY"), "inventory file or folder (default: $DSPLAY_INVENTORY)")
}

// loaded is a playbook and an inventory without mistakes.
type loaded struct {
	wires   wires
	model   *inventory.Model
	program *lang.Program

	mu    sync.Mutex
	asked []request // by the sources of the inventory
}

// request is what a host was asked for by an API.
type request struct{ host, line string }

// load reads inventory and playbook, and shows every mistake of both at once. Nothing is contacted.
func (a *app) load(path string, f loadFlags) (*loaded, error) {
	l, problems := a.hosts(f)
	problems = append(problems, a.playbook(l, path, f)...)
	return l, a.show(problems)
}

// hosts reads the inventory, if there is one.
func (a *app) hosts(f loadFlags) (*loaded, engine.Problems) {
	l := &loaded{wires: a.wires()}
	if f.inventory == "" {
		return l, nil
	}
	var problems engine.Problems
	l.model, problems = l.wires.inventory(f.inventory, &a.secrets, f.unread)
	return l, problems
}

// playbook reads a playbook against the inventory, where that is without mistakes.
func (a *app) playbook(l *loaded, path string, f loadFlags) engine.Problems {
	opts := lang.Options{Modules: l.wires.modules, Secrets: &a.secrets, Unread: f.unread, Declared: f.declared}
	if l.model != nil {
		opts.Inventory, opts.MoreHosts = l.model.Inventory(), l.model.HasSources()
	}
	var problems engine.Problems
	if f.from != nil {
		opts.Vars, opts.Files = f.from.vars, f.from.files
	} else {
		opts.Vars, problems = a.variables(path, f, os.Environ())
	}
	var more engine.Problems
	l.program, more = lang.Load(path, opts)
	return append(problems, more...)
}

// show prints problems; the error says that there are mistakes among them.
func (a *app) show(problems engine.Problems) error {
	mistakes := 0
	for _, p := range problems {
		fmt.Fprintln(a.err, report.Printable(strings.TrimRight(p.String(), "\n")))
		if !p.Warning {
			mistakes++
		}
	}
	if mistakes > 0 {
		return &exitError{exitUsage, fmt.Errorf("%s; nothing was executed", plural(mistakes, "mistake"))}
	}
	return nil
}

// resolve asks the sources of the inventory for their hosts.
func (l *loaded) resolve(ctx context.Context) (*engine.Inventory, error) {
	inv, pool, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	_ = pool.Close() // what was wanted is here
	return inv, nil
}

// connect is resolve, which leaves its connections open for a run.
func (l *loaded) connect(ctx context.Context) (*engine.Inventory, *run.Pool, error) {
	if l.model == nil {
		return nil, nil, errors.New("which hosts? Say -i INVENTORY (a file or a folder), or set DSPLAY_INVENTORY; nothing was executed")
	}
	pool := run.NewPool(l.wires.transports, l.model.Inventory(), l.observe)
	var silent atomic.Bool
	inv, problems := l.model.Resolve(ctx, func(ctx context.Context, h *engine.Host) (engine.Conn, error) {
		c, err := pool.Get(ctx, h)
		if engine.IsUnreachable(err) {
			silent.Store(true)
		}
		return c, err
	})
	if err := problems.Err(); err != nil {
		_ = pool.Close() // err says more
		code := exitUsage
		if silent.Load() {
			code = exitUnreachable
		}
		return nil, nil, &exitError{code, fmt.Errorf("%w\nthe inventory is not complete without this; nothing was executed", err)}
	}
	return inv, pool, nil
}

// observe notes what the sources of the inventory ask: it belongs to what a plan has looked at.
func (l *loaded) observe(host string, c engine.Conn) {
	o, ok := c.(engine.Observable)
	if !ok {
		return
	}
	o.Observe(func(line string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asked = append(l.asked, request{host, line})
	})
}

// limit turns names of hosts and groups into names of hosts.
func limit(wanted []string, inv *engine.Inventory) ([]string, error) {
	var hosts []string
	for _, n := range wanted {
		members, group := inv.Groups[n]
		switch {
		case group:
			hosts = append(hosts, members...)
		case inv.Hosts[n] != nil:
			hosts = append(hosts, n)
		default:
			return nil, fmt.Errorf("--limit: there is no host or group %q in the inventory.%s Nothing was executed", n, infer.Suggest(n, names(inv, true)))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
