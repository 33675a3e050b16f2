package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

const consoleHelp = `An expression is evaluated and its value printed; with open brackets it goes on in the next line.
  type(EXPRESSION)   the type of an expression, also of one that is not known
  .host [NAME]       choose a host; without a name, list those that took part
  .play [NAME]       choose a play; without a name, list them
  .help              this list
  exit               the end (also Ctrl-D)
Names: var. local. group. host["NAME"]. play.NAME.hosts play.NAME.missing run.id
With a host: self.; with a play, too: probe.NAME. step.NAME. block.NAME. include.NAME.
`

// lines gives the lines of r, without their ends.
func lines(r io.Reader) func(more bool) (string, error) {
	in := bufio.NewReader(r)
	return func(bool) (string, error) {
		line, err := in.ReadString('\n')
		if err != nil && line == "" {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
}

// read reads lines until the end of them, or exit. next gives a line; it is told whether it goes on with the one before.
// The error says that something could not be evaluated.
func (c *console) read(next func(more bool) (string, error)) error {
	var text []string
	wrong := 0
	for {
		line, err := c.wait(next, len(text) > 0)
		switch {
		case errors.Is(err, io.EOF) && len(text) == 0:
			return c.verdict(wrong)
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case err == nil && len(text) == 0 && !c.expression(line, &wrong):
			if leaves(line) {
				return c.verdict(wrong)
			}
			continue
		case err == nil:
			text = append(text, line)
		}
		whole := strings.Join(text, "\n")
		if err == nil && lang.Incomplete(whole) {
			continue
		}
		if !c.evaluate(whole) {
			wrong++
		}
		text = nil
	}
}

// verdict is the error of a session in which so many lines were wrong.
func (c *console) verdict(wrong int) error {
	if wrong > 0 {
		return &exitError{code: exitUsage}
	}
	return nil
}

func leaves(line string) bool {
	return slices.Contains([]string{"exit", "quit", ".exit", ".quit"}, strings.TrimSpace(line))
}

// expression tells whether a line begins an expression. If not, it is a comment, a command, which is obeyed, or the end.
func (c *console) expression(line string, wrong *int) bool {
	line = strings.TrimSpace(line)
	name, arg, _ := strings.Cut(line, " ")
	switch {
	case leaves(line):
		return false
	case line == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, "//"):
	case strings.HasPrefix(line, "."), line == "help":
		if !c.command("."+strings.TrimPrefix(name, "."), strings.TrimSpace(arg)) {
			*wrong++
		}
	default:
		return true
	}
	c.Skip(line)
	return false
}

// wait waits for a line, or for a signal.
func (c *console) wait(next func(bool) (string, error), more bool) (string, error) {
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := next(more)
		got <- read{line, err}
	}()
	select {
	case r := <-got:
		return r.line, r.err
	case <-c.stop:
		return "", &exitError{code: exitSIGINT}
	}
}

// command does what a line that begins with a dot asks for; false: it could not be done.
func (c *console) command(name, arg string) bool {
	switch {
	case name == ".help":
		fmt.Fprint(c.to, consoleHelp)
	case name == ".play" && arg == "":
		c.list(c.plays(), c.at.Play)
	case name == ".play" && slices.Contains(c.plays(), arg):
		c.at.Play = arg
	case name == ".play":
		fmt.Fprintf(c.errs, "there is no play %q.%s\n", arg, infer.Suggest(arg, c.plays()))
		return false
	case name == ".host" && arg == "":
		c.list(c.candidates(), c.at.Host)
	case name == ".host" && c.has(arg):
		c.at.Host = arg
	case name == ".host":
		fmt.Fprintf(c.errs, "there is no host %q.%s\n", arg, infer.Suggest(arg, c.everyone()))
		return false
	default:
		fmt.Fprintf(c.errs, "there is no command %q.%s .help lists them.\n", name, infer.Suggest(name, []string{".help", ".host", ".play"}))
		return false
	}
	return true
}

func (c *console) list(names []string, chosen string) {
	for _, name := range names {
		mark := " "
		if name == chosen {
			mark = "*"
		}
		fmt.Fprintln(c.to, mark, name)
	}
}

// plays are the plays of the playbook, in its order.
func (c *console) plays() []string {
	var names []string
	for _, item := range c.Playbook().Items {
		if item.Play != nil {
			names = append(names, item.Play.Name)
		}
	}
	return names
}

// candidates are the hosts that took part in the chosen play, or without a record those of the inventory.
func (c *console) candidates() []string {
	if c.record == nil {
		return c.inv.Names()
	}
	return c.record.Hosts(c.pass, c.at.Play)
}

// everyone are all hosts of the inventory and of the record.
func (c *console) everyone() []string {
	all := c.inv.Names()
	if c.record != nil {
		all = append(all, c.record.Hosts(c.pass, "")...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *console) has(host string) bool {
	return c.inv.Hosts[host] != nil || slices.Contains(c.everyone(), host)
}
