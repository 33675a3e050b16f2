//go:build windows

package main

import (
	"errors"
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
	case "flood":
		flood()
	case "endless":
		fmt.Println(os.Getpid())
		for i, err := 0, error(nil); err == nil; i++ {
			_, err = fmt.Println("line", i)
		}
	case "env":
		for _, name := range args {
			fmt.Print(os.Getenv(name), "\x00")
		}
	case "full":
		return full()
	case "raw":
		_, _ = os.Stdout.Write([]byte{0xff, 0xfe, 0, 0x80, '\n'})
	case "both":
		for i := range 2000 {
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

func flood() {
	ended := make(chan struct{})
	go func() {
		fmt.Fprint(os.Stderr, strings.Repeat("e", 5_000_000))
		close(ended)
	}()
	fmt.Print(strings.Repeat("o", 5_000_000))
	<-ended
}

// full copies its input to a device without space, which Wine shows under the drive of the machine below.
func full() int {
	device, err := os.OpenFile(`Z:\dev\full`, os.O_WRONLY, 0)
	if err == nil {
		_, err = io.Copy(device, os.Stdin)
	}
	switch {
	case errors.Is(err, windows.ERROR_DISK_FULL):
		fmt.Fprintln(os.Stderr, "There is not enough space on the disk.") // Windows' text; Wine's is another
		return 1
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}
