package winrm_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

// What was found by experiment in the client that everybody uses (masterzen/winrm of 2025-09-27), and the test that keeps
// it out of this one. Those about login and encryption (5 to 9, 11, second list 8 to 10) are tested beside login.go and dial.go.
//
//	 1  a fault on Receive is asked again for ever          TestFinding1FaultOnReceive
//	 2  an empty or broken answer panics                    TestFinding2BrokenAnswers
//	 3  the end of a context does not reach the wire        TestFinding3And5ContextReachesTheWire
//	 4  exit code 0 beside an error                         TestFinding4NoExitCodeBesideAnError
//	10  a reply that came too late is lost, and counts as 0 TestFinding10LateReplyIsNoSuccess
//	12  a quota is "received error response"               TestFinding12QuotaSaysWhatToDo
//	13  a client leaks goroutines and a connection          TestFinding13NothingIsLeft
//	14  a lost connection leaves its shell behind           TestFinding14AbandonedShellExpires
//	15  options, code page, idle timeout are fixed          TestFinding15Options
//	16  no check of a line's length                         TestFinding16TooLong
//	17  "]]>" breaks the message (also second list 6)       TestFinding17CDATA
//	18  endless reader, Done without code, -1               TestFinding18Ends
//
// Second list:
//
//	 1  five requests for a command                         TestRequests
//	 2  lost stdin counts as success                        TestFindingG2LostStdin
//	 3  stdin in messages that are too large                TestFindingG3Chunks, TestEnvelopeIsLearnt, TestTooLargeIsHalved
//	 4  a silent host is waited for without end             TestFindingG4SilentHost
//	 7  PowerShell with a profile, a prompt and CLIXML      machine: TestPowerShell…, TestCLIXML
//	11  code page 65001 is fixed                            TestFinding15Options

func TestFinding1FaultOnReceive(t *testing.T) {
	t.Parallel()
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.SOAPFault, On: "Receive", Code: 2150858843})
	_, err := exec(t.Context(), c, "wait", "")
	if e := want(t, err, engine.KindLost); !e.Unreachable {
		t.Errorf("%+v", e)
	}
	if n := count(server, "Receive"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestFinding2BrokenAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]wsman.Fault{
		"empty":   {Mode: wsman.EmptyBody},
		"html":    {Mode: wsman.Unavailable},
		"no XML":  {Mode: wsman.Changed, Change: func(string) string { return "<s:Envelope" }},
		"text":    {Mode: wsman.Changed, Change: func(string) string { return "OK" }},
		"no SOAP": {Mode: wsman.Changed, Change: func(string) string { return "<html><body/></html>" }},
		"no body": {Mode: wsman.Changed, Change: func(s string) string {
			return regexp.MustCompile(`<s:Body>.*</s:Body>`).ReplaceAllString(s, "<s:Body/>")
		}},
		"not base64": {Mode: wsman.Changed, Change: func(s string) string {
			return regexp.MustCompile(`(<rsp:Stream [^>]*>)[^<]+<`).ReplaceAllString(s, "$1!<")
		}},
		"half a body": {Mode: wsman.Changed, Change: func(s string) string { return s[:len(s)/2] }},
	} {
		for _, action := range []string{"Create", "Command", "Receive"} {
			if name == "not base64" && action != "Receive" {
				continue // nothing else carries any
			}
			server, h := start(t, "ntlm http")
			fault.On, fault.Times = action, 1
			if action != "Create" {
				c := open(t, h)
				server.Fail(fault)
				got, err := exec(t.Context(), c, "say x", "")
				if err == nil {
					t.Errorf("%s %s: %s", action, name, got)
				}
				continue
			}
			server.Fail(fault)
			_, err := winrm.New().Open(t.Context(), h)
			var e *engine.Error
			if !errors.As(err, &e) || !e.Unreachable {
				t.Errorf("%s %s: %v", action, name, err)
			}
		}
	}
}

func TestFinding3And5ContextReachesTheWire(t *testing.T) {
	t.Parallel()
	server, h, s := host(t, wsman.Options{NTLM: true})
	s.OperationTimeout = "1h"
	c := open(t, h)
	for _, silent := range []bool{false, true} {
		if silent {
			server.Fail(wsman.Fault{Mode: wsman.Silent, On: "Receive"})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		bounded(t, func() {
			_, err := exec(ctx, c, "wait", "")
			_ = want(t, err, engine.KindTimeout)
		})
	}
}

func TestFinding4NoExitCodeBesideAnError(t *testing.T) {
	t.Parallel()
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.LoseReply, On: "Receive", Times: 1})
	if code, err := c.Exec(t.Context(), engine.Process{Line: "exit 0"}); code != 0 || err == nil {
		t.Errorf("%d, %v", code, err)
	}
}

// The host answers later than it was asked to; what it said is lost, and nobody may take that for an empty success.
func TestFinding10LateReplyIsNoSuccess(t *testing.T) {
	t.Parallel()
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.Silent, On: "Receive", Times: 1})
	got, err := exec(t.Context(), c, "say important", "")
	if e := want(t, err, engine.KindLost); got != "||0" || !e.Unreachable {
		t.Errorf("%s, %+v", got, e)
	}
}

func TestFinding12QuotaSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, h, _ := host(t, wsman.Options{NTLM: true, ShellQuota: 1})
	open(t, h)
	_, err := winrm.New().Open(t.Context(), h)
	if e := want(t, err, engine.KindProtocol); !strings.Contains(e.Error(), "concurrent shells") || !strings.Contains(e.Hint, "winrm") {
		t.Errorf("%v; %s", e, e.Hint)
	}
}

func TestFinding13NothingIsLeft(t *testing.T) {
	server, h := start(t, "ntlm http")
	base := runtime.NumGoroutine()
	for range 10 {
		c, err := winrm.New().Open(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := server.Shells(); n != 0 {
		t.Errorf("%d shells", n)
	}
	until(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= base })
}

func TestFinding14AbandonedShellExpires(t *testing.T) {
	t.Parallel()
	server, h, _ := host(t, wsman.Options{NTLM: true})
	open(t, h)
	if idle := server.Idle(); len(idle) != 1 || idle[0] != 15*time.Minute {
		t.Errorf("shells stay for %v", idle)
	}

	server, h, _ = host(t, wsman.Options{NTLM: true, MaxIdle: 2 * time.Second}) // the administrator is stricter
	c := open(t, h)
	until(t, "the shell has expired", func() bool { return server.Shells() == 0 })
	if got, err := exec(t.Context(), c, "say back", ""); got != "back||0" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestFinding15Options(t *testing.T) {
	t.Parallel()
	server, h, s := host(t, wsman.Options{NTLM: true})
	for encoding, page := range map[string]string{"": "65001", "cp932": "932", "cp1252": "1252"} {
		s.Encoding = encoding
		c := open(t, h)
		_, _ = exec(t.Context(), c, "say x", "")
		got := map[string]string{}
		for _, r := range server.Requests() {
			for name, value := range r.Options {
				got[name] = value
			}
		}
		if got["WINRS_CODEPAGE"] != page || got["WINRS_CONSOLEMODE_STDIN"] != "FALSE" || got["WINRS_SKIP_CMD_SHELL"] != "FALSE" {
			t.Errorf("%q: %v", encoding, got)
		}
		_ = c.Close()
	}
}

func TestFinding16TooLong(t *testing.T) {
	t.Parallel()
	server, h := start(t, "ntlm http")
	c := open(t, h)
	if _, err := exec(t.Context(), c, "say "+strings.Repeat("x", 8146), ""); err != nil {
		t.Error(err)
	}
	for _, long := range []string{strings.Repeat("x", 8147), strings.Repeat("𝒳", 4074)} {
		_, err := exec(t.Context(), c, "say "+long, "")
		_ = want(t, err, engine.KindModule)
	}
	if n := count(server, "Command"); n != 1 {
		t.Errorf("%d commands", n)
	}
}

func TestFinding17CDATA(t *testing.T) {
	t.Parallel()
	_, h := start(t, "ntlm http")
	c := open(t, h)
	for _, text := range []string{"]]>", "a]]>b<![CDATA[c", "]]&gt;", `<rsp:Command>"'&`, "]]></rsp:Command><x>", "&#13;"} {
		if got, err := exec(t.Context(), c, "say "+text, ""); got != text+"||0" || err != nil {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

func TestFinding18Ends(t *testing.T) {
	t.Parallel()
	server, h := start(t, "ntlm http")
	c := open(t, h)
	for line, code := range map[string]int{"exit 4294967295": -1, "exit -1": -1, "exit -1073741819": -1073741819, "exit 300": 300, "exit 0": 0} {
		if got, err := c.Exec(t.Context(), engine.Process{Line: line}); got != code || err != nil {
			t.Errorf("%s: %d, %v", line, got, err)
		}
	}
	if code, err := c.Exec(t.Context(), engine.Process{Line: "exit 7", Stdin: endless{}}); code != 7 || err != nil {
		t.Errorf("an endless reader: %d, %v", code, err)
	}
	for _, without := range []string{"", "<rsp:ExitCode></rsp:ExitCode>", "<rsp:ExitCode>done</rsp:ExitCode>", "<rsp:ExitCode>99999999999</rsp:ExitCode>"} {
		server.Fail(wsman.Fault{Mode: wsman.Changed, On: "Receive", Times: 1, Change: func(s string) string {
			return regexp.MustCompile(`<rsp:ExitCode>.*</rsp:ExitCode>`).ReplaceAllString(s, without)
		}})
		_, err := exec(t.Context(), c, "say x", "")
		if e := want(t, err, engine.KindLost); !strings.Contains(e.Error(), "with which code") {
			t.Error(e)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, "more"), nil }

func TestFindingG2LostStdin(t *testing.T) {
	t.Parallel()
	for _, mode := range []wsman.Mode{wsman.Unavailable, wsman.SOAPFault, wsman.EmptyBody, wsman.Cut, wsman.Silent} {
		server, h := start(t, "ntlm http")
		c := open(t, h)
		server.Fail(wsman.Fault{Mode: mode, On: "Send", Code: 5})
		_, err := exec(t.Context(), c, "cat", "input")
		_ = want(t, err, engine.KindLost)
	}
}

// A command that begins to read late makes the host hold its input back, for longer than it waits for news; nothing is lost by that.
func TestStdinIsReadLate(t *testing.T) {
	t.Parallel()
	_, h, s := host(t, wsman.Options{NTLM: true})
	s.OperationTimeout = "500ms"
	c := open(t, h)
	input := strings.Repeat("0123456789abcde\n", 100_000) // more than the host holds
	if got, err := exec(t.Context(), c, "late", input); err != nil || got != input+"||0" {
		t.Errorf("%d bytes come back of %d, %v", len(got), len(input), err)
	}
}

// One that never reads is not waited for without end, and what it has got is not known.
func TestStdinIsNeverRead(t *testing.T) {
	t.Parallel()
	_, h := start(t, "ntlm http")
	c := open(t, h)
	_, err := exec(t.Context(), c, "wait", strings.Repeat("x", 2_000_000))
	if e := want(t, err, engine.KindLost); !strings.Contains(e.Error(), "has not read its input for 2s") || e.Unreachable || e.Orphan {
		t.Errorf("%+v", e)
	}
}

// sizes are of what was sent as stdin.
func sizes(server *wsman.Server) (all []int) {
	for _, r := range server.Requests() {
		if r.Action == "Send" {
			all = append(all, r.Size)
		}
	}
	return all
}

func echo(t *testing.T, c engine.Shell, size int) {
	t.Helper()
	input := make([]byte, size)
	_, _ = rand.Read(input)
	var out bytes.Buffer
	code, err := c.Exec(t.Context(), engine.Process{Line: "cat", Stdin: struct{ io.Reader }{bytes.NewReader(input)}, Stdout: &out})
	if code != 0 || err != nil || !bytes.Equal(out.Bytes(), input) {
		t.Fatalf("%d bytes came back of %d, code %d, %v", out.Len(), size, code, err)
	}
}

func TestFindingG3Chunks(t *testing.T) {
	t.Parallel()
	server, h, s := host(t, wsman.Options{NTLM: true, Limited: []string{"ops"}})
	s.OperationTimeout = "20s"
	echo(t, open(t, h), 1_000_000)
	for _, n := range sizes(server) {
		if n > 153600 {
			t.Errorf("a message of %d bytes", n)
		}
	}
}

// Ten megabytes of any bytes come back as they were.
func TestTenMegabytesEachWay(t *testing.T) {
	t.Parallel()
	_, h, s := host(t, wsman.Options{NTLM: true})
	s.OperationTimeout = "20s"
	echo(t, open(t, h), 10<<20)
}

// A host that takes more tells so; a user who may not ask gets along without.
func TestEnvelopeIsLearnt(t *testing.T) {
	t.Parallel()
	server, h, s := host(t, wsman.Options{NTLM: true, MaxEnvelope: 512000})
	s.OperationTimeout = "20s"
	c := open(t, h)
	echo(t, c, 2_000_000)
	if n := count(server, "Get"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	large := 0
	for _, n := range sizes(server) {
		if n > 153600 {
			large++
		}
	}
	if large == 0 {
		t.Errorf("messages of %v", sizes(server))
	}
	echo(t, c, 500_000)
	if n := count(server, "Get"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestTooLargeIsHalved(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]wsman.Options{
		"by a fault": {MaxEnvelope: 32 << 10},
		"by 413":     {MaxRequest: 40_000},
	} {
		for _, sealed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, sealed), func(t *testing.T) {
				o.NTLM, o.Basic, o.AllowUnencrypted, o.Limited = sealed, !sealed, !sealed, []string{"ops"}
				_, h, s := host(t, o)
				s.OperationTimeout = "20s"
				if !sealed {
					s.Auth, s.AllowPlaintext = "basic", true
				}
				echo(t, open(t, h), 300_000)
			})
		}
	}
	_, h, _ := host(t, wsman.Options{NTLM: true, MaxRequest: 2500, Limited: []string{"ops"}})
	c := open(t, h)
	_, err := exec(t.Context(), c, "cat", strings.Repeat("x", 100_000))
	_ = want(t, err, engine.KindLost)
}

func TestFindingG4SilentHost(t *testing.T) {
	t.Parallel()
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.Silent, On: "Receive"})
	bounded(t, func() {
		_, err := exec(t.Context(), c, "wait", "")
		_ = want(t, err, engine.KindLost)
	})
	if n := count(server, "Receive"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A host counts a command as an operation until its shell is deleted: a run of many commands gets new shells.
func TestQuotaOfOperations(t *testing.T) {
	t.Parallel()
	server, h, _ := host(t, wsman.Options{NTLM: true, Operations: 4})
	c := open(t, h)
	for i := range 20 {
		if got, err := exec(t.Context(), c, "say x", ""); got != "x||0" || err != nil {
			t.Fatalf("command %d: %s, %v", i, got, err)
		}
	}
	if n := count(server, "Create"); n != 5 || server.Shells() != 1 {
		t.Errorf("%d shells were made, %d are open", n, server.Shells())
	}
}

// The same with commands beside each other: a shell goes when its last command has ended.
func TestQuotaOfOperationsInParallel(t *testing.T) {
	t.Parallel()
	server, h, s := host(t, wsman.Options{NTLM: true, Operations: 4})
	s.OperationTimeout = "20s"
	c := open(t, h)
	errs := make(chan error)
	for range 5 {
		go func() {
			for range 6 {
				if got, err := exec(t.Context(), c, "cat", "x"); got != "x||0" || err != nil {
					errs <- fmt.Errorf("%s: %w", got, err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := server.Shells(); n > 1 {
		t.Errorf("%d shells are left beside the current one", n-1)
	}
}

// More commands at once than a shell may have processes: another shell takes them.
func TestQuotaOfProcesses(t *testing.T) {
	t.Parallel()
	server, h, _ := host(t, wsman.Options{NTLM: true, Processes: 2})
	c := open(t, patient(h))
	errs := make(chan error)
	for range 5 {
		go func() {
			got, err := exec(t.Context(), c, "cat", "x")
			if got != "x||0" && err == nil {
				err = errors.New(got)
			}
			errs <- err
		}()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if err := c.Close(); err != nil || server.Shells() != 0 {
		t.Errorf("%v, %d shells", err, server.Shells())
	}
}

// A shell of somebody else ends meanwhile: the quota is waited for.
func TestQuotaIsWaitedFor(t *testing.T) {
	t.Parallel()
	_, h, s := host(t, wsman.Options{NTLM: true, ShellQuota: 1})
	s.OperationTimeout = "8s"
	c := open(t, h)
	done := make(chan error, 1)
	go func() {
		second, err := winrm.New().Open(t.Context(), h)
		if err == nil {
			err = second.Close()
		}
		done <- err
	}()
	if err := engine.Wait(t.Context(), 150*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
