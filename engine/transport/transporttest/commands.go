package transporttest

import "fmt"

// Commands are the command lines of a platform.
type Commands struct {
	Exit    func(code int) string
	Unknown int    // the exit code for a command that does not exist
	Cat     string // stdin to stdout
	Count   string // the number of bytes of stdin, on stdout
	Big     string // Bytes ten million times "x" on stdout
	Both    string // "out N" on stdout and "err N" on stderr for N from 1 to 100, in turns
	Raw     string // the bytes ff fe 00 80 0a on stdout; "" where the protocol knows no bytes
	// Sleep prints the ids of at least one process, the last of which only a kill of the whole family reaches,
	// and then lasts for five minutes.
	Sleep string
	Alive func(pid string) string // ends with 0 if the process lives
	// Args are the first words of an Argv that prints each further argument, followed by NUL, or by a line end
	// with ArgsLines.
	Args      []string
	ArgsLines bool
	// Background starts something that keeps stdout open for 20 s, says "started", and ends; "" where it cannot be had.
	Background string
}

const big = 10_000_000

// POSIXCommands work under any POSIX shell, with BusyBox, and without bash.
func POSIXCommands() Commands {
	return Commands{
		Exit: func(code int) string { return fmt.Sprintf("exit %d", code) }, Unknown: 127,
		Cat: "cat", Count: "wc -c", Raw: `printf '\377\376\000\200\n'`,
		Big:   fmt.Sprintf("head -c %d /dev/zero | tr '\\000' x", big),
		Both:  `i=1; while [ $i -le 100 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done`,
		Sleep: `sleep 300 & echo $$ $!; wait`,
		// A zombie is dead, even where the first process takes its time to bury it.
		Alive: func(pid string) string { return "kill -0 " + pid + " && ! grep -q ') Z ' /proc/" + pid + "/stat" },
		Args:  []string{"printf", `%s\000`}, Background: `sleep 20 & echo started`,
	}
}

// WindowsCommands work under cmd.exe. Sleep, Alive and Args have no default: a target brings its own, or they are not tried.
func WindowsCommands() Commands {
	return Commands{
		Exit: func(code int) string { return fmt.Sprintf("exit %d", code) }, Unknown: 9009,
		Cat: `findstr "^"`, Count: `find /c /v ""`,
		Both: `for /l %i in (1,1,100) do @(echo out %i& echo err %i>&2)`,
	}
}

func (c Commands) withDefaults(windows bool) Commands {
	d := POSIXCommands()
	if windows {
		d = WindowsCommands()
	}
	if c.Exit != nil {
		d.Exit = c.Exit
	}
	if c.Unknown != 0 {
		d.Unknown = c.Unknown
	}
	for _, text := range []struct{ to, from *string }{
		{&d.Cat, &c.Cat}, {&d.Count, &c.Count}, {&d.Big, &c.Big}, {&d.Both, &c.Both}, {&d.Raw, &c.Raw},
		{&d.Sleep, &c.Sleep}, {&d.Background, &c.Background},
	} {
		if *text.from != "" {
			*text.to = *text.from
		}
	}
	if c.Alive != nil {
		d.Alive = c.Alive
	}
	if c.Args != nil {
		d.Args, d.ArgsLines = c.Args, c.ArgsLines
	}
	return d
}
