package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/rehearse"
)

// testOutcome prints a line for a test, and below it what went wrong.
func (a *app) testOutcome(o rehearse.Outcome) {
	word, lasted := "ok  ", ""
	if !o.Passed() {
		word = "FAIL"
	}
	if o.Lasted > 0 {
		lasted = fmt.Sprintf(" (%s)", o.Lasted.Round(time.Second))
	}
	fmt.Fprintf(a.out, "%s  %s: %s%s\n", word, o.Test.Range.File, o.Test.Name, lasted)
	for _, p := range o.Problems {
		fmt.Fprintln(a.out, indent(p.String()))
	}
	a.testFailures(o.Failures)
}

func (a *app) testFailures(failures []rehearse.Failure) {
	for _, f := range failures {
		fmt.Fprintln(a.out, indent(f.String()))
	}
}

func indent(text string) string {
	return "      " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n      ")
}

// testSum prints the last line, and tells whether something failed.
func (a *app) testSum(suites []rehearse.Suite, took time.Duration) bool {
	tests, failed, lone := 0, 0, false
	for _, s := range suites {
		tests += len(s.Outcomes)
		lone = lone || len(s.Failures) > 0
		for _, o := range s.Outcomes {
			if !o.Passed() {
				failed++
			}
		}
	}
	fmt.Fprintf(a.out, "%s, %d failed (%s)\n", plural(tests, "test"), failed, took.Round(time.Millisecond))
	return failed > 0 || lone
}

func writeJUnit(path string, suites []rehearse.Suite) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--junit: %w", err)
	}
	if err := rehearse.WriteJUnit(file, suites); err != nil {
		_ = file.Close() // the first error says more
		return fmt.Errorf("--junit: %w", err)
	}
	return file.Close()
}
