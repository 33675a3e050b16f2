// Package sctext knows how sc.exe of Windows prints what the service control manager says: the blocks of query,
// queryex and qc, and a failure. Layout and constants are those of Windows Server 2019, English.
package sctext

import (
	"fmt"
	"strings"
)

// Names of a service's states (winsvc.h, SERVICE_STATUS.dwCurrentState), from 1.
var states = []string{"", "STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING", "CONTINUE_PENDING", "PAUSE_PENDING", "PAUSED"}

// Starts are the names of the start types, from 0 (winnt.h, SERVICE_BOOT_START …).
var Starts = []string{"BOOT_START", "SYSTEM_START", "AUTO_START", "DEMAND_START", "DISABLED"}

// Status is what query and queryex print.
type Status struct {
	Kind, State int
	Accepts     string // the flags under the state
	Exit        uint32
	PID         int // only in queryex
}

// Query is the block of "sc query", extended that of "sc queryex".
func Query(name string, s Status, extended bool) string {
	var b block
	fmt.Fprintf(&b, "\r\nSERVICE_NAME: %s \r\n", name)
	b.field("TYPE", fmt.Sprintf("%x  %s  ", s.Kind, kind(s.Kind)))
	b.field("STATE", fmt.Sprintf("%d  %s ", s.State, states[s.State]))
	fmt.Fprintf(&b, "                                (%s)\r\n", s.Accepts)
	b.field("WIN32_EXIT_CODE", fmt.Sprintf("%d  (0x%x)", s.Exit, s.Exit))
	b.field("SERVICE_EXIT_CODE", "0  (0x0)")
	checkpoint, hint := 0, 0
	if s.State == 2 || s.State == 3 {
		checkpoint, hint = 1, 0x7d0
	}
	b.field("CHECKPOINT", fmt.Sprintf("0x%x", checkpoint))
	b.field("WAIT_HINT", fmt.Sprintf("0x%x", hint))
	if extended {
		b.field("PID", fmt.Sprint(s.PID))
		b.field("FLAGS", "")
	}
	return b.String()
}

// Config is what qc prints.
type Config struct {
	Kind, Start                             int
	Image, Group, Display, Depends, Account string
}

// Configured is the block of "sc qc"; success is SUCCESS in the language of the host.
func Configured(name, success string, c Config) string {
	var b block
	fmt.Fprintf(&b, "[SC] QueryServiceConfig %s\r\n\r\nSERVICE_NAME: %s\r\n", success, name)
	b.field("TYPE", fmt.Sprintf("%x  %s ", c.Kind, kind(c.Kind)))
	b.field("START_TYPE", fmt.Sprintf("%d   %s", c.Start, Starts[c.Start]))
	b.field("ERROR_CONTROL", "1   NORMAL")
	b.field("BINARY_PATH_NAME", c.Image)
	b.field("LOAD_ORDER_GROUP", c.Group)
	b.field("TAG", "0")
	b.field("DISPLAY_NAME", c.Display)
	b.field("DEPENDENCIES", c.Depends)
	b.field("SERVICE_START_NAME", c.Account)
	return b.String()
}

// Failure is what sc prints, on its output stream, when a call of Windows failed; failed is FAILED in the language of the host.
func Failure(where, failed string, code uint32, message string) string {
	return fmt.Sprintf("[SC] %s %s %d:\r\n\r\n%s\r\n", where, failed, code, message)
}

type block struct{ strings.Builder }

func (b *block) field(label, text string) { fmt.Fprintf(b, "        %-19s: %s\r\n", label, text) }

func kind(k int) string {
	return map[int]string{1: "KERNEL_DRIVER", 2: "FILE_SYSTEM_DRIVER", 0x10: "WIN32_OWN_PROCESS", 0x20: "WIN32_SHARE_PROCESS"}[k]
}
