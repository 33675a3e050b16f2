package guest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

const (
	cmdexe      = `C:\Windows\System32\cmd.exe`
	longestCmd  = 8191   // characters that cmd.exe takes, of which the names of temporary files need some
	longest     = 7000   // of a line for Windows
	longestArgs = 32000  // bytes of a line that is sent as an argument; Tools take 60 KiB in all
	longestLine = 131071 // bytes of a line for Linux, which is one argument of the shell: MAX_ARG_STRLEN, execve(2)
)

// program is a command line made ready for VMware Tools, which start "PROGRAM" ARGUMENTS.
type program struct {
	path, arguments string
	script          []byte // not nil: has to be in the file line of the command's directory
}

// streams say which files there are for a command; fed: its stdin comes piece by piece.
type streams struct{ in, fed, out, err bool }

// windowsProgram is line for cmd.exe /c, exactly. Tools start it with CreateProcess, so only cmd.exe reads the arguments:
// an outer one, which sets the code page that WinRM has, too (65001), goes where a session of WinRM begins, and redirects
// an inner one that gets line. The outer one removes one level of carets, which are put before everything that it knows.
func windowsProgram(line, dir string, s streams) (program, error) {
	if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0xFFFE || r == 0xFFFF }); i >= 0 {
		return program{}, fmt.Errorf("the line holds the character %U, which vSphere or cmd.exe cannot carry", []rune(line[i:])[0])
	}
	in, out, err := "nul", "nul", "nul"
	if s.in {
		in = `"` + dir + `\in"`
	}
	if s.out {
		out = `"` + dir + `\out"`
	}
	if s.err {
		err = `"` + dir + `\err"`
	}
	outer := `chcp 65001 >nul 2>nul&cd /d "%USERPROFILE%" 2>nul&`
	if !s.in {
		outer += `md "` + dir + `"&`
	}
	outer += "<" + in + " >" + out + " 2>" + err + " cmd.exe /c " + engine.EscapeCmd(line)
	arguments := `/d /s /c "` + outer + `"`
	if n := len([]rune(line)); n > longest {
		return program{}, fmt.Errorf("the line has %d characters; guest operations take %d, because cmd.exe takes %d with the names of temporary files", n, longest, longestCmd)
	}
	if n := len([]rune(cmdexe + arguments)); n > longestCmd {
		return program{}, fmt.Errorf("the line needs %d characters, %d of them because its special characters have to be escaped once more; cmd.exe takes %d", n, n-len([]rune(line)), longestCmd)
	}
	return program{path: cmdexe, arguments: arguments}, nil
}

// linuxScript runs its second argument, or what is in the file line, by /bin/sh -c, in a session of its own where there
// is setsid. It is the child of a shell that lives on, so it is no leader of a process group and setsid does not fork.
// The code stands in a file, too: VMware Tools forget it when they restart.
//
// With a fifth argument stdin is a pipe, into which the files in.1, in.2 … go as they come, until there is in.end.
const linuxScript = `mkdir -p "$1" || exit 125; l=$2; [ -f "$1/line" ] && l=$(cat "$1/line"); [ -f "$1/in" ] && i=$1/in || i=/dev/null; f=
if [ -n "$5" ]; then i=$1/pipe; mkfifo "$i" || exit 125
(n=1; while :; do if [ -f "$1/in.$n" ]; then cat "$1/in.$n" || exit; rm -f "$1/in.$n"; n=$((n+1)); elif [ -f "$1/in.end" ] && ! [ -f "$1/in.$n" ]; then exit; else sleep 0.1 2>/dev/null || sleep 1; fi; done) >"$i" & f=$!; fi
s=; command -v setsid >/dev/null 2>&1 && s=setsid
$s /bin/sh -c 'echo $$ >"$1/pid"; exec /bin/sh -c "$2"' sh "$1" "$l" <"$i" >"$3" 2>"$4"; c=$?; [ -z "$f" ] || kill $f 2>/dev/null; echo $c >"$1/code.new"; mv "$1/code.new" "$1/code"; exit $c`

// linuxProgram is line for /bin/sh -c. Tools hand "PROGRAM" ARGUMENTS to bash -c, or sh -c, after they have converted it to
// the character set of their own process: so what is not plain ASCII travels in a file.
func linuxProgram(line, dir string, s streams) program {
	out, err := "/dev/null", "/dev/null"
	if s.out {
		out = dir + "/out"
	}
	if s.err {
		err = dir + "/err"
	}
	p := program{path: "/bin/sh"}
	odd := strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' || r > '~' })
	if odd || len(line) > longestArgs {
		p.script, line = []byte(line), ""
	}
	words := []string{"-c", linuxScript, "sh", dir, line, out, err}
	if s.fed {
		words = append(words, "fed")
	}
	for i, w := range words {
		words[i] = engine.QuoteSh(w)
	}
	p.arguments = strings.Join(words, " ")
	return p
}

// LongestLine is how many characters a line for Windows may have: room for the names of temporary files is left, and for
// some characters that have to be escaped once more.
func (c *conn) LongestLine() int { return longest }

// program makes line ready; dir is the command's own directory.
func (c *conn) program(line, dir string, s streams) (program, error) {
	p, err := c.ready(line, dir, s)
	if err != nil {
		return p, &engine.Error{Kind: engine.KindModule, Host: c.host, Op: op(line), Err: err, Hint: "keep the line short and plain, and hand over the rest by stdin"}
	}
	return p, nil
}

func (c *conn) ready(line, dir string, s streams) (program, error) {
	switch {
	case c.windows:
		return windowsProgram(line, dir, s)
	case strings.ContainsRune(line, 0):
		return program{}, errors.New("the line holds a NUL, which no shell can be given")
	case len(line) > longestLine:
		return program{}, fmt.Errorf("the line has %d bytes; Linux takes %d", len(line), longestLine)
	}
	return linuxProgram(line, dir, s), nil
}

// op names a command in an error.
func op(line string) string {
	line = strings.NewReplacer("\r", " ", "\n", " ").Replace(line)
	if r := []rune(line); len(r) > 80 {
		line = string(r[:79]) + "…"
	}
	return "run " + line
}
