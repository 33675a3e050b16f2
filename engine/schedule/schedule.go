// Package schedule knows how cron and systemd are told to start a run at its time: the exact text that they get, how it stands
// among what others wrote, and when it is due next. It writes nothing itself.
package schedule

import (
	"fmt"
	"regexp"
	"strings"
)

// Job is a command that is started at its times, by whoever does that.
type Job struct {
	Name string   // what it is called among the jobs of this account
	When string   // crontab(5) or systemd.time(7)
	Argv []string // whole paths, as nobody knows in which folder it is started
	Env  []string // NAME=value, besides what cron or systemd give
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}$`)

// CheckName refuses names that could mean something else to a shell, in a comment, or as a file.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("the name %q of a schedule is made of small letters, digits, - and _, and begins with a letter or a digit", name)
	}
	return nil
}

// check refuses what would become another line.
func (j Job) check() error {
	if err := CheckName(j.Name); err != nil {
		return err
	}
	return oneLine(append(append([]string{j.When}, j.Argv...), j.Env...)...)
}

func oneLine(texts ...string) error {
	for _, text := range texts {
		if strings.ContainsAny(text, "\n\r\x00") {
			return fmt.Errorf("%q has a line end in it, which would become a line of its own", text)
		}
	}
	return nil
}
