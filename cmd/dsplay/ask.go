package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// asksAtTerminal tells whether a person can be asked.
func (a *app) asksAtTerminal() bool { return term.IsTerminal(int(a.stdin.Fd())) }

var errSignalInstead = errors.New("a signal came instead of an answer")

// confirmed asks a question at the terminal to which only yes is a yes. Without one, the error says what came instead.
func (a *app) confirmed(w io.Writer, question string) error {
	fmt.Fprint(w, question+" Only 'yes' is a yes: ")
	line, err := waitFor(a, func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	line = strings.TrimSpace(line)
	switch {
	case errors.Is(err, errSignalInstead):
		return err
	case err != nil, line == "":
		return errors.New("no answer")
	case line != "yes":
		return fmt.Errorf("the answer was %q, not yes", line)
	}
	return nil
}

// askSecret asks for something that is not shown. A signal ends it and makes the terminal show what is typed again.
func (a *app) askSecret(question string) ([]byte, error) {
	fd := int(a.stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("the terminal: %w", err)
	}
	fmt.Fprint(a.err, question)
	secret, err := waitFor(a, func() ([]byte, error) { return term.ReadPassword(fd) })
	fmt.Fprintln(a.err)
	if err != nil {
		return nil, errors.Join(err, term.Restore(fd, before))
	}
	return secret, nil
}

// waitFor waits for an answer, or for a signal. What reads goes on reading then: the process ends soon.
func waitFor[T any](a *app, read func() (T, error)) (answer T, err error) {
	type given struct {
		answer T
		err    error
	}
	answers := make(chan given, 1)
	go func() {
		answer, err := read()
		answers <- given{answer, err}
	}()
	select {
	case g := <-answers:
		return g.answer, g.err
	case <-a.stop:
		return answer, errSignalInstead
	}
}
