package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// longest is how long a line of a crontab may be for every cron: Vixie's, which Debian has, takes 1,000 bytes of a command.
const longest = 990

var marked = regexp.MustCompile(`^# (BEGIN|END) dsplay schedule ([a-z0-9_-]+)( .*)?$`)

// Line is the line of a crontab that starts a job: env gives what cron does not, in whatever shell cron uses.
func (j Job) Line() (string, error) {
	if err := j.check(); err != nil {
		return "", err
	}
	if _, err := ParseWhen(j.When); err != nil {
		return "", err
	}
	var words []string
	if len(j.Env) > 0 {
		words = append(words, "/usr/bin/env")
	}
	for _, w := range append(append([]string{}, j.Env...), j.Argv...) {
		words = append(words, engine.QuoteSh(w))
	}
	command := strings.Join(words, " ")
	if strings.Contains(command, `\%`) || strings.Contains(command, `\\`) {
		return "", errors.New("a backslash before another one or before % is not the same for every cron: put such a value into a file (--var-file)")
	}
	command = strings.ReplaceAll(command, "%", `\%`) // crontab(5): else it is a line end
	if len(command) > longest {
		return "", fmt.Errorf("the command has %d bytes, and cron takes %d: put variables into a file (--var-file), or shorten the paths", len(command), longest)
	}
	return j.When + " " + command, nil
}

// Put gives a crontab in which a job stands, in the place of the one of its name; everything else stays to the byte.
func Put(tab string, j Job) (string, error) {
	line, err := j.Line()
	if err != nil {
		return "", err
	}
	rest, _, err := Remove(tab, j.Name)
	if err != nil {
		return "", err
	}
	if rest != "" && !strings.HasSuffix(rest, "\n") {
		rest += "\n" // cron takes no last line without an end
	}
	return fmt.Sprintf("%s# BEGIN dsplay schedule %s (dsplay schedule remove %[2]s takes it away)\n%s\n# END dsplay schedule %[2]s\n", rest, j.Name, line), nil
}

// Remove gives a crontab without a job, and whether it was there.
func Remove(tab, name string) (rest string, found bool, err error) {
	var out strings.Builder
	err = walk(tab, func(line, of string) {
		if of == name {
			found = true
			return
		}
		out.WriteString(line)
	})
	return out.String(), found, err
}

// Entry is a job as a crontab has it.
type Entry struct{ Name, When, Command string }

// Entries are the jobs of a crontab that dsplay wrote.
func Entries(tab string) ([]Entry, error) {
	var out []Entry
	err := walk(tab, func(line, of string) {
		line = strings.TrimSpace(line)
		if of == "" || line == "" || strings.HasPrefix(line, "#") {
			return
		}
		when, command := split(line)
		out = append(out, Entry{of, when, strings.ReplaceAll(command, `\%`, "%")})
	})
	return out, err
}

// split parts a line of a crontab into its time and its command.
func split(line string) (when, command string) {
	n := 5
	if strings.HasPrefix(line, "@") {
		n = 1
	}
	fields := strings.Fields(line)
	if len(fields) <= n {
		return line, ""
	}
	rest := line
	for _, f := range fields[:n] {
		rest = strings.TrimLeft(rest[strings.Index(rest, f)+len(f):], " \t")
	}
	return strings.Join(fields[:n], " "), rest
}

// walk gives every line with its end, and the name of the job to which it belongs; "": it is somebody else's. Marks that do not
// fit together are an error: nobody knows what is whose.
func walk(tab string, visit func(line, of string)) error {
	within := ""
	for line := range strings.Lines(tab) {
		m := marked.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		switch {
		case m == nil:
			visit(line, within)
		case m[1] == "BEGIN" && within == "":
			within = m[2]
			visit(line, within)
		case m[1] == "END" && within == m[2]:
			visit(line, within)
			within = ""
		default:
			return fmt.Errorf("the crontab has the line %q where it cannot stand: somebody changed the marks of dsplay; put them right with crontab -e", strings.TrimSpace(line))
		}
	}
	if within != "" {
		return fmt.Errorf("the crontab has a BEGIN of schedule %s and no END: somebody changed the marks of dsplay; put them right with crontab -e", within)
	}
	return nil
}
