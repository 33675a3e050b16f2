package machine

import (
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// What we and sudo say to each other on stderr. They are part of the command line and must not change between a
// plan and its apply, so they are fixed.
const (
	sudoPrompt  = "dsplay-sudo-password:"
	sudoStarted = "dsplay-sudo-started"
	sudoInput   = "dsplay-sudo-input"
)

// reserved are words that a POSIX shell does not take for a command where a command is expected.
var reserved = []string{
	"!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while",
	"function", "select", "time", "coproc",
}

// posixFragment is c as shell text, and whether it is a simple command: words that sudo can be put before.
func posixFragment(c engine.Command) (text string, simple bool, err error) {
	env, err := assignments(c.Env)
	if err != nil {
		return "", false, err
	}
	switch {
	case c.Shell != "" && (env != "" || c.Dir != ""):
		text, simple = env+"sh -c "+engine.QuoteSh(c.Shell), true
	case c.Shell != "":
		text = c.Shell
	case strings.ContainsRune(c.Argv[0], '='):
		return "", false, engine.BadArg{Arg: "argv", Problem: "must not begin with a word that contains ="}
	default:
		text, simple = env+words(c.Argv), true
	}
	if c.Dir == "" {
		return text, simple, nil
	}
	return "cd " + engine.QuoteSh(c.Dir) + " && " + text, false, nil
}

func words(argv []string) string {
	quoted := make([]string, len(argv))
	for i, word := range argv {
		quoted[i] = engine.QuoteSh(word)
	}
	if slices.Contains(reserved, argv[0]) {
		quoted[0] = "'" + argv[0] + "'"
	}
	return strings.Join(quoted, " ")
}

// assignments is "env A=1 B=2 ", or "" without variables.
func assignments(env map[string]string) (string, error) {
	if len(env) == 0 {
		return "", nil
	}
	text := "env "
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !isVariable(name) {
			return "", engine.BadArg{Arg: "env", Problem: "has a name that no environment variable can have: " + name}
		}
		text += name + "=" + engine.QuoteSh(env[name]) + " "
	}
	return text, nil
}

func isVariable(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// posix renders c for a POSIX shell. Without sudo, shell text goes to the login shell as it is.
func posix(c engine.Command, sudo *engine.Sudo) (call, error) {
	text, simple, err := posixFragment(c)
	if err != nil || sudo == nil {
		return call{line: text}, err
	}
	if !simple {
		text = "sh -c " + engine.QuoteSh(text)
	}
	if sudo.Method != "" && sudo.Method != "sudo" || sudo.TTY {
		return become(text, sudo, !c.Stdin.IsZero()), nil
	}
	r := call{sudo: true, password: sudo.Password}
	line := "sudo -n"
	if !sudo.Password.IsZero() {
		// -k: a ticket of an earlier call would hide a wrong password, and the prompt would be missing.
		line = "sudo -k -S -p " + sudoPrompt
		// Who becomes root may as well have the password of who may; a lesser user's command could imitate the prompt of a
		// sudo that does not ask (NOPASSWD), so it is known when sudo is done.
		if r.marked = !c.Stdin.IsZero() || sudo.User != "" && sudo.User != "root"; r.marked {
			text = "sh -c " + engine.QuoteSh("echo "+sudoStarted+` >&2; exec "$@"`) + " sh " + text
		}
	}
	if sudo.User != "" {
		line += " -u " + engine.QuoteSh(sudo.User)
	}
	r.line = line + " -- " + text
	return r, nil
}
