// Package initd knows the init scripts of ESXi: what they say, how to restart one without hanging the connection,
// and how to tell afterwards that it really happened.
//
// An ESXi host is a BusyBox shell without /proc, sudo or start times of processes. What is known of the texts is
// the convention "NAME is running" and "NAME is not running"; the exit codes of these scripts are not to be trusted.
package initd

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
)

var running = regexp.MustCompile(`(?i)\bis (not )?running\b`)

// State is what a script says of its service.
type State struct {
	Exists, Running bool
	Word            string // "running", "not running", "unknown", or "missing"
}

// Parse reads the text of a script's status.
func Parse(text string) State {
	m := running.FindStringSubmatch(text)
	switch {
	case m == nil:
		return State{Exists: true, Word: "unknown"}
	case m[1] != "":
		return State{Exists: true, Word: "not running"}
	}
	return State{Exists: true, Running: true, Word: "running"}
}

// Look asks the script. The shell's 127 without a status means that there is none.
func Look(ctx context.Context, host engine.Reader, name string) (State, error) {
	out, err := host.Run(ctx, engine.Command{Argv: []string{script(name), "status"}, AnyOK: true})
	if err != nil {
		return State{}, err
	}
	s := Parse(out.Stdout + "\n" + out.Stderr)
	if s.Word == "unknown" && out.Code == 127 {
		return State{Word: "missing"}, nil
	}
	return s, nil
}

func script(name string) string { return "/etc/init.d/" + name }

func record(name string) string { return "/tmp/dsplay-" + name + ".log" }

// Act is the command for start, stop or restart. The service inherits no stream of the connection, which would
// stay open as long as the service lives; what the script said, its exit code and the host's time stay in a small
// file, which is how a later Prove finds out about an act that was interrupted.
func Act(name, verb string) engine.Command {
	script, record := engine.QuoteSh(script(name)), engine.QuoteSh(record(name))
	return engine.Command{Shell: fmt.Sprintf(`%s %s </dev/null >%s 2>&1; echo "%s: exit $? at $(date +%%s)" >>%[3]s; cat %[3]s`, script, verb, record, verb)}
}

// Done runs Act and waits until the script says what it should.
func Done(ctx context.Context, host engine.Machine, name, verb string) error {
	out, err := host.Do(ctx, Act(name, verb))
	if err != nil {
		return err
	}
	want := "running"
	if verb == "stop" {
		want = "not running"
	}
	last := ""
	err = await.Until(ctx, time.Minute, 2*time.Second, func(ctx context.Context) (bool, error) {
		s, err := Look(ctx, host, name)
		if err == nil {
			last = s.Word
		}
		return s.Word == want, err
	})
	if engine.KindOf(err) == engine.KindTimeout {
		return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: verb + " " + name,
			Msg:  fmt.Sprintf("its status is %q a minute later; the script said: %s", last, oneLine(out.Stdout)),
			Hint: "look into /var/log/syslog.log on the host", Err: err}
	}
	return err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Processes lists the ids of the processes that bear the service's name. None does not mean that it is down:
// a service may call its process something else.
func Processes(ctx context.Context, host engine.Reader, name string) ([]string, error) {
	pattern := "[" + name[:1] + "]" + name[1:] // so that neither grep nor the shell finds itself
	out, err := host.Run(ctx, engine.Command{Shell: "ps | grep " + engine.QuoteSh(pattern), AnyOK: true})
	if err != nil {
		return nil, err
	}
	var ids []string
	for line := range strings.Lines(out.Stdout) {
		words := strings.Fields(line)
		if len(words) < 3 || !slices.ContainsFunc(words[2:], func(w string) bool { return path.Base(w) == name }) {
			continue
		}
		if _, err := strconv.Atoi(words[0]); err == nil {
			ids = append(ids, words[0])
		}
	}
	return ids, nil
}

// Prove shows that the service was restarted after since. before are the processes that ran before, when the
// caller saw them: none of them may have survived. Who did not see them (a run was cut, and another goes on) has
// only the record that the restart left: that it ran to its end after since, on the host's own clock.
func Prove(ctx context.Context, host engine.Reader, name string, since time.Time, before []string) error {
	s, err := Look(ctx, host, name)
	if err != nil {
		return err
	}
	if !s.Running {
		return unproven(host, name, "its status is "+strconv.Quote(s.Word))
	}
	now, err := Processes(ctx, host, name)
	if err != nil {
		return err
	}
	for _, id := range before {
		if slices.Contains(now, id) {
			return unproven(host, name, "process "+id+" is still the one from before")
		}
	}
	if len(before) > 0 && len(now) > 0 {
		return nil
	}
	return proveByRecord(ctx, host, name, since)
}

var ended = regexp.MustCompile(`(?m)^restart: exit \d+ at (\d+)\s*\z`)

func proveByRecord(ctx context.Context, host engine.Reader, name string, since time.Time) error {
	out, err := host.Run(ctx, engine.Command{Shell: "date +%s; cat " + engine.QuoteSh(record(name)), AnyOK: true})
	if err != nil {
		return err
	}
	clock, rest, _ := strings.Cut(out.Stdout, "\n")
	m := ended.FindStringSubmatch(rest)
	if m == nil {
		return unproven(host, name, "the host has no record of a restart that ran to its end")
	}
	now, err1 := strconv.ParseInt(strings.TrimSpace(clock), 10, 64)
	then, err2 := strconv.ParseInt(m[1], 10, 64)
	age := time.Duration(now-then) * time.Second // rounded by less than a second
	if err1 != nil || err2 != nil || age-time.Second >= time.Since(since) {
		return unproven(host, name, fmt.Sprintf("the last restart that the host has on record is %s old", age))
	}
	return nil
}

func unproven(host engine.Reader, name, why string) error {
	return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + name, Msg: "it cannot be shown that it happened: " + why,
		Hint: "look at: /etc/init.d/" + name + " status; ps | grep " + name}
}
