package digest_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/report/digest"
)

var began = time.Date(2026, 11, 22, 16, 0, 3, 0, time.UTC)

// night is a run that healed one host and could not heal another.
func night(t *testing.T) *digest.Digest {
	t.Helper()
	exit := 3
	var d digest.Digest
	for i, e := range []engine.Event{
		{Kind: engine.EventRunStart, Title: "/opt/playbooks/engine-offline.hcl"},
		{Kind: engine.EventHostEnd, Pass: "plan", Play: "triage", Host: "w1", Status: "ok"},
		{Kind: engine.EventPlan, Reason: "2 entries act on 2 hosts"},
		{Kind: engine.EventPolicy, Title: "night", Status: "permitted"},
		{Kind: engine.EventHostEnd, Pass: "apply", Play: "triage", Host: "w1", Status: "ok"},
		{Kind: engine.EventGoal, Pass: "apply", Play: "case_b", Host: "esx1", Entry: "case_b/recover.engines", Status: "no", Reason: "length(probe.guests.online) > 0 is false: online = []"},
		{Kind: engine.EventAttempt, Pass: "apply", Play: "case_b", Host: "esx1", Entry: "case_b/recover.engines", Title: "restart the agent of the appliance", Attempt: 1, Status: "started"},
		{Kind: engine.EventIntent, Pass: "apply", Play: "case_b", Host: "esx1", On: "dsva1", Entry: "case_b/recover.engines/a/step.ds_agent", Module: "service"},
		{Kind: engine.EventEntryEnd, Pass: "apply", Play: "case_b", Host: "esx1", On: "dsva1", Entry: "case_b/recover.engines/a/step.ds_agent", Module: "service", Status: "changed"},
		{Kind: engine.EventEntryEnd, Pass: "apply", Play: "case_b", Host: "esx1", Entry: "case_b/recover.engines", Status: "changed"},
		{Kind: engine.EventHostEnd, Pass: "apply", Play: "case_b", Host: "esx1", Status: "ok"},
		{Kind: engine.EventAttempt, Pass: "apply", Play: "case_b", Host: "esx2", Entry: "case_b/recover.engines", Title: "restart the Mux", Attempt: 1, Status: "started"},
		{Kind: engine.EventIntent, Pass: "apply", Play: "case_b", Host: "esx2", Entry: "case_b/recover.engines/b/step.mux", Module: "esxi_mux"},
		{Kind: engine.EventEntryEnd, Pass: "apply", Play: "case_b", Host: "esx2", Entry: "case_b/recover.engines/b/step.mux", Module: "esxi_mux", Status: "failed",
			Error: &engine.EventError{Kind: engine.KindLost, Text: "the connection broke"}},
		{Kind: engine.EventEntryEnd, Pass: "apply", Play: "case_b", Host: "esx2", Entry: "case_b/recover.engines", Status: "failed"},
		{Kind: engine.EventHostEnd, Pass: "apply", Play: "case_b", Host: "esx2", Status: "failed",
			Error: &engine.EventError{Text: "the goal does not hold: 日本語の説明がここにあってとても長いので行を折り返す必要があります。もっともっと続きます", Hint: "look at the appliance's console"}},
		{Kind: engine.EventRecurrence, Pass: "apply", Play: "case_b", Host: "esx1", Entry: "case_b/recover.engines", Reason: "esx1: the third time in a week"},
		{Kind: engine.EventRunEnd, Status: "failed", Reason: "3 hosts, 2 changed, 1 not ok", Exit: &exit},
	} {
		e.Run, e.Time = "20261122-160003-9f86d081", began.Add(time.Duration(i)*time.Second)
		if err := d.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	return &d
}

func TestPage(t *testing.T) {
	zone := time.Local
	time.Local = time.FixedZone("JST", 9*3600)
	t.Cleanup(func() { time.Local = zone })
	d := night(t)
	page := d.Page(digest.About{Machine: "ops1", User: "dsplay", Journal: "/var/lib/dsplay/runs/20261122-160003-9f86d081", Hash: "sha256:" + strings.Repeat("ab", 32), Look: "dsplay run p.hcl --check"})
	const want = `dsplay on ops1: engine-offline.hcl: FAILED on 1 of 3 hosts
------------------------------------------------------------------------------
Playbook  /opt/playbooks/engine-offline.hcl
Run       20261122-160003-9f86d081 as dsplay, permitted by policy night
Time      2026-11-23 01:00:03 +09:00, for 17s
Ended     failed: 3 hosts, 2 changed, 1 not ok (exit 3)

What was wrong
  esx1: the goal of "engines" did not hold: length(probe.guests.online) > 0 is
    false: online = []
  esx2: the goal of "engines" did not hold
  esx2: failed: the goal does not hold:`
	if !strings.HasPrefix(page, want) || !strings.Contains(page, "行を折り返す必要") {
		t.Errorf("the page begins:\n%s\nwant:\n%s", page, want)
	}
	for _, line := range []string{
		"  01:00:10 esx1 on dsva1: service ds_agent: changed",
		"  01:00:15 esx2: esxi_mux mux: not known: the connection broke",
		`  esx1: healed, the goal of "engines" holds (restart the agent of the`,
		`  esx2: not healed, the goal of "engines" does not hold after: restart the Mux`,
		"  1 of 3 hosts did not end ok: esx2", "  esx1: the third time in a week",
		"  esx2: esxi_mux mux: nobody knows whether it happened",
		"      look at the appliance's console",
		"  dsplay runs show 20261122-160003-9f86d081",
		"  dsplay run p.hcl --check",
		"  /var/lib/dsplay/runs/20261122-160003-9f86d081",
		"  sha256:" + strings.Repeat("ab", 32),
	} {
		if !slices.Contains(strings.Split(page, "\n"), line) {
			t.Errorf("no line %q in\n%s", line, page)
		}
	}
	for line := range strings.Lines(page) {
		columns := 0
		for _, r := range strings.TrimSuffix(line, "\n") {
			if columns++; r > 0x2e80 {
				columns++
			}
		}
		if columns > digest.Width {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
	if plain := digest.ASCII("“あ” … ×"); plain != `"?" ... x` {
		t.Errorf("ASCII: %q", plain)
	}
}

func TestMessage(t *testing.T) {
	d := night(t)
	m := d.Message(digest.About{Machine: "ops1"})
	if want := []engine.Occasion{engine.OnFailure, engine.OnRecovery, engine.OnChange}; !slices.Equal(m.Occasions, want) {
		t.Errorf("occasions %v, want %v", m.Occasions, want)
	}
	if !slices.Equal(m.Healed, []string{"esx1"}) || !slices.Equal(m.Changed, []string{"dsva1", "esx2"}) || !slices.Equal(m.Failed, []string{"esx2"}) {
		t.Errorf("healed %v, changed %v, failed %v", m.Healed, m.Changed, m.Failed)
	}
	if d.Quiet() {
		t.Error("there is something to say")
	}
}

func TestNothingHappened(t *testing.T) {
	exit := 0
	var d digest.Digest
	for _, e := range []engine.Event{
		{Kind: engine.EventRunStart, Title: "p.hcl"},
		{Kind: engine.EventHostEnd, Pass: "plan", Play: "p", Host: "h", Status: "ok"},
		{Kind: engine.EventRunEnd, Status: "ok", Exit: &exit},
	} {
		_ = d.Append(e)
	}
	if !d.Quiet() || len(d.Occasions()) > 0 {
		t.Errorf("quiet %v, occasions %v", d.Quiet(), d.Occasions())
	}
}

// The last success outlives runs that fail, and a file of something else is not misread.
func TestMetrics(t *testing.T) {
	l := digest.Labels{Playbook: `a"b.hcl`, Inventory: "inv"}
	before := "other 1\n" + `dsplay_run_last_success_timestamp_seconds{playbook="a\"b.hcl",inventory="inv"} 1700000000.5` + "\n"
	text := string(night(t).Metrics(l, []byte(before)))
	for _, want := range []string{
		`dsplay_run_last_success_timestamp_seconds{playbook="a\"b.hcl",inventory="inv"} 1700000000.5`,
		`dsplay_run_hosts{playbook="a\"b.hcl",inventory="inv",status="failed"} 1`,
		`dsplay_run_hosts{playbook="a\"b.hcl",inventory="inv",status="unreachable"} 0`,
		`dsplay_run_recoveries{playbook="a\"b.hcl",inventory="inv",result="healed"} 1`,
		`dsplay_run_recoveries{playbook="a\"b.hcl",inventory="inv",result="failed"} 1`,
		`dsplay_run_duration_seconds{playbook="a\"b.hcl",inventory="inv"} 17`,
		"# TYPE dsplay_run_exit_code gauge",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
}

// Ten thousand hosts that fail are one page, and quickly made.
func TestManyHosts(t *testing.T) {
	exit := 3
	var d digest.Digest
	_ = d.Append(engine.Event{Kind: engine.EventRunStart, Title: "p.hcl", Run: "r"})
	for i := range 10000 {
		host := "w" + strconv.Itoa(i)
		_ = d.Append(engine.Event{Kind: engine.EventCheck, Pass: "plan", Host: host, Entry: "c", Status: "failed", Reason: "no"})
		_ = d.Append(engine.Event{Kind: engine.EventHostEnd, Pass: "plan", Play: "p", Host: host, Status: "failed", Error: &engine.EventError{Text: "no"}})
	}
	_ = d.Append(engine.Event{Kind: engine.EventRunEnd, Status: "failed", Exit: &exit})
	page := d.Page(digest.About{Machine: "ops1"})
	if n := strings.Count(page, "\n"); n > 60 || !strings.Contains(page, "and 9980 more") || !strings.Contains(page, "FAILED on 10000 of 10000 hosts") {
		t.Errorf("%d lines:\n%s", n, page)
	}
}

// Of a run that was killed nobody may believe that it did nothing.
func TestBroken(t *testing.T) {
	var d digest.Digest
	d.Broken("dsplay-night.service", began, "dsplay-night.service did not end by itself: oom-kill (killed KILL)", []string{"dsplay runs list --unfinished"})
	page := d.Page(digest.About{Machine: "ops1"})
	for _, text := range []string{"Run       not known\n", "  not known: what it had begun stands in its record\n", "Time      until 2026-11-2", " KILL)\n", "  dsplay runs list --unfinished\n"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
	if strings.Contains(page, "nothing was changed") || strings.Contains(page, "could not begin") || !slices.Equal(d.Occasions(), []engine.Occasion{engine.OnFailure}) {
		t.Errorf("occasions %v\n%s", d.Occasions(), page)
	}
}

// What a host says, or how somebody calls a file, neither drives a terminal nor adds a line to a mail's head.
func TestControlCharacters(t *testing.T) {
	var d digest.Digest
	d.Unbegun("p\r\nBcc: everybody@corp.example\n.hcl", began, began, 1, "it said \x1b[2J\x1b]0;you\a and \u202egnp.exe")
	m := d.Message(digest.About{Machine: "ops1"})
	if strings.ContainsAny(m.Subject, "\r\n") || !strings.Contains(m.Subject, "p Bcc: everybody@corp.example .hcl") {
		t.Errorf("subject %q", m.Subject)
	}
	if strings.ContainsAny(m.Text, "\x1b\a\r\u202e") || !strings.Contains(m.Text, "it said [2J ]0;you and gnp.exe") {
		t.Errorf("text %q", m.Text)
	}
}
