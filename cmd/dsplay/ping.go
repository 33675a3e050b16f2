package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
	"github.com/dsplay/dsplay/engine/ping"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type pingFlags struct {
	load     loadFlags
	limit    []string
	parallel int
	json     bool
	verbose  bool
}

func (a *app) pingCommand() *cobra.Command {
	var f pingFlags
	c := &cobra.Command{
		Use:   "ping PATTERN…",
		Short: "Try the connection of every host: what works, what is offered, what takes so long, what to change",
		Long: `ping opens the connection of every host that is meant, as a run would, and says of each what works: network, identity
(host key or certificate), login, platform, sudo where the inventory has a sudo block, and the login of a vCenter or a DSM.
Where something does not work it says at which stage, why, and what to change in the inventory or on the host.
It says besides what the host offers, how long every stage takes, which settings make the connection weaker, and what will
not hold for long: a certificate that ends within 30 days, SHA-1, a login shell that takes half a second, clocks that differ.

A PATTERN is a host, a group, "all", or a name with * ? [ ] in it. No playbook is needed and nothing is changed: what runs on
a host are true, date and, on Windows, ver; and true by sudo. A password is tried once.

EXIT STATUS
  0  everything works on every host       9  no host is meant
  3  a host can be reached, and something does not work on it
  4  hosts cannot be reached or logged in to, everything else works
  1  usage or inventory error      129, 130, 143  stopped by a signal`,
		Example: `  dsplay ping dsva1 -i inventory.hcl                    one host
  dsplay ping all -i inventory.hcl                      everything, 50 hosts at a time
  dsplay ping 'esx*' vc1 -i inventory.hcl -v            all stages, with what was agreed on
  dsplay ping guests --limit esx1-guests -i inv.hcl     those of a group that are in another one, too
  dsplay ping all -i inv.hcl --json | jq -r '.hosts[] | select(.error) | .host + ": " + .error.text'`,
		Args: takes(1, 10_000),
		RunE: func(c *cobra.Command, args []string) error { return a.ping(c, args, f) },
	}
	c.ValidArgsFunction = a.completeHosts(&f.load, true)
	c.SetFlagErrorFunc(wrongFlag)
	f.load.registerInventory(c)
	c.Flags().StringSliceVarP(&f.limit, "limit", "l", nil, "of these hosts or groups only")
	completes(c, "limit", a.completeHosts(&f.load, true))
	c.Flags().IntVar(&f.parallel, "parallel", 50, "hosts at a time")
	c.Flags().BoolVar(&f.json, "json", false, "write one JSON document to standard output; everything for people goes to standard error")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every stage, with what was found or agreed on")
	return c
}

func (a *app) ping(c *cobra.Command, patterns []string, f pingFlags) error {
	if f.parallel < 1 {
		return fmt.Errorf("--parallel %d: at least 1 host at a time", f.parallel)
	}
	if f.load.inventory == "" {
		return errors.New("which hosts? Say -i INVENTORY (a file or a folder), or set DSPLAY_INVENTORY")
	}
	l, problems := a.hosts(f.load)
	if err := a.show(problems); err != nil {
		return err
	}
	defer heedPipes()()
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	go func() {
		select {
		case <-a.stop: // nothing is changed here, so nothing needs to end in order
			stop()
		case <-ctx.Done():
		}
	}()
	inv, whole := a.found(ctx, l, append(slices.Clone(patterns), f.limit...))
	hosts, err := meant(patterns, f.limit, inv)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		return &exitError{exitNoHosts, fmt.Errorf("no host is meant by %s", strings.Join(append(patterns, f.limit...), " "))}
	}
	r, err := a.pingAll(ctx, run.NewPool(l.wires.transports, inv, nil), hosts, f)
	if err != nil {
		return err
	}
	return pingExit(r, whole, patterns)
}

// found is the inventory with the hosts of its sources. They are not asked when every name is that of a host that is
// written; and one that does not answer keeps only its own hosts from being tried: then it is not the whole.
func (a *app) found(ctx context.Context, l *loaded, names []string) (inv *engine.Inventory, whole bool) {
	written := l.model.Inventory()
	unwritten := func(name string) bool { return written.Hosts[name] == nil }
	if !l.model.HasSources() || !slices.ContainsFunc(names, unwritten) {
		return written, true
	}
	inv, err := l.resolve(ctx)
	if err == nil {
		return inv, true
	}
	text, _, _ := strings.Cut(err.Error(), "\nthe inventory is not complete")
	fmt.Fprintln(a.err, report.Printable(report.NewRedactor(&a.secrets).Text(text)))
	fmt.Fprintln(a.err, "only the hosts that are written in the inventory are tried")
	return written, false
}

// meant are the hosts of the patterns that are in limit, too; sorted.
func meant(patterns, limited []string, inv *engine.Inventory) ([]*engine.Host, error) {
	wanted, err := matching(patterns, inv)
	if err != nil {
		return nil, err
	}
	if limited != nil {
		only, err := limit(limited, inv)
		if err != nil {
			return nil, err
		}
		wanted = slices.DeleteFunc(wanted, func(name string) bool { return !slices.Contains(only, name) })
	}
	hosts := make([]*engine.Host, len(wanted))
	for i, name := range wanted {
		hosts[i] = inv.Hosts[name]
	}
	return hosts, nil
}

func matching(patterns []string, inv *engine.Inventory) ([]string, error) {
	var wanted []string
	for _, p := range patterns {
		members, group := inv.Groups[p]
		switch {
		case group:
			wanted = append(wanted, members...)
		case inv.Hosts[p] != nil:
			wanted = append(wanted, p)
		case !strings.ContainsAny(p, "*?["):
			return nil, fmt.Errorf("there is no host or group %q in the inventory.%s", p, infer.Suggest(p, names(inv, true)))
		default:
			for _, name := range names(inv, true) {
				fits, err := path.Match(p, name)
				if err != nil {
					return nil, fmt.Errorf("%q is no pattern: a [ has no ] after it, or nothing between them", p)
				}
				if members, group := inv.Groups[name]; fits && group {
					wanted = append(wanted, members...)
				} else if fits {
					wanted = append(wanted, name)
				}
			}
		}
	}
	slices.Sort(wanted)
	return slices.Compact(wanted), nil
}

// pingAll tries the hosts, and shows each as soon as those before it are done.
func (a *app) pingAll(ctx context.Context, pool *run.Pool, hosts []*engine.Host, f pingFlags) (ping.Report, error) {
	w := a.textOut(passFlags{json: f.json})
	p := &pingView{w: w, total: len(hosts), verbose: f.verbose, color: isTerminal(w) && os.Getenv("NO_COLOR") == ""}
	if isTerminal(a.err) {
		p.live = a.err
		if f, ok := a.err.(*os.File); ok {
			p.columns, _, _ = term.GetSize(int(f.Fd())) // 0 when it does not say
		}
	}
	for _, h := range hosts {
		p.width = min(max(p.width, len(h.Name)), 20)
	}
	began, end := time.Now(), p.animate()
	r, err := ping.Run(ctx, hosts, ping.Options{Pool: pool, Parallel: f.parallel, Now: time.Now, Told: p.told, Ended: p.over, Done: p.done,
		Text: report.NewRedactor(&a.secrets).Text})
	end()
	_ = pool.Close() // that a connection would not close properly is nothing to act on
	if err != nil {
		return r, err
	}
	p.sum(r, time.Since(began))
	if f.json {
		return r, errors.Join(p.err, writePing(a.out, r))
	}
	return r, p.err
}

func writePing(w io.Writer, r ping.Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// pingExit is 0 when everything works. A host without a connection is nothing bad (of a guest others may tell), unless
// it was named itself, or nothing else was meant.
func pingExit(r ping.Report, whole bool, named []string) error {
	nothing := r.NoWay == len(r.Hosts) || slices.ContainsFunc(r.Hosts, func(h ping.Host) bool { return h.Status == ping.NoWay && slices.Contains(named, h.Name) })
	switch {
	case r.Failed > 0, nothing:
		return &exitError{code: exitFailed}
	case r.Unreachable > 0, r.NotTried > 0, !whole:
		return &exitError{code: exitUnreachable}
	}
	return nil
}
