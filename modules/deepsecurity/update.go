package deepsecurity

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// SecurityUpdate starts a security update of one computer, or tells how the last one ended.
func SecurityUpdate() engine.Module {
	return engine.Module{
		Name: "ds_update",
		Doc: `Starts a security update of one computer in a Deep Security Manager and waits for its outcome; as a probe it tells how the last one ended.
The outcome is system event 2204 (successful) or 2205 (failed) about that computer, which takes SOAP: the host needs user and password, besides an API key or alone. Without them nothing is started, because nobody would learn how it ended.
It is started over REST by a scheduled task that runs once and is deleted again, over SOAP by hostUpdateComponent, whose type and component id are not documented (component_type, component_id).
cause is read from the DSM's words and is a hint: tls, proxy_auth, dns, timeout, signature_expired, relay_old, licence, unreachable or unknown; only -24 / IAURELAY_STATUS_DIGITAL_SIGNATURE_CERT_EXPIRE (KA-0016311) is documented. What is on the way, tls_path tells.`,
		New:     func() any { return &update{Wait: "30m", Every: "15s", Since: "168h", Kind: "0", Component: "0"} },
		Result:  Updated{},
		Targets: []string{"dsm"},
	}
}

type update struct {
	BIOSUUID  string `hcl:"bios_uuid" executed:"true" doc:"BIOS UUID of the computer, as vCenter's config.uuid."`
	Name      string `hcl:"name,optional" executed:"true" doc:"Display or host name in DSM, used only to choose among computers that have the same BIOS UUID."`
	Newer     string `hcl:"unless_newer_than,optional" doc:"Nothing is started where the last update was successful and is younger than this: \"24h\"."`
	Wait      string `hcl:"wait,optional" doc:"How long to wait for the outcome."`
	Every     string `hcl:"every,optional" doc:"How often the DSM is asked meanwhile."`
	Since     string `hcl:"since,optional" doc:"How far back to look for the last update."`
	Kind      string `hcl:"component_type,optional" executed:"true" doc:"type of hostUpdateComponent, over SOAP only."`
	Component string `hcl:"component_id,optional" executed:"true" doc:"id of hostUpdateComponent, over SOAP only."`

	computer dsm.Computer
	start    dsm.Job
}

// Updated is how an update ended.
type Updated struct {
	Found       bool    `hcl:"found" doc:"Whether DSM has exactly one computer that is meant."`
	Outcome     string  `hcl:"outcome" doc:"successful, failed, or unknown when no event says it."`
	Cause       string  `hcl:"cause" doc:"Why it failed, in one word; none when it did not."`
	Description string  `hcl:"description" doc:"The event's own words, or why the computer was not found."`
	Time        *string `hcl:"time" doc:"When it ended, RFC 3339, in the time of this machine; null when that is not known."`
}

// Validate refuses what is no duration.
func (u *update) Validate() error {
	return durations(map[string]string{"wait": u.Wait, "every": u.Every, "since": u.Since}, "unless_newer_than", u.Newer)
}

// Probe tells how the last update ended.
func (u *update) Probe(ctx context.Context, host engine.Reader) (any, error) {
	c, err := computerOf(ctx, host, u.BIOSUUID, u.Name)
	if err != nil {
		return nil, err
	}
	if !c.Found {
		return Updated{Outcome: "unknown", Cause: "unknown", Description: c.Messages[0]}, nil
	}
	last, err := u.last(ctx, host, c.ID)
	if err != nil {
		return nil, err
	}
	return updated(last), nil
}

// last is the newest outcome; nil: there is none.
func (u *update) last(ctx context.Context, host engine.Reader, computer int) (*dsm.Event, error) {
	since, err := sinceWhen("since", u.Since)
	if err != nil {
		return nil, err
	}
	list, err := read(ctx, host, computer, since, dsm.UpdateDone, dsm.UpdateFailed)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[len(list)-1], nil
}

func updated(e *dsm.Event) Updated {
	if e == nil {
		return Updated{Found: true, Outcome: "unknown", Cause: "unknown"}
	}
	r := Updated{Found: true, Outcome: "successful", Cause: "none", Description: e.Description, Time: stamp(e.Time)}
	if e.Number == dsm.UpdateFailed {
		r.Outcome, r.Cause = "failed", causeOf(e.Description)
	}
	return r
}

// causes, in the order in which they explain: a text about a signature may speak of certificates, too.
var causes = []struct {
	name  string
	words *regexp.Regexp
	hint  string
}{
	{"signature_expired", regexp.MustCompile(`(?i)CERT_EXPIRE|(^|[^0-9])-24([^0-9]|$)`), "upgrade the relay (KA-0016311); no setting of the update source helps"},
	{"relay_old", regexp.MustCompile(`(?i)digital signature|SIGNATURE|too old|署名`), "upgrade the relay (KA-0012761); no setting of the update source helps"},
	// Not sourced, neither the words nor that an update fails for it with this event: licences are its subject in either language.
	{"licence", regexp.MustCompile(`(?i)licen[cs]e|activation code|ライセンス`), "look at Administration > Licenses and renew the licence; no setting of the update source helps"},
	{"proxy_auth", regexp.MustCompile(`(?i)\b407\b|proxy authentication|プロキシ.*認証`), "give relay and DSM the login of the proxy (Administration > System Settings > Proxies)"},
	{"dns", regexp.MustCompile(`(?i)resolve|unknown host|name or service not known|名前解決`), "look at DNS of the relay, or of its proxy"},
	{"tls", regexp.MustCompile(`(?i)certificate|\bTLS\b|\bSSL\b|証明書`), "look with tls_path who signs; exempt the update hosts from TLS inspection"},
	{"timeout", regexp.MustCompile(`(?i)in time|timed? ?out|タイムアウト`), "look at the way from the relay to the source: firewall, proxy"},
	{"unreachable", regexp.MustCompile(`(?i)cannot be reached|unable to communicate|接続できません|通信できません`), "the computer itself does not answer the DSM"},
}

func causeOf(text string) string {
	for _, c := range causes {
		if c.words.MatchString(text) {
			return c.name
		}
	}
	return "unknown"
}

// Check looks for the computer, and whether its last update is young enough. What the outcome will be read from is tried
// before anything is started.
func (u *update) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	c, err := mustFind(ctx, host, u.BIOSUUID, u.Name)
	if err != nil {
		return engine.Diff{}, err
	}
	last, err := u.last(ctx, host, c.ID)
	if err != nil {
		return engine.Diff{}, err
	}
	if newer, err := time.ParseDuration(u.Newer); err == nil && last != nil && last.Number == dsm.UpdateDone && last.Time != nil && time.Since(*last.Time) < newer {
		return engine.Diff{Note: "its last update was successful, less than " + u.Newer + " ago"}, nil
	}
	d, err := directory(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	u.computer, u.start = c, dsm.StartUpdate(d.API, c.ID, u.Kind, u.Component)
	return engine.Diff{Act: "start a security update of " + c.Label(), Commands: u.start.Commands()}, nil
}

// Apply starts it and waits for an event that was not there before.
func (u *update) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	before, err := u.last(ctx, host, u.computer.ID)
	if err != nil {
		return nil, err
	}
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	clean, err := u.start.Do(ctx, api)
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	event, err := u.outcome(ctx, host, before)
	if err == nil && event.Number == dsm.UpdateFailed {
		err = u.failure(host, event)
	}
	if err = afterwards(ctx, host, "delete the scheduled task of the update", clean, err); err != nil {
		return nil, err
	}
	return updated(event), nil
}

// outcome waits for it.
func (u *update) outcome(ctx context.Context, host engine.Reader, before *dsm.Event) (*dsm.Event, error) {
	wait, err1 := time.ParseDuration(u.Wait)
	every, err2 := time.ParseDuration(u.Every)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	for until := time.Now().Add(wait); ; {
		if err := engine.Wait(ctx, every); err != nil {
			return nil, &engine.Error{Kind: engine.KindTimeout, Host: host.Name(), Op: "wait for the outcome of the update", Err: err}
		}
		last, err := u.last(ctx, host, u.computer.ID)
		if err != nil {
			return nil, err
		}
		if last != nil && (before == nil || last.ID > before.ID) {
			return last, nil
		}
		if time.Now().After(until) {
			return nil, &engine.Error{Kind: engine.KindTimeout, Host: host.Name(), Op: "wait for the outcome of the update of " + u.computer.Label(),
				Msg: "no event 2204 or 2205 came within " + u.Wait, Hint: "look at the computer in the console: it may be off, or its update may still run"}
		}
	}
}

func (u *update) failure(host engine.Reader, e *dsm.Event) error {
	name, hint := causeOf(e.Description), "look at the events of the relay in the console"
	for _, c := range causes {
		if c.name == name {
			hint = c.hint
		}
	}
	return &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "update " + u.computer.Label(), Msg: "it failed (" + strings.ReplaceAll(name, "_", " ") + "): " + e.Title + ": " + e.Description, Hint: hint}
}

// Prove wants a successful update that ended after since. One that was requested since and has not ended is not proven, nor is
// it to be started once more.
func (u *update) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	c, err := mustFind(ctx, host, u.BIOSUUID, u.Name)
	if err != nil {
		return err
	}
	list, err := read(ctx, host, c.ID, since.Add(-time.Second), dsm.UpdateRequested, dsm.UpdateDone, dsm.UpdateFailed) // times of events may be cut to seconds
	if err != nil {
		return err
	}
	u.computer = c
	ended := slices.DeleteFunc(slices.Clone(list), func(e dsm.Event) bool { return e.Number == dsm.UpdateRequested })
	e := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "prove the update of " + c.Label(), Msg: "no event 2204 or 2205 since " + since.UTC().Format(time.RFC3339)}
	switch {
	case len(ended) > 0 && ended[len(ended)-1].Number == dsm.UpdateFailed:
		return u.failure(host, &ended[len(ended)-1])
	case len(ended) > 0:
		return nil
	case len(list) > 0:
		e.Msg, e.Hint, e.Err = "it was requested, and has not ended", "wait for event 2204 or 2205 of the computer", engine.ErrUnprovable
	}
	return e
}
