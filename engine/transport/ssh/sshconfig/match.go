package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// match judges the conditions of a Match line, all of which must hold. Where nothing counts, no command is run.
func (s *state) match(ctx context.Context, l *line, never bool) (bool, error) {
	host, err := s.matchHost()
	if err != nil {
		return false, l.errorf("%w", err)
	}
	holds, words, number := !never, l.args, 0
	for len(words) > 0 {
		name, arg, rest, err := criterion(words)
		if err != nil {
			return false, l.errorf("%w", err)
		}
		name, negated := strings.CutPrefix(name, "!")
		words = rest
		if name == "all" {
			if number > 1 || len(rest) > 0 {
				return false, l.errorf("Match all stands alone")
			}
			return holds && !negated, nil
		}
		number++
		yes, err := s.criterion(ctx, name, arg, host, holds)
		if err != nil {
			return false, l.errorf("%w", err)
		}
		holds = holds && yes != negated
	}
	if number == 0 {
		return false, l.errorf("Match needs a condition")
	}
	return holds, nil
}

// criterion takes the first condition from the words: "user root", "user=root", "user = root" or "all".
func criterion(words []string) (name, arg string, rest []string, err error) {
	name, arg, given := strings.Cut(words[0], "=")
	name, rest = strings.ToLower(name), words[1:]
	switch strings.TrimPrefix(name, "!") {
	case "all", "canonical", "final":
		return name, "", rest, nil
	}
	if (!given || arg == "") && len(rest) > 0 {
		arg, rest = rest[0], rest[1:]
		if arg == "=" && !given && len(rest) > 0 {
			arg, rest = rest[0], rest[1:]
		}
	}
	if arg == "" {
		return "", "", nil, fmt.Errorf("condition %q needs a value", name)
	}
	return name, arg, rest, nil
}

// matchHost is what Match host is compared with.
func (s *state) matchHost() (string, error) {
	v, ok := s.values["hostname"]
	switch {
	case s.final:
		return s.text("hostname"), nil
	case ok:
		return expand(v.args[0], map[byte]string{'h': s.host}, nil)
	}
	return s.host, nil
}

func (s *state) criterion(ctx context.Context, name, arg, host string, holds bool) (bool, error) {
	switch name {
	case "final", "canonical": // canonical: names are not made canonical, and ssh makes no difference either in a second pass
		s.wantFinal = s.wantFinal || name == "final"
		return s.final, nil
	case "host":
		return matchesList(strings.ToLower(host), arg, true), nil
	case "originalhost":
		return matchesList(strings.ToLower(s.query.Host), arg, true), nil
	case "user":
		return matchesList(s.user(), arg, false), nil
	case "localuser":
		return matchesList(s.query.LocalUser, arg, false), nil
	case "localnetwork":
		return onNetwork(arg)
	case "tagged":
		return matchesList(s.text("tag"), arg, false), nil
	case "exec":
		tokens := s.tokens(host)
		if tokens['k'] = s.text("hostkeyalias"); tokens['k'] == "" {
			tokens['k'] = host
		}
		line, err := expand(arg, tokens, nil)
		if err != nil || !holds {
			return false, err
		}
		if s.query.NoExec {
			return false, ErrExec
		}
		return s.file.exec(ctx, line)
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// patience is how long at most a command of Match exec may take.
const patience = 10 * time.Second

// succeeds runs a line by the user's shell, without input and output, and kills what is not done in time.
func succeeds(ctx context.Context, line string) (bool, error) {
	shell := os.Getenv("SHELL")
	if shell == "" {
		shell = "/bin/sh"
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(limited, shell, "-c", line)
	alone(cmd)
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, fmt.Errorf("match exec %q: %w", line, ctx.Err())
	case limited.Err() != nil:
		return false, fmt.Errorf("match exec %q was not done within %s", line, patience)
	case errors.As(err, &exit) && exit.Exited():
		return false, nil
	}
	return false, fmt.Errorf("match exec %q: %w", line, err)
}
