// Package scm knows what sc.exe of Windows says about services and drivers, in every language of Windows.
//
// sc.exe translates its labels ("STATE" is "STATUS" on a German Windows) and its sentences, and their bytes depend
// on the console's code page. Numbers and the English constants behind them stay, so only those are read.
package scm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// States of a service, as sc.exe numbers them (winsvc.h, SERVICE_STATUS.dwCurrentState).
const (
	Stopped      = 1
	StartPending = 2
	StopPending  = 3
	Running      = 4
)

// Exit codes of sc.exe (winerror.h) that its callers treat in a way of their own.
const (
	CodeDenied         = 5
	CodeBusy           = 1051 // other running services need it
	CodeAlreadyRunning = 1056
	CodeMissing        = 1060
	CodeNotStarted     = 1062
)

var (
	stateLine = regexp.MustCompile(`:\s+(\d)\s+(STOPPED|START_PENDING|STOP_PENDING|RUNNING|CONTINUE_PENDING|PAUSE_PENDING|PAUSED)\b`)
	// typeLine is the first number in an answer; it is hexadecimal, without a prefix.
	typeLine = regexp.MustCompile(`:[ \t]+([0-9a-fA-F]+)[ \t]+[A-Z]`)
	// exitLine is WIN32_EXIT_CODE, the first of the two lines of this shape.
	exitLine = regexp.MustCompile(`:\s+(\d+)\s+\(0x[0-9a-fA-F]+\)`)
	// pidLine is the last line of queryex with nothing but a decimal number; a service's name may be one, too.
	pidLine   = regexp.MustCompile(`(?m):[ \t]+(\d+)\s*$`)
	startLine = regexp.MustCompile(`:\s+(\d)\s+(BOOT_START|SYSTEM_START|AUTO_START|DEMAND_START|DISABLED)\b`)
	missing   = regexp.MustCompile(`\b1060\b`)
)

// Service is what sc.exe query and queryex say of one service or driver.
type Service struct {
	Exists bool
	State  int
	Word   string // "RUNNING"; "" when it does not exist
	Driver bool   // a kernel or file system driver: it has no process
	Exit   int    // why it is stopped: 1077 never started since the boot, 31 the driver could not be loaded
	PID    int    // only of queryex; 0: none
}

// Parse reads the answer of "sc.exe query NAME" or "sc.exe queryex NAME". An answer that is neither a state nor
// "there is no such service" is an error of KindExit.
func Parse(out engine.Output) (Service, error) {
	m := stateLine.FindStringSubmatch(out.Stdout)
	switch {
	case m == nil && (out.Code == CodeMissing || missing.MatchString(out.Stdout)):
		return Service{}, nil
	case m == nil:
		return Service{}, Failed("ask the service control manager", out)
	}
	s := Service{Exists: true, State: number(m[1]), Word: m[2]}
	if t := typeLine.FindStringSubmatch(out.Stdout); t != nil {
		kind, _ := strconv.ParseInt(t[1], 16, 32) // it matched
		s.Driver = kind == 1 || kind == 2
	}
	if x := exitLine.FindStringSubmatch(out.Stdout); x != nil {
		s.Exit = number(x[1])
	}
	if p := pidLine.FindAllStringSubmatch(out.Stdout, -1); p != nil {
		s.PID = number(p[len(p)-1][1])
	}
	return s, nil
}

// AtBoot reads the answer of "sc.exe qc NAME": whether it starts by itself with Windows. False, false: it does not say.
func AtBoot(out engine.Output) (atBoot, known bool) {
	m := startLine.FindStringSubmatch(out.Stdout)
	return m != nil && number(m[1]) <= 2, m != nil
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // a pattern matched it; beyond 64 bits it is the largest number
	return n
}

// Failed is the error for an exit code of sc.exe, named.
func Failed(op string, out engine.Output) error {
	e := &engine.Error{Kind: engine.KindExit, Op: op, Msg: fmt.Sprintf("sc.exe ended with %d", out.Code)}
	if r, ok := reasons[out.Code]; ok {
		e.Msg, e.Hint = fmt.Sprintf("%s (%d)", r.meaning, out.Code), r.hint
	} else if text := strings.Join(strings.Fields(out.Stdout+" "+out.Stderr), " "); text != "" {
		e.Msg += ": " + text
	}
	return e
}

type reason struct{ meaning, hint string }

// reasons are the codes that sc.exe start and stop give for services and drivers (winerror.h).
var reasons = map[int]reason{
	2:           {"its file is missing", "repair the product that it belongs to"},
	3:           {"the path of its file does not exist", "repair the product that it belongs to"},
	CodeDenied:  {"access denied", "the connection's user must be an administrator of the host"},
	31:          {"the driver cannot be loaded", "a driver that starts with Windows often needs a reboot; else repair the product that it belongs to"},
	193:         {"its file is no program for this Windows", "repair the product that it belongs to"},
	577:         {"Windows does not accept the signature of its file", "install a version that this Windows trusts, or the missing Windows update for SHA-2 signatures"},
	CodeBusy:    {"other running services depend on it", "stop those first: sc.exe enumdepend NAME"},
	1052:        {"it does not accept being stopped", "a driver like this changes its state only with a reboot"},
	1053:        {"it did not answer in time", "look into the Windows event log (System)"},
	1058:        {"it is disabled, or its device is", "enable it, or reboot when it starts with Windows"},
	CodeMissing: {"it does not exist", ""},
	1061:        {"it cannot be told anything at the moment", "it is starting or stopping; try again later"},
	1067:        {"its process ended unexpectedly", "look into the Windows event log (System)"},
	1068:        {"a service that it needs did not start", "sc.exe qc NAME shows what it needs"},
	1069:        {"its account could not log on", "look at the password of its account"},
	1072:        {"it is marked for deletion", "reboot the host"},
	1075:        {"a service that it needs does not exist", "sc.exe qc NAME shows what it needs"},
	1077:        {"nobody has started it since Windows booted", ""},
	1275:        {"Windows blocks this driver", "look into the Windows event log (System)"},
}

// Reason names the exit code that a stopped service left, or gives "".
func Reason(code int) string {
	if code == 0 {
		return ""
	}
	if r, ok := reasons[code]; ok {
		return fmt.Sprintf("%s (%d)", r.meaning, code)
	}
	return fmt.Sprintf("it ended with %d", code)
}
