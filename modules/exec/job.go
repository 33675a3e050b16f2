package exec

import (
	"context"
	"fmt"

	"github.com/dsplay/dsplay/engine"
)

// job is a command and what says that it is not needed.
type job struct {
	command engine.Command
	unless  *engine.Command
	title   string // of unless, where its line is not what a person reads; "": the line
	creates string
}

// execution remembers what this instance is being used for.
type execution struct{ step bool }

// probe runs the command. Once Check has been asked this is a step, and what it runs may change something: then
// nothing is run here, also when the engine asks what a step left that had nothing to do.
func (e *execution) probe(ctx context.Context, host engine.Reader, j job) (any, error) {
	if e.step {
		return Result{}, nil
	}
	return result(host.Run(ctx, j.command))
}

func result(out engine.Output, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return Result{Stdout: out.Stdout, Stderr: out.Stderr, Code: &out.Code}, nil
}

// check asks creates and unless. The job is needed while every one that is given does not hold.
func (e *execution) check(ctx context.Context, host engine.Reader, j job) (engine.Diff, error) {
	e.step = true
	diff := engine.Diff{Opaque: j.creates == "" && j.unless == nil}
	if j.creates != "" {
		there, err := exists(ctx, host, j.creates)
		if err != nil || there {
			return engine.Diff{Note: j.creates + " exists"}, err
		}
		diff.Changes = append(diff.Changes, engine.Change{What: j.creates, Before: "missing", After: "exists"})
	}
	if j.unless != nil {
		change, done, err := j.holds(ctx, host)
		if err != nil || done {
			return engine.Diff{Note: change.What + " succeeds"}, err
		}
		diff.Changes = append(diff.Changes, change)
	}
	line, err := host.Line(ctx, j.command)
	diff.Commands = []string{line}
	return diff, err
}

// holds runs unless.
func (j job) holds(ctx context.Context, host engine.Reader) (engine.Change, bool, error) {
	title := j.title
	if title == "" {
		var err error
		if title, err = host.Line(ctx, *j.unless); err != nil {
			return engine.Change{}, false, err
		}
	}
	out, err := host.Run(ctx, *j.unless)
	return engine.Change{What: title, Before: fmt.Sprintf("exit %d", out.Code), After: "exit 0"}, err == nil && out.Code == 0, err
}

// exists asks for a path in the way of the platform. cmd.exe replaces %NAME% in it.
func exists(ctx context.Context, host engine.Reader, path string) (bool, error) {
	platform, err := host.Platform(ctx)
	if err != nil {
		return false, err
	}
	ask := engine.Command{Argv: []string{"test", "-e", path}, OK: []int{0, 1}}
	if platform == engine.Windows {
		ask = engine.Command{Shell: fmt.Sprintf(`if not exist "%s" exit 1`, path), OK: []int{0, 1}}
	}
	out, err := host.Run(ctx, ask)
	return err == nil && out.Code == 0, err
}
