package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/scenario"
	"github.com/dsplay/dsplay/engine/rehearse"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/inventory"
	"github.com/spf13/cobra"
)

type testFlags struct {
	run     string
	junit   string
	verbose int
}

func (a *app) testCommand() *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "Rehearse playbooks against scenarios, without contacting anything",
		Long: `test runs the tests in files that end in .test.hcl: those named, or those in the folders named (playbooks/ unless said).
A test gives an inventory, what probes would see and what steps would change, and says what must happen:

  # web.test.hcl, beside web.hcl
  state = { ill = [] }                       # the world of the scenario; tests and steps change it
  inventory {
    hosts = { for n in ["web1", "web2"] : n => { groups = ["web"] } }
    group "web" {}
  }
  mock "probe" "service" {                   # answers for every probe of the module service
    result = { exists = true, running = !contains(state.ill, self.name), state = "active" }
  }
  mock "step" "service" "start" {            # answers for the step "start"; it heals its host
    set = { ill = setsubtract(state.ill, [self.name]) }
  }
  test "healthy" {
    expect {}                                # nothing is done, every host is ok
  }
  test "one is down" {
    state = { ill = ["web2"] }
    expect { acts = ["start on web2"] }
  }

What is not expected must not happen: no step, no host that is not ok, no warning, no stop. Whatever is needed must be mocked,
every mock must be used, and results must have every value that the module promises. No connection is opened, and time
passes only in the scenario: fifteen minutes of patience take no time. docs/testing.md explains everything.

EXIT STATUS
  0  every test passed      1  usage or load error: no test of that file was run      3  a test failed`,
		Example: `  dsplay test
  dsplay test playbooks/engine-offline.test.hcl --run 'case B' -v
  dsplay test playbooks/ --junit report.xml`,
		ValidArgsFunction: completeHCL,
		RunE:              func(c *cobra.Command, args []string) error { return a.test(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.run, "run", "", "only tests whose names match this regular expression")
	c.Flags().StringVar(&f.junit, "junit", "", "write the results to this file, too, as JUnit's XML")
	c.Flags().CountVarP(&f.verbose, "verbose", "v", "show how each test goes; twice: every entry; three times: values and conditions, too")
	return c
}

func (a *app) test(ctx context.Context, paths []string, f testFlags) error {
	only, err := regexp.Compile(f.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	files, err := testFiles(paths)
	if err != nil {
		return err
	}
	began := time.Now()
	var suites []rehearse.Suite
	var broken error
	for _, path := range files {
		suite, err := a.testFile(ctx, path, only, f)
		var e *exitError
		if err != nil && !errors.As(err, &e) {
			return err
		}
		broken = errors.Join(broken, err)
		suites = append(suites, suite)
	}
	if f.junit != "" {
		if err := writeJUnit(f.junit, suites); err != nil {
			return err
		}
	}
	failed := a.testSum(suites, time.Since(began))
	switch {
	case broken != nil:
		return broken
	case !slices.ContainsFunc(suites, func(s rehearse.Suite) bool { return len(s.Outcomes) > 0 }):
		return fmt.Errorf("no test has a name that matches %q", f.run)
	case failed:
		return &exitError{code: exitFailed}
	}
	return nil
}

// testFile runs the tests of one file. The error says that it could not be loaded, or that the process is to end.
func (a *app) testFile(ctx context.Context, path string, only *regexp.Regexp, f testFlags) (rehearse.Suite, error) {
	suite := rehearse.Suite{File: path}
	rehearsals, shared, problems := a.wires().rehearsals(path, only)
	if err := a.show(problems); err != nil {
		return suite, err
	}
	suite.Outcomes = make([]rehearse.Outcome, len(rehearsals))
	errs := make([]error, len(rehearsals))
	each(len(rehearsals), f.verbose == 0, func(i int) {
		r := rehearsals[i]
		r.Stop = a.stop
		if f.verbose > 0 {
			fmt.Fprintf(a.out, "=== %s\n", r.Test.Name)
			r.Also = &report.Terminal{W: a.out, Verbose: f.verbose - 1}
		}
		suite.Outcomes[i], errs[i] = r.Run(ctx)
	})
	if err := errors.Join(errs...); err != nil {
		return suite, err
	}
	for _, o := range suite.Outcomes {
		a.testOutcome(o)
		shared = slices.DeleteFunc(slices.Clone(shared), func(m *scenario.Mock) bool { return slices.Contains(o.Used, m) })
	}
	if f.run == "" { // with fewer tests a mock of the file may well be for the others
		for _, m := range shared {
			suite.Failures = append(suite.Failures, rehearse.Unused(m))
		}
	}
	if len(suite.Failures) > 0 {
		fmt.Fprintf(a.out, "FAIL  %s\n", path)
	}
	a.testFailures(suite.Failures)
	return suite, nil
}

// rehearsals loads the tests of a file with all that they need, and gives the mocks of the file, too.
func (w wires) rehearsals(path string, only *regexp.Regexp) ([]rehearse.Rehearsal, []*scenario.Mock, engine.Problems) {
	file, problems := scenario.Load(path, w.modules)
	if problems.Err() != nil {
		return nil, nil, problems
	}
	tests := slices.DeleteFunc(slices.Clone(file.Tests), func(t *scenario.Test) bool { return !only.MatchString(t.Name) })
	out, found := make([]rehearse.Rehearsal, len(tests)), make([]engine.Problems, len(tests))
	each(len(tests), true, func(i int) { out[i], found[i] = w.rehearsal(tests[i]) })
	return out, file.Mocks(), once(slices.Concat(found...))
}

// each calls f for 0 to n-1, on all processors if parallel is true.
func each(n int, parallel bool, f func(i int)) {
	workers := 1
	if parallel {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// rehearsal loads what a test needs. The problems of one playbook come again with each of its tests.
func (w wires) rehearsal(t *scenario.Test) (rehearse.Rehearsal, engine.Problems) {
	r := rehearse.Rehearsal{Test: t}
	// Secrets of an inventory that is used for rehearsal, too, have no business here, and need no redaction: nothing shows settings.
	opts := inventory.Options{Transports: w.transports, Sources: w.sources}
	var model *inventory.Model
	var problems engine.Problems
	if path, bodies := t.Inventory(); path != "" {
		model, problems = inventory.Load(path, opts)
	} else {
		model, problems = inventory.Of(bodies, []engine.File{t.Source()}, ".", opts)
	}
	if problems.Err() != nil {
		return r, problems
	}
	if model.HasSources() {
		return r, engine.Problems{{Summary: "Nobody is asked in a test", Range: t.Range,
			Detail: "The inventory has a source block. Give the hosts of the test by name: inventory { hosts = { … } }."}}
	}
	r.Inventory = model.Inventory()
	program, problems := lang.Load(t.Playbook(), lang.Options{Modules: w.modules, Inventory: r.Inventory, Vars: t.Variables()})
	r.Program = program
	if path := t.Policy(); path != "" {
		var more engine.Problems
		r.Policies, more = lang.LoadPolicies(path, w.modules)
		problems = append(problems, more...)
	}
	if problems.Err() == nil {
		problems = nil // doubts are the matter of validate
	}
	return r, problems
}

func once(problems engine.Problems) engine.Problems {
	var out engine.Problems
	for _, p := range problems {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// testFiles finds the files of tests under paths.
func testFiles(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"playbooks"}
	}
	var files []string
	for _, path := range paths {
		found, err := hclFiles(path)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(found, []string{path}) {
			found = slices.DeleteFunc(found, func(file string) bool { return !strings.HasSuffix(file, scenario.Suffix) })
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no file in %s ends in %s", path, scenario.Suffix)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
