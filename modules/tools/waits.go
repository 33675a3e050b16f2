package tools

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/scm"
)

const (
	// waiting are the places where Windows keeps that it waits for a reboot.
	waiting = `reg.exe query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending" >nul 2>nul && echo servicing` +
		` & reg.exe query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired" >nul 2>nul && echo update` +
		` & reg.exe query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager" /v PendingFileRenameOperations >nul 2>nul && echo rename`
	// installing is where Windows Installer marks an installation while it changes the system, or one that was cut. Without
	// the mark one may run all the same: then the installer says 1618.
	installing = `reg.exe query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress" >nul 2>nul && echo installing`
	// starts prints when the drivers start.
	starts = `for %d in (vsepflt vnetflt vnetWFP vmci vsock) do @reg.exe query HKLM\SYSTEM\CurrentControlSet\Services\%d /v Start 2>nul`
)

func (st *Status) lookReboot(ctx context.Context, host engine.Reader) error {
	out, err := host.Run(ctx, engine.Command{Shell: waiting + " & " + installing + " & " + starts, AnyOK: true})
	if err != nil {
		return err
	}
	names := map[string]string{"servicing": "component servicing", "update": "Windows Update", "rename": "files in use"}
	var hints []string
	for _, word := range strings.Fields(out.Stdout) {
		if name, ok := names[word]; ok {
			hints = append(hints, name)
		}
	}
	st.PendingReboot, st.RebootHint = len(hints) > 0, strings.Join(hints, ", ")
	st.inProgress(out.Stdout)
	for _, m := range startLine.FindAllStringSubmatch(out.Stdout, -1) {
		if i := slices.IndexFunc(drivers, func(d string) bool { return strings.EqualFold(d, m[1]) }); i >= 0 {
			st.DriverStart[drivers[i]] = startNames[m[2]]
		}
	}
	return nil
}

var (
	startLine  = regexp.MustCompile(`(?i)\\Services\\(\w+)\s+Start\s+REG_DWORD\s+0x([0-4])\b`)
	startNames = map[string]string{"0": "boot", "1": "system", "2": "auto", "3": "demand", "4": "disabled"}
)

func (st *Status) inProgress(out string) {
	if slices.Contains(strings.Fields(out), "installing") {
		st.Busy = "another installation is in progress in the guest"
	}
}

// lookBusy looks for what keeps an installer from being started, and for nothing else.
func (st *Status) lookBusy(ctx context.Context, host engine.Reader) error {
	out, err := host.Run(ctx, engine.Command{Shell: installing + " & sc.exe query " + updater, AnyOK: true})
	if err != nil {
		return err
	}
	s, err := scm.Parse(section(out.Stdout, updater))
	if err != nil {
		return err
	}
	st.servicing(s)
	st.inProgress(out.Stdout)
	return nil
}

// fileVersion is the version that a file below the folder of Windows has; empty when it does not tell.
func fileVersion(ctx context.Context, host engine.Reader, file string) (string, error) {
	c := engine.PowerShellCommand(`(Get-Item "$env:SystemRoot\` + file + `").VersionInfo.FileVersion`)
	c.AnyOK = true
	out, err := host.Run(ctx, c)
	if err != nil || out.Code != 0 {
		return "", err
	}
	return strings.TrimSpace(out.Stdout), nil
}
