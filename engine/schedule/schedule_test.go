package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/schedule"
)

const others = `# what people wrote
MAILTO=ops@corp.example
SHELL=/bin/bash
0 3 * * *	/usr/local/bin/backup --mark "50\%"

@reboot /bin/true`

var night = schedule.Job{Name: "night", When: "*/15 1-4 * * sat,sun", Argv: []string{"/usr/bin/dsplay", "run", "/opt/play books/it's.hcl", "--var=share=50%"}, Env: []string{"LANG=C.UTF-8"}}

func TestCrontabKeepsEverythingElse(t *testing.T) {
	tab, err := schedule.Put(others, night)
	if err != nil {
		t.Fatal(err)
	}
	want := others + "\n# BEGIN dsplay schedule night (dsplay schedule remove night takes it away)\n" +
		`*/15 1-4 * * sat,sun /usr/bin/env LANG=C.UTF-8 /usr/bin/dsplay run '/opt/play books/it'\''s.hcl' --var=share=50\%` +
		"\n# END dsplay schedule night\n"
	if tab != want {
		t.Errorf("crontab\n%s\nwant\n%s", tab, want)
	}
	day := night
	day.Name, day.When = "day", "@hourly"
	both, err := schedule.Put(tab, day)
	if err != nil {
		t.Fatal(err)
	}
	night2 := night
	night2.When = "5 2 * * *"
	replaced, err := schedule.Put(both, night2)
	if err != nil || strings.Count(replaced, "BEGIN") != 2 || strings.Contains(replaced, "*/15") {
		t.Errorf("%v\n%s", err, replaced)
	}
	entries, err := schedule.Entries(replaced)
	if err != nil || len(entries) != 2 || entries[0].Name != "day" || entries[0].When != "@hourly" || entries[1].When != "5 2 * * *" || !strings.HasSuffix(entries[1].Command, "--var=share=50%") {
		t.Errorf("%v %+v", err, entries)
	}
	for _, name := range []string{"day", "night"} {
		var found bool
		if replaced, found, err = schedule.Remove(replaced, name); err != nil || !found {
			t.Fatal(found, err)
		}
	}
	if replaced != others+"\n" {
		t.Errorf("what is left:\n%q", replaced)
	}
	if _, found, _ := schedule.Remove(others, "night"); found {
		t.Error("what was not there was found")
	}
}

func TestCrontabRefuses(t *testing.T) {
	for _, tab := range []string{"# BEGIN dsplay schedule night\n", "# END dsplay schedule night\n", "# BEGIN dsplay schedule a\n# END dsplay schedule b\n", "# BEGIN dsplay schedule a\n# BEGIN dsplay schedule a\n"} {
		if _, err := schedule.Put(tab, night); err == nil {
			t.Errorf("marks that do not fit together: %q", tab)
		}
	}
	for name, j := range map[string]schedule.Job{
		"line end": {Name: "n", When: "@daily", Argv: []string{"/d", "a\n* * * * * evil"}}, "name": {Name: "a b", When: "@daily", Argv: []string{"/d"}},
		"time": {Name: "n", When: "61 * * * *", Argv: []string{"/d"}}, "backslash": {Name: "n", When: "@daily", Argv: []string{"/d", `--var=a=50\%`}}, "backslashes": {Name: "n", When: "@daily", Argv: []string{"/d", `--var=a=\\host`}},
		"too long": {Name: "n", When: "@daily", Argv: []string{"/d", strings.Repeat("x", 1000)}},
	} {
		if tab, err := schedule.Put("", j); err == nil {
			t.Errorf("%s: %q", name, tab)
		}
	}
}

func TestNext(t *testing.T) {
	at := time.Date(2026, 11, 23, 1, 7, 30, 0, time.UTC) // a Monday
	for when, want := range map[string]string{
		"* * * * *": "2026-11-23 01:08", "*/15 * * * *": "2026-11-23 01:15", "0 1 * * *": "2026-11-24 01:00", "7 1 * * *": "2026-11-24 01:07",
		"0 1 * * sat,sun": "2026-11-28 01:00", "0 1 * * 7": "2026-11-29 01:00", "0 0 29 2 *": "2028-02-29 00:00", "0 0 1 jan *": "2027-01-01 00:00",
		"0 0 13 * fri": "2026-11-27 00:00", "30 2-4/2 * * 1-5": "2026-11-23 02:30", "@daily": "2026-11-24 00:00", "@monthly": "2026-12-01 00:00", "0 12 */10 * *": "2026-12-01 12:00",
	} {
		w, err := schedule.ParseWhen(when)
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		if got := w.Next(at).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s: next is %s, want %s", when, got, want)
		}
	}
	for _, bad := range []string{"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * foo *", "5-1 * * * *", "*/0 * * * *", "5/2 * * * *", "@reboot", "0 0 31 2 *", "* * * * 8"} {
		if _, err := schedule.ParseWhen(bad); err == nil {
			t.Errorf("%q is taken for a time", bad)
		}
	}
}

// A job at a time that the clock of a place leaves out, and around one that it has twice.
func TestNextWhereTheClockIsChanged(t *testing.T) {
	place, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	w, err := schedule.ParseWhen("30 2 * * *")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Next(time.Date(2026, 3, 29, 1, 0, 0, 0, place)).Format(time.RFC3339); got != "2026-03-30T02:30:00+02:00" {
		t.Errorf("on the day without 2:30: %s", got)
	}
	if got := w.Next(time.Date(2026, 10, 25, 1, 0, 0, 0, place)).Format(time.RFC3339); got != "2026-10-25T02:30:00+02:00" {
		t.Errorf("on the day with two of them: %s", got)
	}
}

func TestUnits(t *testing.T) {
	u := schedule.Unit{Job: night, Title: "dsplay: 100% engine-offline.hcl", System: true, User: "dsplay", Delay: "1min",
		Credentials: []string{"dsm:/etc/dsplay/dsm key"}, Writes: []string{"/var/lib/node exporter"}, Failed: []string{"/usr/bin/dsplay", "notify"}}
	u.When = "Sat,Sun 01:00"
	u.Argv = append(u.Argv, `--var=a=$b "c"\`)
	files, err := u.Files()
	if err != nil || len(files) != 3 {
		t.Fatal(err, files)
	}
	for i, wants := range [][]string{
		{"OnCalendar=Sat,Sun 01:00", "Persistent=true", "RandomizedDelaySec=1min", "WantedBy=timers.target"},
		{`ExecStart=/usr/bin/dsplay run "/opt/play books/it's.hcl" --var=share=50%% "--var=a=$$b \"c\"\\"`, "User=dsplay", "LoadCredential=dsm:/etc/dsplay/dsm key", `ReadWritePaths="/var/lib/node exporter"`,
			"Description=dsplay: 100%% engine-offline.hcl", "ProtectSystem=strict", "NoNewPrivileges=yes", "OnFailure=dsplay-night-failed.service", "After=network-online.target"},
		{"ExecStart=/usr/bin/dsplay notify"},
	} {
		if !schedule.IsOwn(files[i].Text, "night") || schedule.IsOwn(files[i].Text, "day") {
			t.Errorf("%s is not marked: %s", files[i].Name, files[i].Text)
		}
		for _, want := range wants {
			if !strings.Contains(files[i].Text, "\n"+want+"\n") {
				t.Errorf("%s has no line %q:\n%s", files[i].Name, want, files[i].Text)
			}
		}
	}
	for name, change := range map[string]func(*schedule.Unit){
		"user": func(u *schedule.Unit) { u.User = "a\nExecStartPre=+/bin/evil" }, "delay": func(u *schedule.Unit) { u.Delay = "1min\nPersistent=false" },
		"credential": func(u *schedule.Unit) { u.Credentials = []string{"dsm:/a\nUser=root"} }, "folder": func(u *schedule.Unit) { u.Writes = []string{"/a\n"} },
	} {
		bad := u
		change(&bad)
		if files, err := bad.Files(); err == nil {
			t.Errorf("%s with a line end: %v", name, files)
		}
	}
	u.System = false
	if files, err = u.Files(); err != nil || strings.Contains(files[1].Text, "ProtectSystem") || strings.Contains(files[1].Text, "User=") {
		t.Errorf("%v: an account's own manager cannot do this:\n%s", err, files[1].Text)
	}
}
