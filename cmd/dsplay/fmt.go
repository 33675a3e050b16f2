package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/format"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
)

func (a *app) fmtCommand() *cobra.Command {
	f := formatter{app: a}
	c := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Lay out playbooks and inventories in the canonical form",
		Long: `fmt rewrites *.hcl files in place: indentation, and the alignment of = and of comments. Comments, line breaks and
texts stay. Folders are searched, with the folders in them (not those whose names begin with a dot); without a PATH it is the
current folder. "-" formats standard input to standard output. A file with a syntax error is reported and left alone.

EXIT STATUS
  0  all is well-formed now      2  --check: files differ      1  usage, or a file that cannot be read or parsed`,
		Example: `  dsplay fmt playbooks/
  dsplay fmt --check --diff .   for CI: what would change; exit 2
  dsplay fmt - < p.hcl          for editors`,
		ValidArgsFunction: completeHCL,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return f.run(args)
		},
	}
	c.Flags().BoolVar(&f.check, "check", false, "write nothing, list the files that differ; exit 2 when there are any")
	c.Flags().BoolVar(&f.diff, "diff", false, "show what changes as a unified diff; without --check it is written, too")
	return c
}

// formatter is one run of fmt.
type formatter struct {
	*app
	check, diff bool

	differ   int
	problems engine.Problems
}

func (f *formatter) run(args []string) error {
	for _, arg := range args {
		if arg == "-" {
			if err := f.stream(); err != nil {
				return err
			}
			continue
		}
		files, err := hclFiles(arg)
		if err != nil {
			return err
		}
		for _, path := range files {
			if err := f.file(path); err != nil {
				return err
			}
		}
	}
	for _, p := range f.problems {
		fmt.Fprintln(f.err, p.String())
	}
	switch {
	case f.problems.Err() != nil:
		return &exitError{exitUsage, errors.New("files with a syntax error were left alone")}
	case f.check && f.differ > 0:
		return &exitError{code: exitChanges}
	}
	return nil
}

// stream formats standard input to standard output; with --check or --diff it shows what a file would.
func (f *formatter) stream() error {
	src, err := io.ReadAll(f.stdin)
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	out, ok := f.source("<stdin>", src)
	switch {
	case !ok:
		return nil
	case f.check || f.diff:
		return f.show("<stdin>", src, out)
	}
	_, err = f.out.Write(out)
	return err
}

func (f *formatter) file(path string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	out, ok := f.source(path, src)
	if !ok || bytes.Equal(src, out) {
		return nil
	}
	if err := f.show(path, src, out); err != nil || f.check {
		return err
	}
	return replace(path, out)
}

func (f *formatter) source(path string, src []byte) ([]byte, bool) {
	out, problems := format.Source(path, src)
	f.problems = append(f.problems, problems...)
	return out, problems.Err() == nil
}

// show names a file that differs, or prints the difference.
func (f *formatter) show(path string, src, out []byte) error {
	if bytes.Equal(src, out) {
		return nil
	}
	f.differ++
	text := []byte(path + "\n")
	if f.diff {
		text = diff.Diff(path, src, path+" (formatted)", out)
	}
	_, err := f.out.Write(text)
	return err
}

// replace writes a file so that it is either the old or the new one, whatever happens in between. Its mode stays;
// a symbolic link is followed.
func replace(path string, data []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".dsplay-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // after the rename there is nothing to remove
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
