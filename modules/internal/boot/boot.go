// Package boot knows how a host tells one boot from another, and how long ago the last one was.
package boot

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Boot is one boot of a host.
type Boot struct {
	// ID is the kernel's random boot id, or on Windows the time of the boot.
	ID string
	// Age is how long ago it was, on the host's own clock.
	Age time.Duration
}

const (
	// Linux makes a new random id at every boot (proc(5)); the first number of uptime is seconds since the boot.
	linux = "cat /proc/sys/kernel/random/boot_id /proc/uptime"
	// LastBootUpTime and the host's own time, both in units of 100 ns. wmic is no alternative: Windows 11 24H2 and
	// Server 2025 come without it.
	windows = `(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc(); [DateTime]::UtcNow.ToFileTimeUtc()`
)

// Of asks a host for its boot. ESXi is not supported: an error of KindModule.
func Of(ctx context.Context, host engine.Reader) (Boot, error) {
	platform, err := host.Platform(ctx)
	if err != nil {
		return Boot{}, err
	}
	read, ask := readLinux, engine.Command{Argv: strings.Fields(linux)}
	switch platform {
	case engine.POSIX:
	case engine.Windows:
		read, ask = readWindows, engine.PowerShellCommand(windows)
	default:
		return Boot{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "ask for the last boot", Msg: fmt.Sprintf("%s is not supported", platform)}
	}
	out, err := host.Run(ctx, ask)
	if err != nil {
		return Boot{}, err
	}
	b, ok := read(strings.Fields(out.Stdout))
	if !ok {
		return Boot{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "ask for the last boot", Msg: fmt.Sprintf("the answer makes no sense: %q", out.Stdout)}
	}
	return b, nil
}

func readLinux(words []string) (Boot, bool) {
	if len(words) < 2 {
		return Boot{}, false
	}
	up, err := strconv.ParseFloat(words[1], 64)
	return Boot{ID: words[0], Age: time.Duration(up * float64(time.Second))}, err == nil
}

func readWindows(words []string) (Boot, bool) {
	if len(words) != 2 {
		return Boot{}, false
	}
	booted, err1 := strconv.ParseInt(words[0], 10, 64)
	now, err2 := strconv.ParseInt(words[1], 10, 64)
	return Boot{ID: words[0], Age: time.Duration(now-booted) * 100}, err1 == nil && err2 == nil
}

// After tells whether b is a boot that happened after since, given in the controller's clock. Ages are compared,
// so a host whose clock is wrong does not matter; nor does one that Windows corrected, which moves LastBootUpTime
// and the time together.
func (b Boot) After(since time.Time) bool { return b.Age <= time.Since(since) }
