package deepsecurity

import (
	"context"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// SendPolicy sends a computer its policy, or tells when that was done last.
func SendPolicy() engine.Module {
	return engine.Module{
		Name: "ds_send_policy",
		Doc: `Makes a Deep Security Manager send one computer its policy, and waits until it has arrived; as a probe it tells when that was last so.
For a guest that an appliance protects, the policy goes to its appliance. It is started over REST by a scheduled task that runs once and is deleted again, over SOAP by hostUpdateNow.
The outcome is the time of the last success (lastSendPolicySuccess) over REST, the progress of the job (hostJobProgress) over SOAP. REST does not tell a failure: there the step waits for its time, and says what the DSM shows of the computer.`,
		New:     func() any { return &policy{Wait: "15m", Every: "15s"} },
		Result:  Sent{},
		Targets: []string{"dsm"},
	}
}

type policy struct {
	BIOSUUID string `hcl:"bios_uuid" executed:"true" doc:"BIOS UUID of the computer, as vCenter's config.uuid."`
	Name     string `hcl:"name,optional" executed:"true" doc:"Display or host name in DSM, used only to choose among computers that have the same BIOS UUID."`
	Newer    string `hcl:"unless_newer_than,optional" doc:"Nothing is sent where it was last sent successfully less than this ago: \"24h\"."`
	Wait     string `hcl:"wait,optional" doc:"How long to wait for the outcome."`
	Every    string `hcl:"every,optional" doc:"How often the DSM is asked meanwhile."`

	computer dsm.Computer
	api      string // "rest" or "soap"
	send     dsm.Job
}

// Sent is what the DSM says of the policy of a computer.
type Sent struct {
	Found   bool    `hcl:"found" doc:"Whether DSM has exactly one computer that is meant."`
	Last    *string `hcl:"last" doc:"When its policy was last sent with success, RFC 3339, in the time of this machine; null when it never was, or the DSM does not say it so that it can be read."`
	Message string  `hcl:"message" doc:"What the DSM shows of the computer, or why it was not found."`
}

// Validate refuses what is no duration.
func (p *policy) Validate() error {
	return durations(map[string]string{"wait": p.Wait, "every": p.Every}, "unless_newer_than", p.Newer)
}

// Probe tells when it was last sent.
func (p *policy) Probe(ctx context.Context, host engine.Reader) (any, error) {
	if err := p.find(ctx, host, computerOf); err != nil {
		return nil, err
	}
	if !p.computer.Found {
		return Sent{Message: p.computer.Messages[0]}, nil
	}
	now, err := p.now(ctx, host)
	return Sent{Found: true, Last: stamp(now.Sent), Message: now.Message}, err
}

// find looks for the computer by computerOf, or by mustFind.
func (p *policy) find(ctx context.Context, host engine.Reader, by func(ctx context.Context, host engine.Reader, uuid, name string) (dsm.Computer, error)) error {
	d, err := directory(ctx, host)
	if err != nil {
		return err
	}
	p.api = d.API
	p.computer, err = by(ctx, host, p.BIOSUUID, p.Name)
	return err
}

func (p *policy) now(ctx context.Context, host engine.Reader) (dsm.Policy, error) {
	api, err := host.API(ctx)
	if err != nil {
		return dsm.Policy{}, err
	}
	now, err := dsm.FetchPolicy(ctx, api, p.api, p.computer.ID)
	return now, engine.Blame(err, host.Name())
}

// Check looks for the computer, and whether its policy was sent a short time ago.
func (p *policy) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if err := p.find(ctx, host, mustFind); err != nil {
		return engine.Diff{}, err
	}
	if newer, err := time.ParseDuration(p.Newer); err == nil {
		now, err := p.now(ctx, host)
		if err != nil {
			return engine.Diff{}, err
		}
		if now.Sent != nil && time.Since(*now.Sent) < newer {
			return engine.Diff{Note: "its policy was sent less than " + p.Newer + " ago"}, nil
		}
	}
	p.send = dsm.SendPolicy(p.api, p.computer.ID)
	return engine.Diff{Act: "send the policy of " + p.computer.Label(), Commands: p.send.Commands()}, nil
}

// Apply starts it and waits for the outcome.
func (p *policy) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	watch, err := dsm.WatchPolicy(ctx, api, p.api, p.computer.ID)
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	clean, err := begin(ctx, host, diff, p.send)
	if err != nil {
		return nil, err
	}
	err = afterwards(ctx, host, "delete the scheduled task of the policy", clean, p.arrives(ctx, host, watch))
	if err != nil {
		return nil, err
	}
	now, err := p.now(ctx, host)
	return Sent{Found: true, Last: stamp(now.Sent), Message: now.Message}, err
}

// arrives waits for the outcome.
func (p *policy) arrives(ctx context.Context, host engine.Reader, job *dsm.PolicyWatch) error {
	var now dsm.Policy
	err := follow(ctx, p.Wait, p.Every, func(ctx context.Context) (bool, error) {
		x, err := job.Look(ctx)
		if err != nil {
			return false, engine.Blame(err, host.Name())
		}
		if now = x; now.Outcome == "failed" {
			return false, p.failure(host, now)
		}
		return now.Outcome == "sent", nil
	})
	return inVain(ctx, host, err, engine.Error{Op: "send the policy of " + p.computer.Label(), Msg: "it has not arrived within " + p.Wait + shows(now.Message),
		Hint: "the appliance may be out of touch: look at ds_agent of it"})
}

func (p *policy) failure(host engine.Reader, now dsm.Policy) error {
	return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "send the policy of " + p.computer.Label(), Msg: "it failed: " + now.Message,
		Hint: "look at the computer and its appliance in the console, and at the system events"}
}

func shows(message string) string {
	if message == "" {
		return ""
	}
	return "; the DSM shows: " + message
}

// Prove wants it sent since. One that failed since is a failure, not one that did not happen; of one that was asked for and has not
// arrived nobody can tell.
func (p *policy) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	if err := p.find(ctx, host, mustFind); err != nil {
		return err
	}
	api, err := host.API(ctx)
	if err != nil {
		return err
	}
	watch, err := dsm.PolicySince(ctx, api, p.api, p.computer.ID, since)
	if err != nil {
		return engine.Blame(err, host.Name())
	}
	now, err := watch.Look(ctx)
	switch {
	case err != nil:
		return engine.Blame(err, host.Name())
	case now.Outcome == "sent":
		return nil
	case now.Outcome == "failed":
		return p.failure(host, now)
	}
	e := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "send the policy of " + p.computer.Label(), Msg: "nobody has asked for it since " + since.UTC().Format(time.RFC3339) + shows(now.Message)}
	if now.Outcome == "pending" {
		e.Msg, e.Err = "it cannot be shown that it arrived since "+since.UTC().Format(time.RFC3339)+shows(now.Message), engine.ErrUnprovable
		e.Hint = "look at the computer in the console: has its policy arrived? To send it twice harms nobody"
	}
	return e
}
