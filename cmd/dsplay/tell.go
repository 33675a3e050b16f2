package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/report/digest"
	"github.com/dsplay/dsplay/engine/report/notify"
	"github.com/spf13/cobra"
)

// tellFlags say who is told of a run that nobody watches.
type tellFlags struct {
	cron    bool
	notify  string
	metrics string
	told    *teller // nil: nobody is
}

func (f *tellFlags) registerTelling(c *cobra.Command) {
	c.Flags().BoolVar(&f.cron, "cron", false, "for cron's mail: print nothing when nothing happened, else one page at the end")
	c.Flags().StringVar(&f.notify, "notify", os.Getenv("DSPLAY_NOTIFY"), "who is told, and of what: a file of notify blocks (default: $DSPLAY_NOTIFY)")
	completes(c, "notify", completeHCL)
	c.Flags().StringVar(&f.metrics, "metrics", "", "write the numbers of the run to this file (NAME.prom), for node_exporter's textfile collector")
}

// checkMetrics refuses a file that nobody would collect.
func checkMetrics(path string) error {
	if path != "" && !strings.HasSuffix(path, ".prom") {
		return fmt.Errorf("--metrics %s: node_exporter reads only files that end in .prom; nothing was executed", path)
	}
	return nil
}

// killedTell is how long people are told after what runs had to be killed.
const killedTell = 10 * time.Second

// teller keeps what of a run has to be told, and tells it. That somebody could not be told changes nothing else.
type teller struct {
	*app
	f        passFlags
	playbook string
	began    time.Time
	to       []engine.Notification
	digest   digest.Digest
	about    digest.About
	begun    bool         // and told
	held     bytes.Buffer // what would have gone to standard error
	stderr   io.Writer
}

// telling does the work of a command, and tells whoever is to be told of how it ended.
func (a *app) telling(ctx context.Context, playbook string, f *passFlags, work func() error) error {
	if !f.cron && f.notify == "" && f.metrics == "" {
		return work()
	}
	t := &teller{app: a, playbook: playbook, began: time.Now(), stderr: a.err}
	if err := t.read(f.tellFlags); err != nil {
		return err
	}
	t.f = *f
	user, host := whoami()
	t.about = digest.About{Machine: host, User: user, Look: t.look()}
	f.told = t
	if f.cron {
		a.err = &t.held
	}
	err := work()
	a.err = t.stderr
	if !t.begun {
		t.unbegun(ctx, err)
	}
	if !f.cron {
		return err
	}
	return t.page(err)
}

// read finds out who is to be told. What is wrong there is found before anything is executed.
func (t *teller) read(f tellFlags) error {
	if err := checkMetrics(f.metrics); err != nil {
		return err
	}
	if f.notify == "" {
		return nil
	}
	var err error
	t.to, err = t.notifications(f.notify)
	return err
}

func (a *app) notifications(path string) ([]engine.Notification, error) {
	to, problems := lang.LoadNotifications(path, lang.NotifyOptions{Types: notify.Types(), Secrets: &a.secrets})
	return to, a.show(problems)
}

// look is a command line that looks again and changes nothing.
func (t *teller) look() string {
	if !strings.HasSuffix(t.playbook, ".hcl") || t.f.load.inventory == "" { // a plan or a run that could not be read
		return ""
	}
	return fmt.Sprintf("dsplay run %s -i %s --check", engine.QuoteSh(t.playbook), engine.QuoteSh(t.f.load.inventory))
}

// tell tells of a run before its record is closed: that somebody could not be told belongs into it.
func (s *session) tell(err error) {
	t := s.f.told
	if t == nil {
		return
	}
	t.begun = true
	t.playbook, t.f.load.inventory = s.path, s.f.load.inventory // of a plan they are known only now
	t.about.Look = t.look()
	if s.record.file != nil {
		t.about.Journal = s.record.file.Dir()
		if tip, err := s.record.file.Tip(); err == nil { // else the run has said that it cannot be written
			t.about.Hash = tip
		}
	}
	problem := ""
	if err != nil {
		problem = s.redact(err.Error())
	}
	t.digest.End(s.exit(codeOf(err)), problem, time.Now())
	t.tell(s.c.Context(), func(who string, err error) {
		_ = s.runner.Log(engine.Event{Kind: engine.EventNotify, Title: who, Status: "failed", Reason: s.redact(err.Error())}) // the run is over, whoever reads that
	})
}

// unbegun tells of a run that could not begin.
func (t *teller) unbegun(ctx context.Context, err error) {
	if codeOf(err) == exitOK {
		return
	}
	redact := report.NewRedactor(&t.secrets).Text
	t.digest.Unbegun(t.playbook, t.began, time.Now(), t.exit(codeOf(err)), redact(t.why(err)))
	t.tell(ctx, func(who string, err error) {
		fmt.Fprintf(t.err, "dsplay: could not be told: %s: %s\n", who, report.Printable(redact(err.Error())))
	})
}

// why is what kept a run from beginning, with the mistakes that were found.
func (t *teller) why(err error) string {
	return strings.TrimSpace(err.Error() + "\n" + t.held.String())
}

// tell sends the messages and writes the metrics, and reports what failed.
func (t *teller) tell(ctx context.Context, failed func(who string, err error)) {
	if ctx.Err() != nil { // it was killed: what is left is to say so
		var cancel func()
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), killedTell)
		defer cancel()
	}
	if len(t.digest.Occasions()) > 0 && len(t.to) > 0 {
		for _, o := range notify.Send(ctx, t.to, t.digest.Message(t.about), t.memory()) {
			if o.Err != nil {
				failed(o.To.String(), o.Err)
			}
		}
	}
	if t.f.metrics != "" {
		if err := t.measure(); err != nil {
			failed("metrics", err)
		}
	}
}

// memory keeps from repeating; without a state folder there is none.
func (t *teller) memory() *notify.Memory {
	dir, err := stateDir()
	if err != nil {
		return nil
	}
	return &notify.Memory{Dir: filepath.Join(dir, "told"), Now: time.Now}
}

// measure writes the metrics, readable for who collects them.
func (t *teller) measure() error {
	before, err := os.ReadFile(t.f.metrics)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	labels := digest.Labels{Playbook: filepath.Base(t.playbook), Inventory: filepath.Base(t.f.load.inventory)}
	return replaceFile(t.f.metrics, t.digest.Metrics(labels, before), 0o644)
}

// page prints what cron mails: nothing when nothing happened.
func (t *teller) page(err error) error {
	if t.digest.Quiet() || !t.begun && codeOf(err) == exitOK { // the latter: another run is at it, and this one was told to leave it
		return err
	}
	w := t.out
	if t.f.json {
		w = t.err
	}
	text := t.digest.Page(t.about)
	held := t.held.String()
	if plainLocale(os.Getenv) {
		text, held = digest.ASCII(text), digest.ASCII(held)
	}
	if t.begun { // else the page has it
		_, _ = io.WriteString(t.stderr, held) // where nobody reads it there is the page
	}
	if _, werr := io.WriteString(w, text); werr != nil {
		return errors.Join(err, werr)
	}
	if code := codeOf(err); code != exitOK {
		return &exitError{code: code} // the page has said it
	}
	return nil
}

// plainLocale tells whether the locale of the environment is one of ASCII, as cron's is when nothing else is said.
func plainLocale(env func(string) string) bool {
	if runtime.GOOS == "windows" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return true
}
