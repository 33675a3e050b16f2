//go:build windows

package main

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// driver is a real kernel driver, under the name of the one by which guest introspection sees files.
const driver = "vsepflt"

// install registers what a guest with VMware Tools has, with the start types that it has there.
func install() error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = m.Disconnect() }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s, err := m.CreateService("VMTools", self, mgr.Config{StartType: mgr.StartAutomatic, DisplayName: "VMware Tools"}, "service", "VMTools")
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return installDriver(m)
}

// installDriver makes a file system driver, which mgr's CreateService cannot.
func installDriver(m *mgr.Mgr) error {
	name, err := windows.UTF16PtrFromString(driver)
	if err != nil {
		return err
	}
	image, err := windows.UTF16PtrFromString(`C:\windows\system32\drivers\` + driver + ".sys")
	if err != nil {
		return err
	}
	h, err := windows.CreateService(m.Handle, name, name, windows.SERVICE_ALL_ACCESS, windows.SERVICE_FILE_SYSTEM_DRIVER,
		windows.SERVICE_SYSTEM_START, windows.SERVICE_ERROR_NORMAL, image, nil, nil, nil, nil, nil)
	if err != nil {
		return err
	}
	return windows.CloseServiceHandle(h)
}

// serve is the process of a service.
func serve(name string) error { return svc.Run(name, daemon{}) }

// daemon takes a moment to start and to stop, as real ones do.
type daemon struct{}

const moment = 300 * time.Millisecond

func (daemon) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.StartPending, WaitHint: 2000}
	time.Sleep(moment)
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for r := range requests {
		switch r.Cmd {
		case svc.Interrogate:
			status <- r.CurrentStatus
		case svc.Stop, svc.Shutdown:
			status <- svc.Status{State: svc.StopPending, WaitHint: 2000}
			time.Sleep(moment)
			return false, 0
		}
	}
	return false, 0
}
