package show

import "encoding/json"

// named is what a plan is about.
func named(p *page) string {
	if p.Playbook.Description != "" {
		return p.Playbook.Description
	}
	return p.Playbook.Path
}

// facts are the first lines of a plan: what it is, whose, and until when.
func (s speaker) facts(p *page) [][2]string {
	var out [][2]string
	if p.ID != "" {
		out = append(out, [2]string{s.say("id"), p.ID})
	}
	out = append(out, [][2]string{
		{s.say("playbook"), p.Playbook.Path},
		{s.say("inventory"), p.Inventory.Path},
		{s.say("made"), s.date(p.Made)},
		{s.say("planner"), s.say("planner.value", p.Planner.User, p.Planner.Host, p.Dsplay)},
		{s.say("until"), s.until(p)},
	}...)
	if p.Limit != nil {
		limit := s.list(p.Limit)
		if len(p.Limit) > 24 {
			limit = s.say("n.hosts", len(p.Limit))
		}
		out = append(out, [2]string{s.say("limit"), limit})
	}
	if len(p.Tags) > 0 {
		out = append(out, [2]string{s.say("tags"), s.list(p.Tags)})
	}
	if len(p.SkipTags) > 0 {
		out = append(out, [2]string{s.say("tags.skip"), s.list(p.SkipTags)})
	}
	return out
}

// alarms are what makes a plan worthless.
func (s speaker) alarms(p *page) []string {
	var out []string
	if p.Offline {
		out = append(out, s.say("offline"))
	}
	if p.Stop != nil {
		out = append(out, s.say("stop", s.stop(p.Stop.Kind))+" "+p.Stop.Reason)
	}
	return out
}

// or is a text of the playbook's author, or that there is none.
func (s speaker) or(text string) string {
	if text == "" {
		return s.say("unsaid")
	}
	return text
}

func (x playPart) heading() string {
	if x.Title != "" && x.Title != x.Name {
		return x.Name + " — " + x.Title
	}
	return x.Name
}

// limits are how a play is kept small: batches, failures, window.
func (s speaker) limits(x playPart) [][2]string {
	batches, failures, window := s.say("batches.none"), s.say("failures.none"), s.say("window.none")
	switch {
	case len(x.Batches) == 1:
		batches = s.say("batches.one")
	case len(x.Batches) > 1:
		batches = s.say("batches.value", len(x.Batches), s.sizes(x.Batches))
	}
	switch {
	case x.MaxFailures == nil:
	case *x.MaxFailures == 0:
		failures = s.say("failures.zero")
	default:
		failures = s.say("failures.value", *x.MaxFailures)
	}
	if x.Window != "" {
		window = x.Window
		if x.Opens != "" {
			window = s.say("window.opens", x.Window, x.Opens)
		}
	}
	return [][2]string{{s.say("batches"), batches}, {s.say("failures"), failures}, {s.say("window"), window}}
}

// arguments are those of a step, the unknown ones among them.
func (s speaker) arguments(x step) []string {
	var out []string
	for _, a := range x.Args {
		out = append(out, a.Name+" = "+a.Value)
	}
	for _, name := range x.Unknown {
		out = append(out, s.say("arg.unknown", name))
	}
	return out
}

func (s speaker) group(name string) string {
	if name == "" {
		return s.say("group.none")
	}
	return name
}

func (s speaker) lookedAt(p *page) string {
	hosts := 0
	for _, h := range p.All {
		if len(h.Looked) > 0 {
			hosts++
		}
	}
	return s.say("looked.intro", s.say("n.lines", p.Lines), s.say("n.hosts", hosts))
}

// hostCount is a name, or a number when there are too many names for a line.
func (s speaker) hostCount(hosts []string) string {
	if len(hosts) <= 3 {
		return s.list(hosts)
	}
	return s.say("n.hosts", len(hosts))
}

func (s speaker) variable(secret string, value json.RawMessage) string {
	if secret != "" {
		return s.say("secret", secret)
	}
	return string(value)
}
