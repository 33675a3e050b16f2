package faults_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

var update = flag.Bool("update", false, "write what was measured into testdata and docs/faults.md")

var quiet = log.New(io.Discard, "", 0)

// slack is for a machine that does other things, too.
const slack = 5 * time.Second

// measured is what became of a fault.
type measured struct {
	Fault, Transport string
	Kind             engine.ErrorKind
	Took             string // rounded; not compared
	Tried, Left      string
	Reads            string // message, and hint
}

// TestFaults makes every fault that needs neither root nor packages.
func TestFaults(t *testing.T) {
	measureAll(t, func(f fault) bool { return f.where == "" })
}

// measureAll makes the faults that can be made here: those that take long at once, and the others one after the other.
func measureAll(t *testing.T, here func(fault) bool) {
	m := &measuring{stored: load(t), here: here}
	before, sockets := runtime.NumGoroutine(), openSockets(t)
	if here(faults()[0]) { // the network of the lab is one for all
		t.Run("slow", func(t *testing.T) { m.run(t, true) })
		checkNothingLeft(t, before, sockets)
		t.Run("quick", func(t *testing.T) { m.run(t, false) })
	} else {
		m.run(t, false)
		m.run(t, true)
	}
	if *update && !t.Failed() {
		store(t, merge(m.stored, m.fresh))
	}
}

type measuring struct {
	stored []measured
	here   func(fault) bool
	mu     sync.Mutex
	fresh  []measured
}

// run makes the slow ones, or the others.
func (m *measuring) run(t *testing.T, slow bool) {
	for _, f := range faults() {
		for _, transport := range transports {
			want, concerned := f.on[transport]
			if !concerned || !m.here(f) || slow != (want.bound >= quick) || slow && testing.Short() {
				continue
			}
			t.Run(f.name+"/"+transport, func(t *testing.T) {
				before, sockets := runtime.NumGoroutine(), openSockets(t)
				parallel := slow && f.where == ""
				if parallel {
					t.Parallel()
				}
				got := measure(t, f, transport, want)
				if !parallel {
					checkNothingLeft(t, before, sockets)
				}
				m.mu.Lock()
				m.fresh = append(m.fresh, got)
				m.mu.Unlock()
				if !*update {
					compare(t, m.stored, got)
				}
			})
		}
	}
}

// measure makes one fault.
func measure(t *testing.T, f fault, transport string, want expect) measured {
	t.Helper()
	s := newScene(t, transport, f.setup)
	s.began()
	err := f.act(s)
	took := time.Since(s.start)
	got := measured{Fault: f.name, Transport: transport, Kind: engine.KindOf(err), Took: rounded(took), Tried: s.tried(err), Left: s.left(err), Reads: s.reads(err)}
	s.end()
	if took > want.bound+slack {
		t.Errorf("found after %v, and not within %s (%v)", took, want.within, want.bound)
	}
	if got.Kind != want.kind || got.Tried != want.tried || got.Left != want.left {
		t.Errorf("kind %q, tried %q, left %q;\nwant %q, %q, %q: %v", got.Kind, got.Tried, got.Left, want.kind, want.tried, want.left, err)
	}
	var e *engine.Error
	if err != nil && (!errors.As(err, &e) || e.Host != "h1" && (s.guest == nil || e.Host != "vc1") || e.Op == "" || e.Hint == "") {
		t.Errorf("host, op or hint is missing: %+v", e)
	}
	return got
}

// tried is what was done more than once.
func (s *scene) tried(err error) string {
	dials, commands := s.dials.Load(), s.commands.Load()
	switch {
	case s.guest != nil:
		return s.triedInGuest(err)
	case s.ssh != nil && s.ssh.Refusals() > 0, s.log("no more sessions"):
		return "until there is room"
	case err != nil && s.winrm != nil && s.requests("Create") > 2:
		return "until there is room"
	case s.web != nil && commands > 1:
		return fmt.Sprintf("asked %d times", commands)
	case commands > 1:
		return fmt.Sprintf("sent %d times", commands)
	case err != nil && commands == 1:
		return no // what connects now wants to end it
	case err == nil && s.winrm != nil && s.requests("Create") > 1 && dials == 1:
		return "a new shell"
	case err == nil && s.connections() > s.expected:
		return again
	case dials > 1:
		return fmt.Sprintf("connected %d times", dials)
	}
	return no
}

// connections is how often somebody connected.
func (s *scene) connections() int32 {
	if s.direct {
		return s.dials.Load()
	}
	return s.wire.count()
}

// log tells whether a server that is another process has said this.
func (s *scene) log(text string) bool {
	if s.stop == nil {
		return false
	}
	said, err := os.ReadFile(filepath.Join(s.dir, "log"))
	return err == nil && strings.Contains(string(said), text)
}

// requests counts those that a WinRM host got.
func (s *scene) requests(action string) (n int) {
	for _, r := range s.winrm.Requests() {
		if r.Action == action {
			n++
		}
	}
	return n
}

// left is what the error says of what is left; where it says that nothing is, the host is looked at. The connection is
// closed after that, as at the end of a run, with the fault still there.
func (s *scene) left(err error) string {
	var e *engine.Error
	errors.As(err, &e)
	unknown := e != nil && (e.Orphan || s.web != nil && e.Kind == engine.KindLost && !errors.Is(err, engine.ErrNotRun)) // a request leaves no process
	if !unknown {
		until(s.t, "nothing runs on the host", func() bool { return s.running.Load() == 0 })
	}
	s.closeConn()
	switch {
	case s.guest != nil:
		return s.leftInGuest(unknown)
	case !unknown && s.winrm != nil && s.winrm.Shells() > 0:
		s.t.Errorf("%d remote shells are left", s.winrm.Shells())
	case !unknown:
		return nothing
	case s.web != nil:
		return request
	case s.winrm != nil && s.winrm.Shells() > 0:
		return shell
	}
	return perhaps
}

// checkNothingLeft: here, there must never be anything.
func checkNothingLeft(t *testing.T, goroutines, sockets int) {
	t.Helper()
	if !eventually(func() bool { return runtime.NumGoroutine() <= goroutines }) {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines instead of %d:\n%s", runtime.NumGoroutine(), goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if !eventually(func() bool { return openSockets(t) <= sockets }) {
		t.Errorf("%d sockets instead of %d", openSockets(t), sockets)
	}
}

// openSockets counts them where /proc tells of them.
func openSockets(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

var normalisations = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`(127\.0\.0\.1|198\.18\.\d+\.\d+|203\.0\.113\.7|\[?127\.0\.0\.1\]?|esx1\.\.example\.com):\d+`), "h1:PORT"},
	{regexp.MustCompile(`127\.0\.\d+\.\d+|198\.18\.\d+\.\d+`), "h1"},
	{regexp.MustCompile(`/[^ '"]*/(known_hosts|ca\.pem|id|file)`), "~/$1"},
	{regexp.MustCompile(`SHA256:[A-Za-z0-9+/=]+`), "SHA256:…"},
	{regexp.MustCompile(`sha256:[0-9a-f]+`), "sha256:…"},
	{regexp.MustCompile(`dsplay-vmware\w+`), "dsplay-vmware…"},
	{regexp.MustCompile(`-p \d+`), "-p PORT"},
	{regexp.MustCompile(`within \d+(\.\d+)?m?s`), "within …s"},
	{regexp.MustCompile(`current time \S+ is after \S+`), "current time … is after …"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?`), "2026-…"},
	{regexp.MustCompile(`:\d+->`), ":PORT->"},
	{regexp.MustCompile(`(read|write) tcp h1:PORT->h1:PORT: |(read|write) tcp \S+->\S+: `), ""},
	{regexp.MustCompile(`(read|write): connection reset`), "connection reset"}, // which of them meets it is chance
}

// reads is what stands on the screen: message and hint, without what is another one each time.
func (s *scene) reads(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if hint := engine.HintOf(err); hint != "" {
		text += " → " + hint
	}
	if strings.Contains(text, "token=") {
		s.t.Errorf("the key to a file of the guest is in %q", text)
	}
	if strings.Contains(text, password) || strings.Contains(text, "s3cret") {
		s.t.Errorf("the password is in %q", text)
	}
	if s.guest != nil {
		text = strings.ReplaceAll(text, s.guest.esxi.Listener.Addr().String(), "esx1:PORT")
		text = strings.ReplaceAll(text, s.wire.listener.Addr().String(), "vc1:PORT")
	}
	for _, n := range normalisations {
		text = n.what.ReplaceAllString(text, n.as)
	}
	return text
}

// rounded is a time as a person tells it.
func rounded(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "< 0.1 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

func compare(t *testing.T, stored []measured, got measured) {
	t.Helper()
	i := slices.IndexFunc(stored, func(m measured) bool { return m.Fault == got.Fault && m.Transport == got.Transport })
	if i < 0 {
		t.Errorf("it is not in docs/faults.md: run the test with -update")
		return
	}
	got.Took = stored[i].Took
	if got != stored[i] {
		t.Errorf("docs/faults.md says\n%+v\nmeasured is\n%+v\nIf that is better, run the test with -update.", stored[i], got)
	}
}
