package exec

import (
	"context"
	"regexp"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// PowerShell runs a script on Windows.
func PowerShell() engine.Module {
	return engine.Module{
		Name: "powershell",
		Doc: "Runs a script in Windows PowerShell, without a profile and without questions. It stops at the first error that it does not catch, with the exit code 1 and the error on stderr " +
			"(a script that is to go on sets $ErrorActionPreference = 'Continue'); else its code is what exit says, or that of the last program that it ran." + promise + `
A short script stands on the command line, encoded; a longer one, and everything that it is given, goes over standard input, and the command line holds its hash.`,
		New: func() any { return &Script{} }, Result: Result{}, Targets: []string{string(engine.Windows)},
	}
}

// Script are the arguments of powershell.
type Script struct {
	Script     string                   `hcl:"script" executed:"true" doc:"What PowerShell runs; a param block may begin it."`
	Parameters map[string]engine.Secret `hcl:"parameters,optional" plain:"shown" doc:"Values for its param block, by name. They travel on standard input, so they may be secrets; to the script they are strings."`
	Unless     string                   `hcl:"unless,optional" executed:"true" doc:"A script that changes nothing; the step is only run while it ends with another code than 0."`
	Creates    string                   `hcl:"creates,optional" executed:"true" doc:"A file or folder; the step is only run while it is missing."`
	Stdin      engine.Secret            `hcl:"stdin,optional" plain:"shown" doc:"What the script finds in $input, line by line; may be a secret."`
	Env        map[string]string        `hcl:"env,optional" executed:"true" doc:"Environment variables; they stand on the command line, so they take no secret."`
	Dir        string                   `hcl:"dir,optional" executed:"true" doc:"Working directory."`
	OKCodes    []int                    `hcl:"ok_codes,optional" doc:"Exit codes that are no failure; default: only 0."`

	execution
}

var parameter = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Validate refuses what no host can run.
func (s *Script) Validate() error {
	if strings.TrimSpace(s.Script) == "" {
		return engine.BadArg{Arg: "script", Problem: "must not be empty"}
	}
	for name := range s.Parameters {
		if !parameter.MatchString(name) {
			return engine.BadArg{Arg: "parameters", Problem: "has a name that no parameter can have: " + name}
		}
	}
	return s.job().validate()
}

func (s *Script) job() job {
	j := job{creates: s.Creates, command: engine.Command{PowerShell: s.Script, Params: s.Parameters, Stdin: s.Stdin, Env: s.Env, Dir: s.Dir, OK: s.OKCodes}}
	if s.Unless != "" {
		j.unless = &engine.Command{PowerShell: s.Unless, Env: s.Env, Dir: s.Dir, AnyOK: true}
		j.title = strings.TrimSpace(s.Unless)
	}
	return j
}

// Probe runs the script and tells what it left.
func (s *Script) Probe(ctx context.Context, host engine.Reader) (any, error) {
	return s.probe(ctx, host, s.job())
}

// Check tells whether the script is to be run.
func (s *Script) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	return s.check(ctx, host, s.job())
}

// Apply runs the script.
func (s *Script) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	return result(host.Do(ctx, s.job().command))
}
