package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/plan/show"
	"github.com/spf13/cobra"
)

type showFlags struct{ format, lang, out string }

func (a *app) showCommand() *cobra.Command {
	var f showFlags
	c := &cobra.Command{
		Use:   "show PLAN",
		Short: "Show a plan for whoever has to approve it: as text, as a page, for a ticket",
		Long: `show reads a plan that "dsplay plan --out" wrote, checks that it was not altered, and shows all of it: what is touched and
why, what exactly is executed, what is lost meanwhile, how to go back, until when it is valid, what could not be looked
at. Nothing is contacted; the same plan always shows the same. Steps that are the same on many hosts are shown once.

  text       for a terminal
  html       one file for a browser, a ticket's attachment, or paper: with a picture of the estate and every host to unfold;
             it loads nothing and needs no script
  markdown   to paste into a ticket
  json       the plan's file, laid out for jq; docs/plan.schema.json describes it

The name of a run is taken, too: see "dsplay runs show".

Dates are shown in the zone of this machine (TZ). Who approved a plan is not in it:
"dsplay verify" tells.
` + exitHelp,
		Example: `  dsplay show engine.plan
  dsplay show engine.plan --format html --out engine.html               attach this to the change ticket
  dsplay show engine.plan --format html --lang ja --out engine-ja.html  the same in Japanese
  dsplay show engine.plan --format markdown | xclip -selection clipboard
  dsplay show engine.plan --format json | jq -r '.plan.items[].diff.commands[]?'`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlan,
		RunE:              func(_ *cobra.Command, args []string) error { return a.showPlanOrRun(args[0], f) },
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVar(&f.format, "format", show.Formats[0], strings.Join(show.Formats, ", "))
	completes(c, "format", cobra.FixedCompletions(show.Formats, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringVar(&f.lang, "lang", "", "en or ja (default: ja where LC_ALL, LC_MESSAGES or LANG says so, else en)")
	completes(c, "lang", cobra.FixedCompletions(show.Languages, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringVarP(&f.out, "out", "o", "", "write to this file (mode 0600) instead of standard output")
	return c
}

// showPlanOrRun shows a run where the name is that of one, and of no file.
func (a *app) showPlanOrRun(name string, f showFlags) error {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && filepath.Base(name) == name {
		if state, err := stateDir(); err == nil {
			if info, err := os.Stat(journal.Dir(state, name)); err == nil && info.IsDir() {
				return a.showRun(name, f.format, 0)
			}
		}
	}
	return a.showPlan(name, f)
}

func (a *app) showPlan(path string, f showFlags) error {
	if f.lang == "" {
		f.lang = language(os.Getenv)
	}
	if !slices.Contains(show.Formats, f.format) {
		return fmt.Errorf("--format %q: it must be one of %s", f.format, strings.Join(show.Formats, ", "))
	}
	if !slices.Contains(show.Languages, f.lang) {
		return fmt.Errorf("--lang %q: it must be %s", f.lang, strings.Join(show.Languages, " or "))
	}
	_, doc, err := readPlan(path)
	if err != nil {
		return err
	}
	o := show.Options{Lang: f.lang, Zone: time.Local, Now: time.Now()}
	if f.out == "" {
		return show.Write(a.out, doc, f.format, o)
	}
	return writeTo(f.out, func(w io.Writer) error { return show.Write(w, doc, f.format, o) })
}

// language is the one of the person's environment, if there are texts in it.
func language(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			if strings.HasPrefix(value, "ja") {
				return "ja"
			}
			break
		}
	}
	return show.Languages[0]
}

// writeTo writes a file that only its owner can read. A file that could not be written whole is an error.
func writeTo(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		_ = file.Close()
		return fmt.Errorf("%s is not complete: %w", path, err)
	}
	return file.Close()
}
