package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/plan/policy"
	"github.com/dsplay/dsplay/engine/report/notify"
	"github.com/dsplay/dsplay/engine/schedule"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// fileFlags are the flags of run whose values are files: somewhere else they would be other files.
var fileFlags = []string{"inventory", "policy", "notify", "metrics"}

// alone is what a run says that starts again and again with nobody there: one that the run before is still at is no alarm, and one
// that hangs does not keep all others from starting for ever.
var alone = map[string]string{"lock": lockSkip, "deadline": "4h"}

// ownFlags are those of schedule install; the others are run's.
var ownFlags = []string{"when", "name", "systemd", "user", "delay", "credential", "dry-run", "yes", "help"}

// job is the run that is to be started, after everything was read that it will read.
func (a *app) job(c *cobra.Command, playbook string, f scheduleFlags) (schedule.Job, error) {
	j := schedule.Job{Name: f.name, When: f.when}
	if err := a.foresee(c, playbook, f); err != nil {
		return j, err
	}
	self, err := selfPath(os.Args[0])
	if err != nil {
		return j, err
	}
	path, err := filepath.Abs(playbook)
	if err != nil {
		return j, err
	}
	given, err := a.given(c, f)
	if err != nil {
		return j, err
	}
	j.Argv = append([]string{self, "run", path, "--cron"}, given...)
	for _, name := range []string{"LANG", "LC_ALL"} {
		if v := os.Getenv(name); v != "" {
			j.Env = append(j.Env, name+"="+v)
		}
	}
	for _, name := range []string{"XDG_STATE_HOME", lockDir} {
		if v := os.Getenv(name); filepath.IsAbs(v) && !(name == "XDG_STATE_HOME" && f.systemd && isRoot()) { // a unit of the machine has its own state
			j.Env = append(j.Env, name+"="+v)
		}
	}
	return j, nil
}

// given are the flags of the run, with whole paths, in an order that does not change.
func (a *app) given(c *cobra.Command, f scheduleFlags) ([]string, error) {
	var out []string
	var failed error
	add := func(name, value string) {
		if slices.Contains(fileFlags, name) || name == "var-file" || name == "ssh-config" {
			var err error
			if value, err = filepath.Abs(value); err != nil {
				failed = err
			}
		}
		out = append(out, "--"+name+"="+value)
	}
	c.Flags().VisitAll(func(fl *pflag.Flag) {
		if slices.Contains(ownFlags, fl.Name) || slices.Contains(askingFlags, fl.Name) || fl.Name == "var" || fl.Name == "var-file" {
			return
		}
		if !fl.Changed && (!slices.Contains(fileFlags, fl.Name) || fl.Value.String() == "") { // a file may come from the environment of now
			return
		}
		if list, ok := fl.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				add(fl.Name, v)
			}
			return
		}
		add(fl.Name, fl.Value.String())
	})
	for name, value := range alone {
		if !c.Flags().Changed(name) {
			add(name, value)
		}
	}
	slices.Sort(out)
	for _, v := range f.run.load.vars { // in their order: the last one wins
		if v.file != "" {
			add("var-file", v.file)
		} else {
			add("var", v.name+"="+v.Var.Value)
		}
	}
	return out, failed
}

// foresee reads what the run will read, and refuses what would fail at night.
func (a *app) foresee(c *cobra.Command, playbook string, f scheduleFlags) error {
	if err := errors.Join(f.run.bounds.check(), checkMetrics(f.run.metrics)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(f.run.metrics)); err != nil { // without --metrics this folder
		return fmt.Errorf("--metrics %s: %w", f.run.metrics, err)
	}
	var sources []string
	f.run.load.unread = func(source string) { sources = append(sources, source) }
	if f.run.load.inventory == "" {
		return errors.New("which hosts? Say -i INVENTORY (a file or a folder), or set DSPLAY_INVENTORY")
	}
	l, err := a.load(playbook, f.run.load)
	if err != nil {
		return err
	}
	if err := noSecretThere(l.program.Vars(), f.run.load.vars); err != nil {
		return err
	}
	policies, err := a.policies(f.run.policy)
	if err != nil {
		return err
	}
	if err := permittedBy(policies, l.program.Playbook()); err != nil {
		return err
	}
	if f.run.notify != "" {
		_, problems := lang.LoadNotifications(f.run.notify, lang.NotifyOptions{Types: notify.Types(), Secrets: &a.secrets, Unread: f.run.load.unread})
		if err := a.show(problems); err != nil {
			return err
		}
	}
	if !f.systemd {
		if _, err := schedule.ParseWhen(f.when); err != nil {
			return err
		}
	}
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "DSPLAY_VAR_") {
			return fmt.Errorf("%s is set in this shell and will not be there: unset it, and say --var %s=… instead", name, strings.TrimPrefix(name, "DSPLAY_VAR_"))
		}
	}
	return secretsThere(sources, f)
}

// proxyNote tells of a proxy of this shell. It is not written into the schedule: its URL may hold a password.
func proxyNote(where string) []string {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		if os.Getenv(name) != "" {
			return []string{fmt.Sprintf(`%s of this shell is not there, and webhooks and connections with proxy = "environment" heed it: set it %s.`, name, where)}
		}
	}
	return nil
}

// noSecretThere refuses the value of a secret variable: everybody who can see processes would see it.
func noSecretThere(vars []engine.Arg, given []assignment) error {
	for _, g := range given {
		for _, v := range vars {
			if g.file == "" && v.Name == g.name && strings.HasPrefix(v.Value, "«secret") {
				return fmt.Errorf(`--var %s: the variable is a secret, which would stand on a command line for everybody: put %[1]s = secret("file:PATH") into a file and give it with --var-file`, g.name)
			}
		}
	}
	return nil
}

// permittedBy refuses a playbook that none of the policies would ever permit.
func permittedBy(policies []engine.Policy, p *engine.Playbook) error {
	var why []string
	for _, pol := range policies {
		v := policy.Before(pol, p)
		if v.Permitted {
			return nil
		}
		for _, r := range v.Rules {
			if !r.Passed {
				why = append(why, v.Policy+": "+r.Name+": "+r.Reason)
			}
		}
	}
	return fmt.Errorf("no policy permits this playbook (%s)", strings.Join(why, "; "))
}

// secretsThere refuses secrets that will not be there when nobody has logged in.
func secretsThere(sources []string, f scheduleFlags) error {
	for _, s := range sources {
		kind, name, _ := strings.Cut(s, ":")
		switch {
		case kind == "env":
			return fmt.Errorf(`secret("%s") will not be there: a run on a schedule has none of this shell's variables. Write secret("file:PATH") (a file of mode 0600), or with --systemd secret("credential:%s")`, s, strings.ToLower(name))
		case kind == "credential" && !f.systemd:
			return fmt.Errorf(`secret("%s") is given by systemd: add --systemd, or write secret("file:PATH")`, s)
		case kind == "credential" && !slices.ContainsFunc(f.credentials, func(c string) bool { return strings.HasPrefix(c, name+"=") }):
			return fmt.Errorf(`secret("%s"): say from which file: --credential %s=FILE`, s, name)
		}
	}
	return nil
}

// selfPath is where this program is for whoever starts it later: as it was called, so that a link that points to the newest version
// still does then.
func selfPath(called string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	found, err := exec.LookPath(called)
	if err != nil {
		return self, nil //nolint:nilerr // it was called in a way that does not name it
	}
	if found, err = filepath.Abs(found); err != nil {
		return self, nil //nolint:nilerr // likewise
	}
	one, err1 := os.Stat(self)
	other, err2 := os.Stat(found)
	if err1 == nil && err2 == nil && os.SameFile(one, other) {
		return found, nil
	}
	return self, nil
}

func isRoot() bool { return os.Geteuid() == 0 }
