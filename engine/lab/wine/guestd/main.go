//go:build windows

// Command guestd makes a Wine prefix a Windows host for tests. It is one program with several names and verbs:
//
//	sc.exe …                  what Windows' own does, on the service control manager that runs (Wine's is too small)
//	guestd listen FILE        WS-Management, whose commands are processes of cmd.exe; FILE holds its settings
//	guestd install            the services and the driver of a guest with VMware Tools
//	guestd service NAME       such a service
//	guestd cat|count|big|…    programs for tests that make every byte and every argument visible
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	name := strings.ToLower(filepath.Base(os.Args[0]))
	if strings.TrimSuffix(name, ".exe") == "sc" {
		os.Exit(int(sc(os.Args[1:])))
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "guestd listen FILE | install | service NAME | PROGRAM …")
		os.Exit(2)
	}
	verb, args := os.Args[1], os.Args[2:]
	var err error
	switch verb {
	case "listen":
		err = listen(args[0])
	case "install":
		err = install()
	case "service":
		err = serve(args[0])
	default:
		os.Exit(program(verb, args))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guestd", verb+":", err)
		os.Exit(1)
	}
}
