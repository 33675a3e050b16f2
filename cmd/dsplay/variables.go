package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/spf13/cobra"
)

// assignment is one --var or --var-file.
type assignment struct {
	file string // of --var-file, else ""
	name string
	lang.Var
}

// registerVars adds --var and --var-file, which fill one list: the later one wins, whichever it is.
func (f *loadFlags) registerVars(c *cobra.Command) {
	c.Flags().Var(assign{&f.vars}, "var", "set a variable; repeatable (also from the environment: DSPLAY_VAR_NAME)")
	c.Flags().Var(assignFile{&f.vars}, "var-file", "set variables from a .hcl or .json file; repeatable. Of --var and --var-file the last one wins")
	completes(c, "var", completeVar)
	completes(c, "var-file", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{"hcl", "json"}, cobra.ShellCompDirectiveFilterFileExt
	})
}

type assign struct{ to *[]assignment }

func (v assign) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("it must be NAME=VALUE; nothing was executed")
	}
	*v.to = append(*v.to, assignment{name: name, Var: lang.Var{Value: value, Origin: "--var " + name}})
	return nil
}

func (v assign) Type() string   { return "NAME=VALUE" }
func (v assign) String() string { return "" }

type assignFile struct{ to *[]assignment }

func (v assignFile) Set(path string) error {
	*v.to = append(*v.to, assignment{file: path})
	return nil
}

func (v assignFile) Type() string   { return "FILE" }
func (v assignFile) String() string { return "" }

// variables collects what is given to a playbook's variables, the weakest first: NAME.vars.hcl and NAME.vars.json
// beside NAME.hcl, the environment, the flags in their order.
func (a *app) variables(playbook string, given loadFlags, environ []string) (map[string]lang.Var, engine.Problems) {
	vars := map[string]lang.Var{}
	var problems engine.Problems
	read := func(path string) {
		found, p := lang.VarFile(path, lang.Options{Secrets: &a.secrets, Unread: given.unread})
		problems = append(problems, p...)
		maps.Copy(vars, found)
	}
	for _, ending := range []string{".vars.hcl", ".vars.json"} {
		path := strings.TrimSuffix(playbook, ".hcl") + ending
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			read(path)
		}
	}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if n, ok := strings.CutPrefix(name, "DSPLAY_VAR_"); ok {
			vars[n] = lang.Var{Value: value, Origin: "environment variable " + name, Ambient: true}
		}
	}
	for _, f := range given.vars {
		if f.file != "" {
			read(f.file)
		} else {
			vars[f.name] = f.Var
		}
	}
	return vars, problems
}
