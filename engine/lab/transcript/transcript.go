// Package transcript checks a conversation with a simulated shell against a text file, for tests. A file is read
// line by line:
//
//	# a comment
//	! break driver-stopped      an act on the simulated system, which the test knows
//	$ sc query vsepflt          a command; "<<< text" behind it is its input, with \n for line ends
//	any other line              expected output; "2| text" is expected on the error stream
//	= 1060                      the expected exit code; it ends the command
//
// Blanks at line ends and carriage returns do not count. "<…>" in an expected line stands for any text without a
// line end, and a line that is only "..." for any lines.
package transcript

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Shell runs one command and gives what it printed and its exit code.
type Shell func(line, input string) (stdout, stderr string, code int64)

// Act does what a line with an exclamation mark says.
type Act func(words []string) error

// Check runs the conversation in a file. With update it writes the real output into the file instead.
func Check(t *testing.T, file string, run Shell, act Act, update bool) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out, expected []string
	command, at := "", 0
	for i, text := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		kind, rest, _ := strings.Cut(text, " ")
		switch {
		case kind == "$":
			command, at, expected = rest, i+1, nil
			out = append(out, text)
		case kind == "!":
			out = append(out, text)
			if err := act(strings.Fields(rest)); err != nil {
				t.Fatalf("%s:%d: %s: %v", file, i+1, text, err)
			}
		case kind == "=" && command != "":
			got := converse(run, command)
			if update {
				out = append(out, got...)
			} else if want := append(expected, text); !matches(want, got) {
				t.Errorf("%s:%d: $ %s\n--- want\n%s\n--- got\n%s", file, at, command, strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
			command = ""
		case command != "":
			expected = append(expected, text)
		default:
			out = append(out, text)
		}
	}
	if command != "" {
		t.Errorf("%s:%d: no line with the exit code of $ %s", file, at, command)
	}
	if update {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// converse runs one command and gives the lines that a file would hold.
func converse(run Shell, command string) []string {
	line, input, _ := strings.Cut(command, " <<< ")
	stdout, stderr, code := run(line, strings.ReplaceAll(input, `\n`, "\n"))
	lines := split(stdout)
	for _, l := range split(stderr) {
		lines = append(lines, strings.TrimRight("2| "+l, " "))
	}
	return append(lines, fmt.Sprintf("= %d", code))
}

func split(text string) []string {
	text = strings.ReplaceAll(text, "\r", "")
	if text == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return lines
}

// matches compares lines; see the package comment for the wildcards.
func matches(want, got []string) bool {
	var pattern strings.Builder
	pattern.WriteString("^")
	for _, w := range want {
		if w == "..." {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		for i, part := range strings.Split(strings.TrimRight(w, " "), "<…>") {
			if i > 0 {
				pattern.WriteString(".*")
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
		pattern.WriteString(`\n`)
	}
	return regexp.MustCompile(pattern.String() + "$").MatchString(strings.Join(got, "\n") + "\n")
}
