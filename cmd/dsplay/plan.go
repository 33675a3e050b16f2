package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/show"
	"github.com/spf13/cobra"
)

type planFlags struct {
	passFlags
	out      string
	expires  time.Duration
	detailed bool
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan PLAYBOOK",
		Short: "Look, and write down exactly what would be done, to be approved and applied later",
		Long: `plan looks at the estate, changes nothing, and decides every branch that can be decided now. With --out the result is a
file: it holds the playbook itself, what was seen, every decision with its reason, every command line that may be executed,
the identities of the hosts, and the worst case in numbers. No secret is in it.

  dsplay show PLAN                     read it: text, Markdown, or HTML for a change ticket, in English or Japanese
  dsplay approve PLAN --key KEY        sign it
  dsplay apply PLAN                    do it: exactly this and nothing else

apply loads the playbook from the plan, not from the disk. It must begin before the plan expires, once.
` + exitHelp,
		Example: `  dsplay plan playbooks/engine-offline.hcl -i inventory.hcl --out night.plan
  dsplay plan playbooks/engine-offline.hcl -i inventory.hcl --out night.plan --expires 8h --limit esx2
  dsplay plan playbooks/engine-offline.hcl -i inventory.hcl --offline    contact nothing: what depends on what`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlaybook,
		RunE:              func(c *cobra.Command, args []string) error { return a.planFile(c, args[0], f) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	f.load.register(c)
	a.registerScope(c, &f.passFlags)
	f.registerOutput(c)
	c.Flags().StringVarP(&f.out, "out", "o", "", "write the plan to this file (readable for you only)")
	c.Flags().DurationVar(&f.expires, "expires", 24*time.Hour, "how long it may be applied")
	c.Flags().BoolVar(&f.offline, "offline", false, "contact nothing; what would have to be looked at is unknown, and the plan cannot be applied")
	c.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	return c
}

func (a *app) planFile(c *cobra.Command, path string, f planFlags) error {
	if f.expires <= 0 {
		return fmt.Errorf("--expires %s: a plan must be valid for some time; nothing was executed", f.expires)
	}
	s, err := a.begin(c, path, f.passFlags)
	if err != nil {
		return err
	}
	return s.during(false, func() error { return s.planFile(f) })
}

func (s *session) planFile(f planFlags) error {
	p, res, err := s.look()
	if err != nil {
		return err
	}
	s.looked = res
	d, err := s.document(p, f.expires)
	if err != nil {
		return err
	}
	if err := s.brief(d); err != nil {
		return err
	}
	if f.out != "" {
		if err := s.save(d, f.out); err != nil {
			return err
		}
	}
	code := exitOK
	if f.detailed && len(p.Acting()) > 0 {
		code = exitChanges
	}
	if code == exitOK && len(p.Acting()) == 0 {
		return s.end(res)
	}
	return s.planned(p, code)
}

// save writes the file at once or not at all.
func (s *session) save(d *plan.Document, path string) error {
	n, err := writePlan(d, path)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.text(), "\nSaved as %s (%s), valid until %s.\n  id %s\n%s\n", path, size(n), clock(d.Until), d.ID, next(d, path))
	return nil
}

// next is what a person does with a plan that was saved. One that can never be applied is not to be approved either.
func next(d *plan.Document, path string) string {
	switch {
	case d.Offline, d.Stop != nil:
		return fmt.Sprintf("It is a record only: apply refuses it. To read it: dsplay show %s", path)
	case d.Worst.Entries == 0:
		return fmt.Sprintf("Nothing would be done, so there is nothing to approve. To read it: dsplay show %s", path)
	}
	return fmt.Sprintf("Next: dsplay show %[1]s --format html; dsplay approve %[1]s --key KEY; dsplay apply %[1]s --expect %[2]s", path, d.ID)
}

// writePlan writes the file of a plan, gives the plan its id, and tells how many bytes it is.
func writePlan(d *plan.Document, path string) (int, error) {
	data, err := d.Encode()
	if err != nil {
		return 0, err
	}
	if err := replaceFile(path, data, 0o600); err != nil {
		return 0, fmt.Errorf("the plan cannot be written: %w", err)
	}
	return len(data), nil
}

// replaceFile replaces a file by one of a mode, whatever the umask, at once or not at all.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".dsplay-*") // until then its mode is 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func size(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// brief shows a plan to people, as far as they need it to say yes.
func (s *session) brief(d *plan.Document) error {
	return show.Brief(s.text(), d, show.Options{Lang: language(os.Getenv), Zone: time.Local, Now: time.Now()})
}
