//go:build windows

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// program is one of the programs for tests; 9009 for one that is not known.
func program(name string, args []string) int {
	switch name {
	case "cat":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "count":
		n, _ := io.Copy(io.Discard, os.Stdin)
		fmt.Println(n / 1000)
	case "big":
		fmt.Print(strings.Repeat("x", 10_000_000))
	case "raw":
		_, _ = os.Stdout.Write([]byte{0xff, 0xfe, 0, 0x80, '\n'})
	case "both":
		for i := range 100 {
			fmt.Fprintln(os.Stdout, "out", i+1)
			fmt.Fprintln(os.Stderr, "err", i+1)
		}
	case "args":
		fmt.Print(strings.Join(append(args, ""), "\x00"))
	case "parent":
		return parent()
	case "sleep":
		time.Sleep(5 * time.Minute)
	case "alive":
		return alive(args[0])
	default:
		return 9009
	}
	return 0
}

// parent has a child that outlives it, unless the whole tree is killed.
func parent() int {
	child := exec.Command(os.Args[0], "sleep")
	if err := child.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(os.Getpid(), child.Process.Pid)
	time.Sleep(5 * time.Minute)
	return 0
}

// alive ends with 0 if the process lives.
func alive(pid string) int {
	id, err := strconv.ParseUint(pid, 10, 32)
	if err != nil {
		return 2
	}
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(id))
	if err != nil {
		return 1
	}
	defer func() { _ = windows.CloseHandle(h) }()
	if event, err := windows.WaitForSingleObject(h, 0); err != nil || event == windows.WAIT_OBJECT_0 {
		return 1
	}
	return 0
}
