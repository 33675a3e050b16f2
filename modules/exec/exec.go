// Package exec knows how to run what an author wrote: a command with its words, or a text for the host's shell.
package exec

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

var platforms = []string{string(engine.POSIX), string(engine.ESXi), string(engine.Windows)}

const promise = ` As a probe it runs while planning: that it changes nothing is the author's promise.
As a step its effect is not known, and it ends as "ran"; with creates or unless it is only run where they do not hold, they are asked again afterwards, and it ends as "changed" or "unchanged".`

// Command runs a program without a shell between.
func Command() engine.Module {
	return engine.Module{
		Name: "command",
		Doc:  "Runs a command; its words reach the program as they are, dsplay quotes them for the host." + promise,
		New:  func() any { return &Argv{} }, Result: Result{}, Targets: platforms,
	}
}

// Shell runs a text in the shell of the host.
func Shell() engine.Module {
	return engine.Module{
		Name: "shell",
		Doc:  "Runs a text in the shell of the host: sh, or cmd.exe on Windows. Quote what you put into it with shq or psq; better, use command." + promise,
		New:  func() any { return &Text{} }, Result: Result{}, Targets: platforms,
	}
}

// Argv are the arguments of command.
type Argv struct {
	Argv    []string          `hcl:"argv" executed:"true" doc:"The program and its arguments, one word each."`
	Unless  []string          `hcl:"unless,optional" executed:"true" doc:"A command that changes nothing; the step is only run while it ends with another code than 0."`
	Creates string            `hcl:"creates,optional" executed:"true" doc:"A file or folder; the step is only run while it is missing."`
	Stdin   engine.Secret     `hcl:"stdin,optional" plain:"shown" doc:"Sent on standard input; may be a secret."`
	Env     map[string]string `hcl:"env,optional" executed:"true" doc:"Environment variables; they stand on the command line, so they take no secret."`
	Dir     string            `hcl:"dir,optional" executed:"true" doc:"Working directory."`
	OKCodes []int             `hcl:"ok_codes,optional" doc:"Exit codes that are no failure; default: only 0."`

	execution
}

// Text are the arguments of shell.
type Text struct {
	Text    string            `hcl:"text" executed:"true" doc:"What the shell runs."`
	Unless  string            `hcl:"unless,optional" executed:"true" doc:"A text that changes nothing; the step is only run while it ends with another code than 0."`
	Creates string            `hcl:"creates,optional" executed:"true" doc:"A file or folder; the step is only run while it is missing."`
	Stdin   engine.Secret     `hcl:"stdin,optional" plain:"shown" doc:"Sent on standard input; may be a secret."`
	Env     map[string]string `hcl:"env,optional" executed:"true" doc:"Environment variables; they stand on the command line, so they take no secret."`
	Dir     string            `hcl:"dir,optional" executed:"true" doc:"Working directory."`
	OKCodes []int             `hcl:"ok_codes,optional" doc:"Exit codes that are no failure; default: only 0."`

	execution
}

// Result is what a command left.
type Result struct {
	Stdout string `hcl:"stdout" doc:"Standard output as the host sent it, line ends included."`
	Stderr string `hcl:"stderr" doc:"Standard error."`
	Code   *int   `hcl:"code" doc:"Exit code; null when nothing was run because creates or unless holds."`
}

// Validate refuses what no host can run.
func (a *Argv) Validate() error {
	if len(a.Argv) == 0 || a.Argv[0] == "" {
		return engine.BadArg{Arg: "argv", Problem: "must name a program"}
	}
	if a.Unless != nil && (len(a.Unless) == 0 || a.Unless[0] == "") {
		return engine.BadArg{Arg: "unless", Problem: "must name a program"}
	}
	return a.job().validate()
}

// Validate refuses what no host can run.
func (t *Text) Validate() error {
	if strings.TrimSpace(t.Text) == "" {
		return engine.BadArg{Arg: "text", Problem: "must not be empty"}
	}
	return t.job().validate()
}

func (a *Argv) job() job {
	j := job{creates: a.Creates, command: engine.Command{Argv: a.Argv, Stdin: a.Stdin, Env: a.Env, Dir: a.Dir, OK: a.OKCodes}}
	if a.Unless != nil {
		j.unless = &engine.Command{Argv: a.Unless, Env: a.Env, Dir: a.Dir, AnyOK: true}
	}
	return j
}

func (t *Text) job() job {
	j := job{creates: t.Creates, command: engine.Command{Shell: t.Text, Stdin: t.Stdin, Env: t.Env, Dir: t.Dir, OK: t.OKCodes}}
	if t.Unless != "" {
		j.unless = &engine.Command{Shell: t.Unless, Env: t.Env, Dir: t.Dir, AnyOK: true}
	}
	return j
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (j job) validate() error {
	for name := range j.command.Env {
		if !variable.MatchString(name) {
			return engine.BadArg{Arg: "env", Problem: fmt.Sprintf("%q is not the name of a variable", name)}
		}
	}
	if strings.ContainsAny(j.creates, "\"\r\n\x00") { // none of them can be in a path of Windows
		return engine.BadArg{Arg: "creates", Problem: "must be one path, without quotes"}
	}
	if slices.ContainsFunc(j.command.OK, func(code int) bool { return code < 0 || code > 1<<32-1 }) {
		return engine.BadArg{Arg: "ok_codes", Problem: "must be exit codes, from 0 on"}
	}
	return nil
}

// Probe runs the command and tells what it left.
func (a *Argv) Probe(ctx context.Context, host engine.Reader) (any, error) {
	return a.probe(ctx, host, a.job())
}

// Probe runs the text and tells what it left.
func (t *Text) Probe(ctx context.Context, host engine.Reader) (any, error) {
	return t.probe(ctx, host, t.job())
}

// Check tells whether the command is to be run.
func (a *Argv) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	return a.check(ctx, host, a.job())
}

// Check tells whether the text is to be run.
func (t *Text) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	return t.check(ctx, host, t.job())
}

// Apply runs the command.
func (a *Argv) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	return result(host.Do(ctx, a.job().command))
}

// Apply runs the text.
func (t *Text) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	return result(host.Do(ctx, t.job().command))
}
