package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// interact reads from a terminal, with editing, history and completion. What was wrong is no matter for the exit status.
func (c *console) interact() error {
	fd := int(c.stdin.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return err
	}
	defer func() { _ = term.Restore(fd, before) }() // a terminal that is gone needs none
	err = c.converse(struct {
		io.Reader
		io.Writer
	}{c.stdin, os.Stdout}, func() (int, int) {
		width, height, err := term.GetSize(fd)
		if err != nil || width < 1 || height < 1 {
			return 80, 24 // a serial line does not know
		}
		return width, height
	})
	if e := new(exitError); errors.As(err, &e) && e.code == exitUsage {
		return nil
	}
	return err
}

// converse is interact over anything that behaves like a terminal in raw mode, of a size that is asked for before each line.
func (c *console) converse(rw io.ReadWriter, size func() (width, height int)) error {
	t := term.NewTerminal(rw, "> ")
	c.to, c.errs = t, t
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		return c.complete(t, line, pos)
	}
	fmt.Fprintf(t, "%s\n", c.greeting())
	return c.read(func(more bool) (string, error) {
		_ = t.SetSize(size()) // only the layout of long lines depends on it
		t.SetPrompt("> ")
		if more {
			t.SetPrompt("… ")
		}
		line, err := t.ReadLine()
		switch {
		case errors.Is(err, term.ErrPasteIndicator):
			err = nil
		case errors.Is(err, io.EOF): // Ctrl-D: the shell's prompt goes on its own line
			fmt.Fprint(rw, "\r\n")
		}
		return line, err
	})
}

// greeting says what is looked at.
func (c *console) greeting() string {
	text := "Expressions, .help, exit."
	if c.record != nil {
		text = fmt.Sprintf("Run %s, pass %s, plays: %s. ", c.record.Run, c.pass, strings.Join(c.record.Plays(c.pass), ", ")) + text
	}
	return text
}

// complete adds to the word before the cursor what all names have that begin with it, or shows them.
func (c *console) complete(out io.Writer, line string, pos int) (string, int, bool) {
	r := []rune(line)
	head := string(r[:pos])
	var found []string
	word := ""
	switch command, arg, isCommand := strings.Cut(head, " "); {
	case isCommand && command == ".host":
		found, word = c.everyone(), arg
	case isCommand && command == ".play":
		found, word = c.plays(), arg
	default:
		found, word = c.Complete(head, c.at)
	}
	found = slices.DeleteFunc(found, func(n string) bool { return !strings.HasPrefix(n, word) })
	if len(found) == 0 {
		return "", 0, false
	}
	add := strings.TrimPrefix(common(found), word)
	if add == "" && len(found) > 1 {
		fmt.Fprintln(out, strings.Join(found, "  "))
	}
	return head + add + string(r[pos:]), pos + len([]rune(add)), true
}

// common is the beginning that all texts have.
func common(texts []string) string {
	out := texts[0]
	for _, t := range texts {
		for !strings.HasPrefix(t, out) {
			out = out[:len(out)-1]
		}
	}
	return out
}
