package journal

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// startOf is the start time of a process in clock ticks since the boot: field 22 of proc(5) stat. Empty: there is none, or it
// has ended and only waits for its parent.
func startOf(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	i := strings.LastIndexByte(string(data), ')') // the name may hold anything
	if i < 0 {
		return ""
	}
	fields := strings.Fields(string(data[i+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func exists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}

// uptime counts the time asleep, too: /proc/uptime is CLOCK_BOOTTIME.
func uptime() time.Duration {
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	text, _, _ := strings.Cut(string(data), " ")
	d, err := time.ParseDuration(text + "s")
	if err != nil {
		return 0
	}
	return d
}
