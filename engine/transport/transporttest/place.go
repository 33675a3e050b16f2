package transporttest

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// environment: every nasty word as the value of a variable.
func (s *suite) environment(t *testing.T) {
	if s.c.Env == nil {
		t.Skip("this target has no program that prints its environment")
	}
	words := slices.DeleteFunc(s.words(), func(w string) bool { return s.Windows && w == "" }) // there it means: none
	s.arrive(t, slices.Collect(slices.Chunk(words, 20)), func(words []string) engine.Command {
		c := engine.Command{Argv: slices.Clone(s.c.Env), Env: map[string]string{}}
		for i, word := range words {
			name := "DSPLAY_TEST_" + strconv.Itoa(i)
			c.Argv, c.Env[name] = append(c.Argv, name), word
		}
		return c
	})
}

// directory: a command runs where it is to run, whatever the name of the place; and not at all if there is no such place.
func (s *suite) directory(t *testing.T) {
	host := s.machine(t)
	name := "dsplay test " + strconv.Itoa(int(seed.Add(1))) + " it's & $HOME ^ ü日 (x)"
	separator := "/"
	if s.Windows {
		separator = `\`
	}
	folder := strings.TrimSuffix(s.c.Folder, separator) + separator + name
	if _, err := host.Run(t.Context(), engine.Command{Shell: "mkdir " + s.quotePath(folder)}); err != nil {
		t.Fatal(err)
	}
	out, err := host.Run(t.Context(), engine.Command{Shell: s.c.Pwd, Dir: folder})
	if got := strings.TrimRight(out.Stdout, "\r\n"); err != nil || got != folder {
		t.Errorf("it runs in %q, want %q: %v", got, folder, err)
	}
	if s.c.Args != nil {
		out, err := host.Run(t.Context(), engine.Command{Argv: append(slices.Clone(s.c.Args), "here"), Dir: folder})
		if got := s.parseArgs(out.Stdout); err != nil || !slices.Equal(got, []string{"here"}) {
			t.Errorf("an argv in a directory: %q, %v", got, err)
		}
	}
	if _, err := host.Run(t.Context(), s.c.Remove(folder)); err != nil {
		t.Error(err)
	}
	out, err = host.Run(t.Context(), engine.Command{Shell: s.c.Pwd, Dir: folder})
	if engine.KindOf(err) != engine.KindExit || out.Stdout != "" {
		t.Errorf("in a directory that is not there: %q, %v", out.Stdout, err)
	}
}

func (s *suite) quotePath(path string) string {
	if s.Windows {
		return `"` + path + `"`
	}
	return engine.QuoteSh(path)
}

func (s *suite) missingFile(t *testing.T) {
	host := s.machine(t)
	path := strings.TrimSuffix(s.c.Folder, `\`) + "/dsplay no such folder/file"
	if s.Windows {
		path = strings.ReplaceAll(path, "/", `\`)
	}
	if data, err := host.ReadFile(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there gives %q, %v", data, err)
	}
	read := "cat "
	if s.Windows {
		read = "type "
	}
	r := exec(t.Context(), s.open(t), read+s.quotePath(path), "")
	if r.err != nil || r.code != 1 || r.stdout != "" || r.stderr == "" {
		t.Errorf("the host's own complaint: %+v", r)
	}
}

// fullDisk: neither the code nor the words may be lost.
func (s *suite) fullDisk(t *testing.T) {
	if s.c.Full == "" {
		t.Skip("this target has no full device")
	}
	r := exec(t.Context(), s.open(t), s.c.Full, "what has no place\n")
	if r.err != nil || r.code != 1 || !strings.Contains(strings.ToLower(r.stderr), "space") {
		t.Errorf("%d, %v, %q", r.code, r.err, r.stderr)
	}
}
