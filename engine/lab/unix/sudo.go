package unix

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// sudoCall is a command line of sudo.
type sudoCall struct {
	user                                   string
	prompt                                 string
	never, stdin, forget, remove, validate bool // -n -S -k -K -v
	shell, list                            bool // -s or -i; -l
	env                                    map[string]string
	argv                                   []string
}

const ticketLives = 5 * time.Minute // of lab time

func parseSudo(args []string, prompt string) (s sudoCall, bad string) {
	s = sudoCall{user: "root", prompt: prompt, env: map[string]string{}}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "--") {
			return s, "long options are not simulated in this lab: " + arg
		}
		for i, flag := range strings.TrimLeft(arg, "-") {
			switch flag {
			case 'n':
				s.never = true
			case 'S':
				s.stdin = true
			case 'k':
				s.forget = true
			case 'K':
				s.remove = true
			case 'v':
				s.validate = true
			case 's', 'i':
				s.shell = true
			case 'l':
				s.list = true
			case 'H', 'E', 'b', 'A':
			case 'p', 'u', 'g':
				value := arg[i+2:]
				if value == "" && len(args) > 0 {
					value, args = args[0], args[1:]
				}
				if flag == 'p' {
					s.prompt = value
				} else if flag == 'u' {
					s.user = value
				}
			default:
				return s, fmt.Sprintf("invalid option -- '%c'", flag)
			}
			if strings.ContainsRune("pug", flag) {
				break
			}
		}
	}
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.Contains(args[0], "/") {
		name, value, _ := strings.Cut(args[0], "=")
		s.env[name] = value
		args = args[1:]
	}
	s.argv = args
	return s, ""
}

// sudo lets users run commands as root. It asks for the password as sudo 1.8 does without a terminal: on the error
// stream, one line of the input per try, three tries. Groups and the rules of a sudoers file are not simulated.
func (d *DSVA) sudo(ctx context.Context, c *call) int {
	s, bad := parseSudo(c.args, "[sudo] password for "+c.user+": ")
	switch {
	case bad != "" || len(s.argv) == 0 && !s.forget && !s.remove && !s.validate && !s.shell && !s.list:
		if bad != "" {
			c.fail(1, "%s", bad)
		}
		fmt.Fprintln(c.stderr, "usage: sudo -h | -K | -k | -V\nusage: sudo [-AknS] [-p prompt] [-u user] [VAR=value] [-i|-s] [<command>]")
		return 1
	case s.remove || s.forget && len(s.argv) == 0 && !s.validate && !s.shell:
		d.ticket(c.user, time.Time{})
		return 0
	case !c.m.knows(s.user):
		return c.fail(1, "unknown user: %s", s.user)
	}
	if code := d.authenticate(ctx, c, s); code != 0 {
		return code
	}
	if slices.Contains(d.cfg.NoSudo, c.user) {
		fmt.Fprintf(c.stderr, "%s is not in the sudoers file.  This incident will be reported.\n", c.user)
		return 1
	}
	switch {
	case s.list:
		fmt.Fprintf(c.stdout, "User %s may run the following commands on %s:\n    (ALL) ALL\n", c.user, c.m.name)
		return 0
	case s.shell && len(s.argv) == 0:
		s.argv = []string{"/bin/" + c.m.shell}
	case s.shell:
		s.argv = []string{"/bin/" + c.m.shell, "-c", strings.Join(s.argv, " ")}
	case len(s.argv) == 0:
		return 0
	}
	return d.runAs(ctx, c, s)
}

func (d *DSVA) runAs(ctx context.Context, c *call, s sudoCall) int {
	child := *c
	child.user, child.env = s.user, c.m.environment(s.user)
	child.env["PATH"] = "/sbin:/bin:/usr/sbin:/usr/bin" // secure_path
	child.env["SUDO_USER"] = c.user
	for name, value := range s.env {
		child.env[name] = value
	}
	if _, err := child.find(s.argv[0]); err != nil {
		return c.fail(1, "%s: command not found", s.argv[0])
	}
	return child.run(ctx, s.argv)
}

// authenticate asks for the password where it is needed. Who is not in the sudoers file is asked all the same.
func (d *DSVA) authenticate(ctx context.Context, c *call, s sudoCall) int {
	free := d.cfg.SudoPassword == "" && !slices.Contains(d.cfg.NoSudo, c.user)
	if c.user == "root" || free || !s.forget && d.hasTicket(c.user) {
		return 0
	}
	if s.never {
		return c.fail(1, "a password is required")
	}
	if !s.stdin {
		c.fail(1, "a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper")
		return c.fail(1, "a password is required")
	}
	for try := range 3 {
		prompt := strings.NewReplacer("%u", c.user, "%p", c.user, "%U", s.user, "%h", c.m.name, "%%", "%").Replace(s.prompt)
		fmt.Fprint(c.stderr, prompt)
		line, ok := readLine(c.stdin)
		switch {
		case !ok && try == 0:
			c.fail(1, "no password was provided")
			return c.fail(1, "a password is required")
		case !ok:
			c.fail(1, "no password was provided")
			return c.fail(1, "%s", attempts(try))
		case d.right(line):
			if !s.forget {
				d.ticket(c.user, time.Now())
			}
			return 0
		}
		if d.m.clock.Wait(ctx, 2*time.Second) != nil { // PAM's delay
			return 1
		}
		if try < 2 {
			fmt.Fprintln(c.stderr, "Sorry, try again.")
		}
	}
	return c.fail(1, "%s", attempts(3))
}

func attempts(n int) string {
	if n == 1 {
		return "1 incorrect password attempt"
	}
	return fmt.Sprintf("%d incorrect password attempts", n)
}

func (d *DSVA) right(password string) bool {
	return d.cfg.SudoPassword != "" && subtle.ConstantTimeCompare([]byte(password), []byte(d.cfg.SudoPassword)) == 1
}

func (d *DSVA) ticket(user string, at time.Time) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.tickets[user] = at
}

func (d *DSVA) hasTicket(user string) bool {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return time.Since(d.tickets[user]) < d.m.clock.Real(ticketLives)
}

// readLine takes one line, byte by byte, so that the rest stays for the command.
func readLine(in io.Reader) (string, bool) {
	if in == nil {
		return "", false
	}
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		if n > 0 && one[0] == '\n' {
			return string(line), true
		}
		line = append(line, one[:n]...)
		if err != nil {
			return string(line), len(line) > 0
		}
	}
}
