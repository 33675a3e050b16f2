package machine

import (
	"context"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
)

// system is what a connection ends at.
type system struct {
	platform engine.Platform
	root     bool          // the connection's user is root already
	page     codepage.Page // of Windows
	longest  int           // characters of a line that may hold a script for PowerShell, on Windows
}

// shortLines is a connection whose lines may not be as long as cmd.exe takes them.
type shortLines interface {
	// LongestLine is a number of characters.
	LongestLine() int
}

// onWindows is what is known of a Windows without a question.
func onWindows(shell engine.Shell, page codepage.Page) system {
	s := system{platform: engine.Windows, page: page, longest: longestEncoded}
	if short, ok := shell.(shortLines); ok {
		s.longest = min(s.longest, short.LongestLine())
	}
	return s
}

// question is one round trip for everything that there is to know, in words that BusyBox ash understands.
// cmd.exe prints it as it is, which is an answer, too.
const question = `echo "dsplay:$(uname -s):$(id -u):$(command -v esxcli):$(vmware -v)"`

type systemKey struct{ conn engine.Conn }

func (h *Host) system(ctx context.Context, shell engine.Shell) (system, error) {
	page, err := pageOf(shell)
	if err != nil {
		return system{}, h.bad(err)
	}
	if shell.Family() == "windows" {
		return onWindows(shell, page), nil
	}
	value, err := h.options.Memo.ends.once(ctx, systemKey{shell}, func(ctx context.Context) (any, error) {
		out, err := h.send(ctx, shell, call{line: question}, engine.Command{})
		if err != nil {
			return nil, err
		}
		return h.parseSystem(out)
	})
	if err != nil {
		return system{}, err
	}
	s := value.(system)
	if s.platform == engine.Windows {
		s = onWindows(shell, page)
	}
	return s, nil
}

// pageOf is what the programs at the other end write, as far as the connection was told.
func pageOf(shell engine.Shell) (codepage.Page, error) {
	e, ok := shell.(engine.Encoded)
	if !ok {
		return codepage.Page{}, nil
	}
	return codepage.Find(e.Encoding())
}

// parseSystem reads the answer to question; what the login shell's rc file prints besides is passed over.
func (h *Host) parseSystem(out engine.Output) (system, error) {
	for line := range strings.Lines(out.Stdout) {
		answer, ok := strings.CutPrefix(strings.Trim(line, "\"\r\n"), "dsplay:")
		fields := strings.SplitN(answer, ":", 4)
		if ok && strings.Trim(answer, ":") == "" {
			return system{}, h.isPowerShell()
		}
		if !ok || len(fields) != 4 || fields[0] == "" {
			continue
		}
		if strings.HasPrefix(answer, "$(uname") {
			return system{platform: engine.Windows}, nil
		}
		s := system{platform: engine.POSIX, root: fields[1] == "0"}
		// A Linux host with the vCLI has esxcli in /usr/bin; VMware Workstation has a vmware that says so.
		inBin := fields[2] == "/bin/esxcli" || fields[2] == "/sbin/esxcli"
		if fields[0] == "VMkernel" || inBin || strings.HasPrefix(fields[3], "VMware ESX") {
			s.platform = engine.ESXi
		}
		return s, nil
	}
	if strings.Contains(out.Stderr, "Password change required") { // sshd of OpenSSH lets it in, and then runs nothing
		return system{}, &engine.Error{
			Kind: engine.KindAuth, Host: h.host.Name, Op: "ask for the platform",
			Msg:  "the password of this user has expired; until it is changed no command runs: " + lastLines(out.Stderr),
			Hint: "log in by hand at a terminal, which asks for a new one, and let the connection have that",
		}
	}
	return system{}, &engine.Error{
		Kind: engine.KindProtocol, Host: h.host.Name, Op: "ask for the platform",
		Msg:  "the login shell does not answer as a POSIX shell; exit code " + exitText(out),
		Hint: "log in by hand and run: " + question,
	}
}

// isPowerShell: it knows the words of the question, and none of the programs. Lines are written for cmd.exe, which is what
// Win32-OpenSSH starts unless it was told otherwise.
func (h *Host) isPowerShell() error {
	return &engine.Error{
		Kind: engine.KindProtocol, Host: h.host.Name, Op: "ask for the platform",
		Msg:  "the login shell is PowerShell; dsplay speaks to cmd.exe there, and runs PowerShell by itself where it needs it",
		Hint: `as administrator on the host: reg delete HKLM\SOFTWARE\OpenSSH /v DefaultShell`,
	}
}
