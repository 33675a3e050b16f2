package appliance

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/await"
	"github.com/dsplay/dsplay/modules/internal/services"
)

// Check announces what is to be done. That the agent exists is necessary; that it runs is not yet: a heartbeat may be asked
// for after something else has started it.
func (a *Args) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if a.State == "" && !a.Heartbeat {
		return engine.Diff{}, engine.BadArg{Arg: "state", Problem: `is missing: a step says state = "started" or "restarted", heartbeat = true, or both`}
	}
	st, err := (&services.Service{Name: agentName}).Probe(ctx, host)
	switch {
	case err != nil:
		return engine.Diff{}, err
	case !st.(services.Status).Exists:
		return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "ds_agent", Msg: "there is no service ds_agent on " + host.Name(),
			Hint: "on must name the appliance (DSVA)"}
	}
	var diff engine.Diff
	if a.State != "" {
		a.service = &services.Service{Name: agentName, State: a.State}
		if diff, err = a.service.Check(ctx, host); err != nil {
			return engine.Diff{}, err
		}
	}
	if a.Heartbeat {
		line, err := host.Line(ctx, contact)
		if err != nil {
			return engine.Diff{}, err
		}
		diff.Commands = append(diff.Commands, line)
		diff.Act = strings.TrimPrefix(diff.Act+", then make it contact its DSM", ", then ")
	}
	if a.Heartbeat && !st.(services.Status).Running {
		diff.Note = "ds_agent is " + st.(services.Status).State
	}
	return diff, nil
}

// contact is the only thing that is ever asked of dsa_control.
var contact = engine.Command{Argv: []string{controlPath, "-m"}, AnyOK: true}

// answersWithin is how long an agent that was started may take until it answers.
const answersWithin = 2 * time.Minute

// Apply does it.
func (a *Args) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	if a.State != "" {
		if _, err := a.service.Apply(ctx, host, diff); err != nil {
			return nil, err
		}
	}
	if err := answering(ctx, host); err != nil {
		return nil, err
	}
	if a.Heartbeat {
		out, err := host.Do(ctx, contact)
		if err != nil {
			return nil, err
		}
		if err := accepted(host, out); err != nil {
			return nil, err
		}
		a.accepted = true
	}
	return look(ctx, host)
}

// answering waits until dsa_query has an answer: a service that runs is not yet an agent that works.
func answering(ctx context.Context, host engine.Reader) error {
	said := ""
	err := await.Until(ctx, answersWithin, 2*time.Second, func(ctx context.Context) (bool, error) {
		out, err := host.Run(ctx, query("GetAgentStatus"))
		if err == nil { // at the end of the wait a look is cut off, and says nothing
			said = told(out)
		}
		return err == nil && out.Code == 0 && len(read(out.Stdout)) > 0, err
	})
	if engine.KindOf(err) == engine.KindTimeout && ctx.Err() == nil {
		return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "ask ds_agent", Msg: fmt.Sprintf("it does not answer within %s: %s", answersWithin, cmp.Or(said, "no text")),
			Hint: "dsa_query takes root: has the step a sudo block? Does ds_agent run? Look at /var/log/messages of the appliance", Err: err}
	}
	return err
}

var httpStatus = regexp.MustCompile(`(?i)HTTP Status:\s*(\d{3})[^\n]*`)

// accepted reads what dsa_control -m said. Its exit code says nothing: it is 0 when the DSM refuses, too.
func accepted(host engine.Reader, out engine.Output) error {
	e := &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "make ds_agent contact its DSM"}
	lines := httpStatus.FindAllStringSubmatch(out.Stdout+"\n"+out.Stderr, -1)
	for _, m := range lines {
		said := fmt.Sprintf("%q (exit code %d)", strings.TrimSpace(m[0]), out.Code)
		switch m[1] {
		case "200":
			continue
		case "403":
			e.Msg = "the DSM does not accept this appliance: " + said
			e.Hint = "its certificate is not the one that the DSM knows (cloned, or activated with another DSM): look at it in the console and activate it there again. No restart helps; never reset it"
		default:
			e.Msg, e.Hint = "the DSM answers "+said, "look at the DSM, and at ds_agent.log of the appliance"
		}
		return e
	}
	if len(lines) == 0 {
		e.Msg = fmt.Sprintf("dsa_control -m says nothing of a heartbeat (exit code %d): %s", out.Code, cmp.Or(told(out), "no text"))
		e.Hint = "does ds_agent run, and has the step a sudo block?"
		return e
	}
	return nil
}

// Prove shows that the process is younger than the step. A heartbeat of which this instance did not read that it was accepted
// is shown by the time of the last session with the DSM, by the appliance's own clock.
func (a *Args) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	if a.State == "restarted" {
		if err := (&services.Service{Name: agentName, State: a.State}).Prove(ctx, host, since); err != nil {
			return err
		}
	}
	if !a.Heartbeat || a.accepted {
		return nil
	}
	out, err := host.Run(ctx, query("GetAgentStatus"))
	if err != nil {
		return err
	}
	age := sinceContact(read(out.Stdout))
	e := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "make ds_agent contact its DSM"}
	switch {
	case age == nil:
		e.Msg, e.Err = "it cannot be shown that it happened: the appliance does not say when it last spoke to its DSM", engine.ErrUnprovable
	case *age > time.Since(since)+time.Second: // its times are cut to seconds
		e.Msg = fmt.Sprintf("it cannot be shown that it happened: its last session with the DSM was %s ago", age.Round(time.Second))
	default:
		return nil
	}
	return e
}
