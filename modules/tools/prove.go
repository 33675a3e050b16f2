package tools

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Prove shows that a repair ended well after since. Who did not see it finds the record that it left, and waits
// for it while it runs.
func (t *Tools) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	if t.read {
		return nil
	}
	j := job{name: t.name()}
	s, err := j.look(ctx, host)
	if err != nil {
		return err
	}
	within, err := time.ParseDuration(t.Wait)
	if err != nil {
		return err
	}
	ending := ".exit"
	switch {
	case s.running:
		if s.code, err = j.wait(ctx, host, within, true); err != nil {
			return err
		}
	case !s.ended:
		ending = ".last"
		if s, err = j.last(ctx, host); err != nil {
			return err
		}
	}
	age, err := j.age(ctx, host, ending)
	if err != nil {
		return err
	}
	if age > time.Since(since) {
		return unproven(host, fmt.Sprintf("the last run that the guest has on record ended %s ago", age.Round(time.Second)))
	}
	return verdict(ctx, host, s.code, j)
}

// last reads the exit code that was read before.
func (j job) last(ctx context.Context, host engine.Reader) (jobState, error) {
	out, err := host.Run(ctx, engine.Command{Shell: "type " + j.file(".last"), AnyOK: true})
	if err != nil {
		return jobState{}, err
	}
	m := exitCode.FindStringSubmatch(out.Stdout)
	if m == nil {
		return jobState{}, unproven(host, "the guest has no record of it")
	}
	code, err := strconv.Atoi(m[1])
	return jobState{ended: true, code: code}, err
}

func unproven(host engine.Reader, why string) error {
	return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "repair VMware Tools", Msg: "it cannot be shown that it happened: " + why}
}
