package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/plan"
)

// What systems received and what a plan says are compared in this file and nowhere else. A command line is the same text on
// both sides, with everything that sudo is given. Four things differ:
//   - a call of an API: the system notes the operation with its arguments; the plan has the whole request where it changes
//     something, and where planning only looked the request line, and for SOAP the operation;
//   - the vCenter calls the machine of an operation by its type, too: "PowerOnVM_Task VirtualMachine:vm-17 (guest1)";
//   - a task of a DSM gets its number when it is made;
//   - guest operations wrap a line for Windows: see unwrapped.

// asked is what a system received as the plan lists what it has looked at.
func asked(r lab.Received) string {
	operation, _, _ := strings.Cut(r.Text, " ")
	switch {
	case strings.HasPrefix(r.Text, "SOAP, "): // refused before it was read
		return "POST /webservice/Manager authenticate"
	case r.Kind == "vsphere":
		return "POST /sdk " + operation
	case r.Kind == "dsm" && !isMethod(operation):
		return "POST /webservice/Manager " + operation
	case r.Kind == "dsm", r.Kind == "nsx":
		line, _, _ := strings.Cut(r.Text, " {") // the body
		return line
	case r.Kind == "guest":
		return unwrapped(r.Text)
	}
	return r.Text
}

func isMethod(word string) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "DELETE"}, word)
}

// done is what a system received as the plan writes what may be executed.
func done(r lab.Received) string {
	switch r.Kind {
	case "vsphere":
		return machineType.ReplaceAllString(r.Text, " ")
	case "dsm":
		return ownTask.ReplaceAllString(r.Text, "${1}ID (of that task)")
	case "guest":
		return unwrapped(r.Text)
	}
	return r.Text
}

var (
	machineType = regexp.MustCompile(` (VirtualMachine):`)
	ownTask     = regexp.MustCompile(`^(DELETE /api/scheduledtasks/)\d+$`)
)

// unwrapped is the line that guest operations carry: its streams are files in a folder of ours, and cmd.exe reads it twice, so
// that every character that it knows has a caret before it.
func unwrapped(text string) string {
	m := wrapping.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	return caret.ReplaceAllString(m[1], "$1")
}

var (
	wrapping = regexp.MustCompile(`^C:\\Windows\\System32\\cmd\.exe /d /s /c "chcp 65001 >nul 2>nul&cd /d "%USERPROFILE%" 2>nul&md "[^"]+\\dsplay-\w+\\\d+c"&<\S+ >"[^"]+\\out" 2>"[^"]+\\err" cmd\.exe /c (.*)"$`)
	caret    = regexp.MustCompile(`\^(.)`)
)

// goodbyes end our sessions when the plan has been written.
var goodbyes = []string{"POST /sdk Logout", "POST /webservice/Manager endSession", "POST /api/session/destroy"}

// reader has read a plan, and the journal of the run that applied it.
type reader struct {
	looks           map[string]bool // what docs/looks.md has
	empty           bool            // the plan lists no host
	listed, allowed map[string]bool // host and line
	announced       map[string]int  // likewise, and not yet done
}

func newReader(p *plan.Document, events []engine.Event, looks map[string]bool) reader {
	r := reader{looks: looks, empty: len(p.Hosts) == 0, listed: map[string]bool{}, allowed: map[string]bool{}, announced: intents(events)}
	for _, h := range p.Hosts {
		for _, l := range h.Looked {
			r.listed[h.Name+"\n"+l.Line] = true
		}
	}
	for _, i := range p.Items {
		for _, c := range i.Diff.Commands {
			r.allowed[i.On+"\n"+c] = r.allowed[i.On+"\n"+c] || i.Acts()
		}
	}
	return r
}

// planning says what is strange about a line that a system received while planning; "": nothing is.
func (r reader) planning(l lab.Received) string {
	switch line := asked(l); {
	case l.Mutates:
		return say(l, l.Text, "it changes something, while planning")
	case !r.empty && !r.listed[l.Host+"\n"+line] && !slices.Contains(goodbyes, line) && !r.looks[form(line)+ofTransport]:
		return say(l, line, "planning looked at it, and the plan does not list it")
	}
	return ""
}

// applying says likewise of a line while applying, after those of which it was asked before.
func (r reader) applying(l lab.Received) string {
	key := l.Host + "\n" + done(l)
	if r.allowed[key] && r.announced[key] > 0 { // whether it came to change something or not
		r.announced[key]--
		return ""
	}
	switch line := asked(l); {
	case !l.Mutates && !r.listed[l.Host+"\n"+line] && !r.looks[form(line)] && !r.looks[form(line)+ofTransport]:
		return say(l, line, "the plan does not list it, and docs/looks.md has no such look: "+form(line))
	case !l.Mutates:
		return ""
	case !r.allowed[key]:
		return say(l, done(l), "it changes something, and the plan does not have it for this host")
	}
	return say(l, done(l), "it changes something, more often than it was announced")
}

func say(l lab.Received, text, why string) string {
	return fmt.Sprintf("%s received %q: %s", l.Host, text, why)
}

// unread are the lines of both passes that a reader of the plan could not have read there.
//   - While planning nothing changes anything, and every line is in the list of what was looked at on that host.
//   - What changes something is among the commands of the plan for its host, whole, and not more often than it was announced:
//     every execution of an entry writes an intent before it begins.
//   - What only looks is in the list of that host, or of a kind that docs/looks.md has.
//
// r has then read both passes.
func (r reader) unread(planning, applying []lab.Received) (strange []string) {
	for _, l := range planning {
		strange = append(strange, r.planning(l))
	}
	for _, l := range applying {
		strange = append(strange, r.applying(l))
	}
	strange = slices.DeleteFunc(strange, func(s string) bool { return s == "" })
	slices.Sort(strange)
	return slices.Compact(strange)
}

// ofTransport marks looks that a transport has of its own: no entry asks for them.
const ofTransport = " (transport)"

// intents are the lines that were announced, and how often: every execution of an entry writes an intent, a repeated one, too.
func intents(events []engine.Event) map[string]int {
	n := map[string]int{}
	for _, ev := range events {
		if ev.Kind != engine.EventIntent {
			continue
		}
		for _, line := range ev.Lines {
			n[cmp.Or(ev.On, ev.Host)+"\n"+line]++
		}
	}
	return n
}

// form is a look without what differs from one host to the next: numbers, identifiers, names of our own files.
func form(line string) string {
	line = caret.ReplaceAllString(sudo.ReplaceAllString(line, ""), "$1")
	for _, v := range differing {
		line = v.pattern.ReplaceAllString(line, v.with)
	}
	return line
}

var (
	sudo      = regexp.MustCompile(`^sudo (-\S+ )*(-p \S+ )?-- `)
	differing = []struct {
		pattern *regexp.Regexp
		with    string
	}{
		{regexp.MustCompile(`[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`), "GUID"},
		{regexp.MustCompile(`tools-[0-9a-f]{8}\b`), "tools-ID"},
		{regexp.MustCompile(`\b[0-9A-F]{32}\b`), "ID"},
		{regexp.MustCompile(`\b[A-Z]:\\`), `D:\`},
		{regexp.MustCompile(`dsplay-vmware\w+`), "dsplay-ID"},
		{regexp.MustCompile(`\b(host|vm|securitytag|runtime-host)-\d+\b`), "$1-N"},
		{regexp.MustCompile(`/proc/\d+/`), "/proc/N/"},
		{regexp.MustCompile(`\\\d+c?\b`), `\N`},
		{regexp.MustCompile(`-Id \d+`), "-Id N"},
		{regexp.MustCompile(`/\d+\b`), "/N"},
	}
)

// What unread finds: a copy of a real run in which a module sends one request more, with another argument, to another host, or
// looks where no list has it.
func TestUnreadCatchesMutants(t *testing.T) {
	p := &plan.Document{Hosts: []plan.Host{{Name: "dsm1", Looked: []plan.Looked{{Line: "POST /webservice/Manager hostGetStatus", Times: 1}}}, {Name: "esx1"}}, Items: []plan.Item{
		{Kind: engine.EntryStep, On: "dsm1", Play: "p", Host: "esx1", Entry: "p/step.clear", Disposition: plan.WillRun, Diff: engine.Diff{Commands: []string{"hostClearWarningsErrors hostIDs=26"}}},
		{Kind: engine.EntryStep, On: "vc1", Play: "p", Host: "esx1", Entry: "p/step.on", Disposition: plan.WillRun, Diff: engine.Diff{Commands: []string{"PowerOnVM_Task vm-17 (guest1)"}}},
		{Kind: engine.EntryStep, On: "esx1", Play: "p", Host: "esx1", Entry: "p/step.not", Disposition: plan.NoOp, Diff: engine.Diff{Commands: []string{"reboot"}}}}}
	intent := func(on, entry string, lines ...string) engine.Event {
		return engine.Event{Kind: engine.EventIntent, Play: "p", Host: "esx1", On: on, Entry: entry, Lines: lines}
	}
	said := []engine.Event{intent("dsm1", "p/step.clear", "hostClearWarningsErrors hostIDs=26"), intent("vc1", "p/step.on", "PowerOnVM_Task vm-17 (guest1)"), intent("", "p/step.not", "reboot")}
	look := lab.Received{Kind: "dsm", Host: "dsm1", Text: "hostGetStatus id=26"}
	clearing := lab.Received{Kind: "dsm", Host: "dsm1", Text: "hostClearWarningsErrors hostIDs=26", Mutates: true}
	power := lab.Received{Kind: "vsphere", Host: "vc1", Text: "PowerOnVM_Task VirtualMachine:vm-17 (guest1)", Mutates: true}
	with := func(r lab.Received, text string) lab.Received { r.Text = text; return r }
	for _, m := range []struct {
		name         string
		plan, apply  []lab.Received
		strange      string
		announcedFew bool
	}{
		{name: "as it is", plan: []lab.Received{look}, apply: []lab.Received{look, clearing, power}},
		{name: "once more", apply: []lab.Received{clearing, clearing}, strange: "more often than it was announced"},
		{name: "another argument", apply: []lab.Received{with(clearing, "hostClearWarningsErrors hostIDs=27")}, strange: "the plan does not have it"},
		{name: "one argument more", apply: []lab.Received{with(clearing, "hostClearWarningsErrors hostIDs=26 hostIDs=27")}, strange: "the plan does not have it"},
		{name: "another machine", apply: []lab.Received{with(power, "PowerOnVM_Task VirtualMachine:vm-18 (guest2)")}, strange: "the plan does not have it"},
		{name: "an argument for the vCenter", apply: []lab.Received{with(power, "PowerOnVM_Task VirtualMachine:vm-17 Host=host-9 (guest1)")}, strange: "the plan does not have it"},
		{name: "a request of another kind", apply: []lab.Received{with(clearing, "POST /api/computers/26 {}")}, strange: "the plan does not have it"},
		{name: "another host", apply: []lab.Received{{Kind: "ssh", Host: "esx2", Text: "reboot", Mutates: true}}, strange: "the plan does not have it"},
		{name: "what the plan has as nothing to do", apply: []lab.Received{{Kind: "ssh", Host: "esx1", Text: "reboot", Mutates: true}}, strange: "the plan does not have it"},
		{name: "while planning", plan: []lab.Received{clearing}, strange: "while planning"},
		{name: "a look that is not listed", plan: []lab.Received{with(look, "hostDetailRetrieve")}, strange: "the plan does not list it"},
		{name: "a look of no kind that is known", apply: []lab.Received{{Kind: "ssh", Host: "esx1", Text: "cat /etc/shadow"}}, strange: "docs/looks.md has no such look"},
	} {
		got := strings.Join(newReader(p, said, map[string]bool{}).unread(m.plan, m.apply), "\n")
		if (got == "") != (m.strange == "") || !strings.Contains(got, m.strange) {
			t.Errorf("%s: %q, want %q", m.name, got, m.strange)
		}
	}
}
