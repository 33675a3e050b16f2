//go:build windows

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"github.com/dsplay/dsplay/engine/lab/windows/sctext"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

const usage = 1639 // ERROR_INVALID_COMMAND_LINE

// sc is sc.exe: query, queryex, qc, start, stop and config of one service.
func sc(args []string) uint32 {
	if len(args) < 2 {
		fmt.Print("DESCRIPTION:\r\n        SC is a command line program used for communicating with the\r\n        Service Control Manager and services.\r\n")
		return usage
	}
	verb, name := strings.ToLower(args[0]), args[1]
	where := map[string]string{"query": "EnumQueryServicesStatus:OpenService", "queryex": "EnumQueryServicesStatus:OpenService", "start": "StartService: OpenService"}[verb]
	if where == "" {
		where = "OpenService"
	}
	m, err := mgr.Connect()
	if err != nil {
		return failed("OpenSCManager", err)
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(name)
	if err != nil {
		return failed(where, err)
	}
	defer func() { _ = s.Close() }()
	switch verb {
	case "query", "queryex":
		return show(s, verb == "queryex")
	case "qc":
		return configured(s)
	case "start":
		if err := s.Start(); err != nil {
			return failed("StartService", err)
		}
		return show(s, true)
	case "stop":
		if _, err := s.Control(svc.Stop); err != nil {
			return failed("ControlService", err)
		}
		return show(s, false)
	case "config":
		return configure(s, args[2:])
	}
	return usage
}

func failed(where string, err error) uint32 {
	code := uint32(1)
	if e := syscall.Errno(0); errors.As(err, &e) {
		code = uint32(e)
	}
	fmt.Print(sctext.Failure(where, "FAILED", code, err.Error()))
	return code
}

func show(s *mgr.Service, extended bool) uint32 {
	status, err := s.Query()
	if err != nil {
		return failed("QueryServiceStatus", err)
	}
	config, err := config(s)
	if err != nil {
		return failed("QueryServiceConfig", err)
	}
	accepts := "NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN"
	if status.Accepts&svc.AcceptStop != 0 {
		accepts = "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN"
	}
	fmt.Print(sctext.Query(s.Name, sctext.Status{Kind: int(config.ServiceType), State: int(status.State), Accepts: accepts,
		Exit: status.Win32ExitCode, PID: int(status.ProcessId)}, extended))
	return 0
}

func configured(s *mgr.Service) uint32 {
	c, err := config(s)
	if err != nil {
		return failed("QueryServiceConfig", err)
	}
	text := windows.UTF16PtrToString
	fmt.Print(sctext.Configured(s.Name, "SUCCESS", sctext.Config{Kind: int(c.ServiceType), Start: int(c.StartType), Image: text(c.BinaryPathName),
		Group: text(c.LoadOrderGroup), Display: text(c.DisplayName), Account: text(c.ServiceStartName)}))
	return 0
}

// config asks for what Wine knows; mgr's own Config asks for more, and fails.
func config(s *mgr.Service) (*windows.QUERY_SERVICE_CONFIG, error) {
	var need uint32
	err := windows.QueryServiceConfig(s.Handle, nil, 0, &need)
	if err != nil && !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) {
		return nil, err
	}
	room := make([]byte, need)
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&room[0]))
	return c, windows.QueryServiceConfig(s.Handle, c, need, &need)
}

// configure is "config NAME start= boot|system|auto|demand|disabled"; the blank behind the sign belongs to it.
func configure(s *mgr.Service, args []string) uint32 {
	i := slices.Index(args, "start=")
	if i < 0 || i+1 == len(args) {
		return usage
	}
	start := slices.Index([]string{"boot", "system", "auto", "demand", "disabled"}, strings.ToLower(args[i+1]))
	if start < 0 {
		return usage
	}
	if err := windows.ChangeServiceConfig(s.Handle, windows.SERVICE_NO_CHANGE, uint32(start), windows.SERVICE_NO_CHANGE, nil, nil, nil, nil, nil, nil, nil); err != nil {
		return failed("ChangeServiceConfig", err)
	}
	fmt.Print("[SC] ChangeServiceConfig SUCCESS\r\n")
	return 0
}
