package deepsecurity

import (
	"context"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// defaultOther is how a DSM is likely to call the mode in which the URL counts: nothing documents it.
const defaultOther = "Other update source"

// UpdateSource reads or sets where relays fetch security updates.
func UpdateSource() engine.Module {
	return engine.Module{
		Name: "ds_update_source",
		Doc: `Reads or sets the source of security updates in a Deep Security Manager: mode and URL (System Settings > Updates).
It concerns every relay of the tenant. In a system with tenants the setting belongs to the primary one (T0).
A step sets the URL before the mode when the URL is to count from then on, and the mode before the URL when it is not to count any more, so that the DSM never uses a half of each; then it reads both back. A DSM that answers 200 and changed nothing, or does not take the mode, ends as failed. Result and report hold the old pair, for going back: mode = old_mode, url = old_url.
How a DSM calls the mode of another source is documented nowhere: other_source is a guess unless somebody has set it once in the console and read it with this module as a probe. Over SOAP it may be a number.
A URL that ends in // is said (by a blog, and by no document of the vendor) to switch off the verification of TLS certificates towards the source: whoever sits between can read and change what is downloaded, as far as signatures of packages do not hinder it, and errors disappear although the inspection remains. It counts as weakens_security and is refused unless accept_no_tls_verification = true. Before it: exempt the update hosts from inspection, give the relay the right proxy and login, or use a mirror.`,
		New:     func() any { return &source{Other: defaultOther} },
		Result:  Source{},
		Targets: []string{"dsm"},
	}
}

type source struct {
	URL    string `hcl:"url,optional" executed:"true" doc:"URL of the source, beginning with https:// or http://. A probe takes none."`
	Mode   string `hcl:"mode,optional" executed:"true" doc:"Mode, as the DSM writes it; without it other_source. \"Trend Micro ActiveUpdate Server\" is the vendor's own."`
	Other  string `hcl:"other_source,optional" executed:"true" doc:"How the DSM calls the mode in which the URL counts."`
	Accept bool   `hcl:"accept_no_tls_verification,optional" executed:"true" doc:"Consent to a URL that ends in //, for which TLS is not verified: a weakening."`

	now dsm.Source // what the last Check has read
	old *dsm.Source
}

// Source is where relays fetch security updates.
type Source struct {
	Mode       string  `hcl:"mode" doc:"Mode, as the DSM writes it."`
	URL        string  `hcl:"url" doc:"URL that the DSM keeps; it counts in the mode other_source."`
	Other      bool    `hcl:"other" doc:"Whether the mode is other_source, so that the URL counts."`
	Unverified bool    `hcl:"unverified" doc:"Whether the URL counts and ends in //: TLS is said not to be verified."`
	OldMode    *string `hcl:"old_mode" doc:"Mode before the step; null in a probe."`
	OldURL     *string `hcl:"old_url" doc:"URL before the step; null in a probe."`
}

// unverified tells whether a URL ends in //. The default, "http://", does so without naming anybody.
func unverified(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	return rest != "" && strings.HasSuffix(rest, "//")
}

// Validate refuses URLs that a DSM does not take, and a weakening to which nobody consents.
func (s *source) Validate() error {
	switch {
	case s.Other == "":
		return engine.BadArg{Arg: "other_source", Problem: "must be the DSM's name for the mode"}
	case s.URL == "" && (s.Mode != "" || s.Accept):
		return engine.BadArg{Arg: "url", Problem: `is missing; going back to the vendor's own source: mode = "Trend Micro ActiveUpdate Server" and url = "http://"`}
	case s.URL == "":
		return nil
	case !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://"):
		return engine.BadArg{Arg: "url", Problem: "must begin with https:// or http://"}
	case strings.ContainsAny(s.URL, " \t\r\n\"<>"):
		return engine.BadArg{Arg: "url", Problem: "must hold no blanks, quotes or angle brackets"}
	case unverified(s.URL) && !s.Accept:
		return engine.BadArg{Arg: "url", Problem: "ends in //: the relays are said not to verify TLS then. It is undocumented, unsupported, and hides an inspection instead of ending it. " +
			"Exempt the update hosts from inspection, correct the proxy, or use a mirror; who still wants it says accept_no_tls_verification = true"}
	}
	return nil
}

// Effects: a URL that ends in // weakens security.
func (s *source) Effects() []engine.Effect {
	if unverified(s.URL) {
		return []engine.Effect{engine.EffectWeakens}
	}
	return nil
}

// Probe reads.
func (s *source) Probe(ctx context.Context, host engine.Reader) (any, error) {
	now, err := s.read(ctx, host)
	if err != nil {
		return nil, err
	}
	return s.result(now), nil
}

func (s *source) read(ctx context.Context, host engine.Reader) (dsm.Source, error) {
	api, err := host.API(ctx)
	if err != nil {
		return dsm.Source{}, err
	}
	now, err := dsm.FetchSource(ctx, api)
	return now, engine.Blame(err, host.Name())
}

func (s *source) result(now dsm.Source) Source {
	other := now.Mode == s.Other
	r := Source{Mode: now.Mode, URL: now.URL, Other: other, Unverified: other && unverified(now.URL)}
	if s.old != nil {
		r.OldMode, r.OldURL = &s.old.Mode, &s.old.URL
	}
	return r
}

func (s *source) mode() string {
	if s.Mode != "" {
		return s.Mode
	}
	return s.Other
}

// Check compares the pair, and plans the requests in the order in which no half counts.
func (s *source) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if s.URL == "" {
		return engine.Diff{}, engine.BadArg{Arg: "url", Problem: "must be given in a step"}
	}
	now, err := s.read(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	s.now = now
	var d engine.Diff
	if now.URL != s.URL {
		d.Changes = append(d.Changes, engine.Change{What: "URL of the update source", Before: now.URL, After: s.URL})
	}
	if now.Mode != s.mode() {
		d.Changes = append(d.Changes, engine.Change{What: "mode of the update source", Before: now.Mode, After: s.mode()})
	}
	for _, a := range s.acts() {
		d.Commands = append(d.Commands, a.Text)
	}
	switch {
	case len(d.Changes) == 0:
		d.Note = "the update source is " + s.mode() + ", " + s.URL
	case unverified(s.URL):
		d.Note = "TLS towards the update source is then said not to be verified, for every relay of this DSM: undocumented, unsupported, and no repair"
	}
	return d, nil
}

// acts are the requests that make the difference true. They are those of the state that the last Check has read.
func (s *source) acts() []dsm.Act {
	var url, mode []dsm.Act
	if s.now.URL != s.URL {
		url = []dsm.Act{s.now.SetURL(s.URL)}
	}
	if s.now.Mode != s.mode() {
		mode = []dsm.Act{s.now.SetMode(s.mode())}
	}
	if s.mode() == s.Other {
		return append(url, mode...)
	}
	return append(mode, url...)
}

// Apply sets both, reads them back, and keeps the old pair.
func (s *source) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	old := s.now
	for i, a := range s.acts() {
		if err := send(ctx, host, diff, a); err != nil {
			return nil, s.refused(host, old, i, err)
		}
	}
	now, err := s.read(ctx, host)
	if err != nil {
		return nil, err
	}
	if now.URL != s.URL || now.Mode != s.mode() {
		return nil, &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "set the update source",
			Msg: "the DSM said yes, and has mode " + quoted(now.Mode) + " and URL " + quoted(now.URL) + " (before: " + pair(old) + ")", Hint: findLiteral}
	}
	s.old = &old
	return s.result(now), nil
}

const findLiteral = "set the source once in the console (Administration > System Settings > Updates), read mode with ds_update_source as a probe, and give it as other_source; " +
	"with several tenants the setting belongs to the primary one"

func (s *source) refused(host engine.Reader, old dsm.Source, done int, err error) error {
	e := &engine.Error{Kind: engine.KindOf(err), Host: host.Name(), Op: "set the update source", Err: err, Hint: findLiteral, Unreachable: engine.IsUnreachable(err)}
	if done > 0 {
		e.Msg = "the first of two settings was changed, the second was not (before: " + pair(old) + ")"
	}
	return e
}

func pair(s dsm.Source) string { return "mode " + quoted(s.Mode) + ", URL " + quoted(s.URL) }

func quoted(text string) string { return `"` + text + `"` }
