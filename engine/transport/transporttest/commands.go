package transporttest

import (
	"cmp"
	"fmt"

	"github.com/dsplay/dsplay/engine"
)

// Commands are the command lines of a platform. What is empty, or nil, cannot be had there: its tests are skipped.
type Commands struct {
	Exit    func(code int) string
	Killed  string // dies of the signal KILL
	Unknown int    // the exit code for a command that does not exist
	Cat     string // stdin to stdout
	Count   string // the number of bytes of stdin, on stdout
	Big     string // Bytes ten million times "x" on stdout
	Both    string // "out N" on stdout and "err N" on stderr for N from 1 to 2,000, in turns
	Flood   string // five million times "o" on stdout and five million times "e" on stderr, at once
	Raw     string // the bytes ff fe 00 80 0a on stdout; "" where the protocol knows no bytes
	// Sleep prints the ids of at least one process, the last of which only a kill of the whole family reaches,
	// and then lasts for five minutes.
	Sleep string
	Alive func(pid string) string // ends with 0 if the process lives
	// Endless prints the id of its process, and then "line 0", "line 1" and so on, for ever.
	Endless string
	// CloseEarly says "first", closes its stdout and stderr, lasts for a moment, and ends with 7.
	CloseEarly string
	// Full copies stdin to a device on which there is no space left.
	Full string
	// Args are the first words of an Argv that prints each further argument, followed by NUL, or by a line end
	// with ArgsLines.
	Args      []string
	ArgsLines bool
	// Env are the first words of an Argv that prints the values of the variables with the further names, each followed by NUL.
	Env []string
	// PowerShell runs a script by PowerShell.
	PowerShell func(script string) engine.Command
	// Background starts something that keeps stdout open for 20 s, says "started", and ends.
	Background string
	// Folder is a directory in which the suite may make one, Pwd prints the current one, Remove removes an empty one.
	Folder, Pwd string
	Remove      func(folder string) engine.Command
	// Longest is the number of bytes of the longest line; one more is refused before anything is sent.
	Longest int
}

const big = 10_000_000

// POSIXCommands work under any POSIX shell, with BusyBox, and without bash.
func POSIXCommands() Commands {
	return Commands{
		Exit: func(code int) string { return fmt.Sprintf("exit %d", code) }, Killed: "kill -KILL $$", Unknown: 127,
		Cat: "cat", Count: "wc -c", Raw: `printf '\377\376\000\200\n'`,
		Big:   fmt.Sprintf("head -c %d /dev/zero | tr '\\000' x", big),
		Both:  `i=1; while [ $i -le 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done`,
		Flood: `head -c 5000000 /dev/zero | tr '\000' e >&2 & head -c 5000000 /dev/zero | tr '\000' o; wait`,
		Sleep: `sleep 300 & echo $$ $!; wait`,
		// A zombie is dead, even where the first process takes its time to bury it.
		Alive:   func(pid string) string { return "kill -0 " + pid + " && ! grep -q ') Z ' /proc/" + pid + "/stat" },
		Endless: `echo $$; i=0; while :; do echo line $i || exit; i=$((i+1)); done`,
		// sleep and not wait: the shell itself holds the streams, and nobody else.
		CloseEarly: `echo first; exec >&- 2>&-; sleep 1; exit 7`,
		Full:       "cat >/dev/full",
		Args:       []string{"printf", `%s\000`},
		Env:        []string{"sh", "-c", `for n; do eval "printf '%s\\000' \"\$$n\""; done`, "sh"},
		Background: `sleep 20 & echo started`,
		Folder:     "/tmp", Pwd: "pwd",
		Remove:  func(folder string) engine.Command { return engine.Command{Argv: []string{"rm", "-r", "--", folder}} },
		Longest: 131_071, // MAX_ARG_STRLEN of Linux with its NUL: a line is one argument of the shell, execve(2)
	}
}

// WindowsCommands work under cmd.exe. What it has no command for, a target brings along.
func WindowsCommands() Commands {
	return Commands{
		Exit: func(code int) string { return fmt.Sprintf("exit %d", code) }, Unknown: 9009,
		Cat: `findstr "^"`, Count: `find /c /v ""`,
		Both:   `for /l %i in (1,1,2000) do @(echo out %i& echo err %i>&2)`,
		Folder: `C:\`, Pwd: "cd",
		Remove:  func(folder string) engine.Command { return engine.Command{Shell: `rd "` + folder + `"`} },
		Longest: 8150,
	}
}

func (c Commands) withDefaults(windows bool) Commands {
	d := POSIXCommands()
	if windows {
		d = WindowsCommands()
	}
	for _, text := range []struct{ to, from *string }{
		{&d.Killed, &c.Killed}, {&d.Cat, &c.Cat}, {&d.Count, &c.Count}, {&d.Big, &c.Big}, {&d.Both, &c.Both}, {&d.Flood, &c.Flood},
		{&d.Raw, &c.Raw}, {&d.Sleep, &c.Sleep}, {&d.Endless, &c.Endless}, {&d.CloseEarly, &c.CloseEarly}, {&d.Full, &c.Full},
		{&d.Background, &c.Background}, {&d.Folder, &c.Folder}, {&d.Pwd, &c.Pwd},
	} {
		*text.to = cmp.Or(*text.from, *text.to)
	}
	d.Unknown, d.Longest = cmp.Or(c.Unknown, d.Unknown), cmp.Or(c.Longest, d.Longest)
	if c.Exit != nil {
		d.Exit = c.Exit
	}
	if c.Alive != nil {
		d.Alive = c.Alive
	}
	if c.Args != nil {
		d.Args, d.ArgsLines = c.Args, c.ArgsLines
	}
	if c.Env != nil {
		d.Env = c.Env
	}
	if c.PowerShell != nil {
		d.PowerShell = c.PowerShell
	}
	if c.Remove != nil {
		d.Remove = c.Remove
	}
	return d
}
