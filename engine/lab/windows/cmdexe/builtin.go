package cmdexe

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

const builtins = " break call cd chdir cls copy date del dir echo endlocal erase exit goto md mkdir move path pause" +
	" popd prompt pushd rd rem ren rename rmdir set setlocal shift time title type ver verify vol start assoc ftype "

func isBuiltin(name string) bool { return name != "" && strings.Contains(builtins, " "+name+" ") }

// keepsLevel tells whether a built-in command leaves errorlevel alone when it succeeds.
func keepsLevel(name string) bool {
	return slices.Contains([]string{"echo", "endlocal", "goto", "rem", "rd", "rmdir", "set", "cls", "title", "pause",
		"break", "call", "exit", "setlocal", "shift", "popd", "prompt", "path"}, name)
}

func (s *session) builtin(ctx context.Context, name, tail string) uint32 {
	args := words(tail)
	switch name {
	case "rem", "cls", "title", "break", "prompt", "verify":
		return 0
	case "echo":
		return s.echoes(tail)
	case "set":
		return s.set(strings.TrimLeft(tail, " \t"))
	case "call":
		return s.call(ctx, tail)
	case "exit":
		return s.exit(args)
	case "goto":
		if s.batch != nil && len(args) > 0 {
			s.batch.jump = args[0]
		}
		return 0
	case "shift":
		if s.batch != nil && len(s.batch.args) > 0 {
			s.batch.args = s.batch.args[1:]
		}
		return 0
	case "setlocal":
		s.setLocal(tail)
		return 0
	case "endlocal":
		s.endLocal()
		return 0
	case "ver":
		fmt.Fprintf(s.out, "\r\nMicrosoft Windows [%s]\r\n", s.sys.Version)
		return 0
	case "path":
		fmt.Fprintf(s.out, "PATH=%s\r\n", s.vars["PATH"])
		return 0
	case "date":
		fmt.Fprintf(s.out, "%s\r\n", time.Now().Format("Mon 01/02/2006"))
		return 0
	case "time":
		fmt.Fprintf(s.out, "%s\r\n", time.Now().Format("03:04 PM"))
		return 0
	case "pause":
		io.WriteString(s.out, "Press any key to continue . . . ")
		s.readLine()
		io.WriteString(s.out, "\r\n")
		return 0
	}
	return s.fileCommand(name, args)
}

// echoes is echo, with its many ways to print an empty line.
func (s *session) echoes(tail string) uint32 {
	word := strings.ToLower(strings.TrimSpace(tail))
	switch {
	case word == "":
		state := "off"
		if s.echo {
			state = "on"
		}
		fmt.Fprintf(s.out, "%s\r\n", s.sys.Say("ECHO is "+state+"."))
	case word == "on" || word == "off":
		s.echo = word == "on"
	default:
		fmt.Fprintf(s.out, "%s\r\n", tail[1:])
	}
	return 0
}

func (s *session) exit(args []string) uint32 {
	leaveBatch := len(args) > 0 && strings.EqualFold(args[0], "/b")
	if leaveBatch {
		args = args[1:]
	}
	if len(args) > 0 {
		if n, err := strconv.Atoi(args[0]); err == nil {
			s.level = uint32(n)
		}
	}
	if leaveBatch && s.batch != nil {
		s.batch.ended = true
	} else {
		s.exited, s.code = true, s.level
	}
	return s.level
}

// words splits as the commands of cmd.exe do: a slash begins a word, quotes group and are kept.
func words(tail string) []string {
	var all []string
	word, quoted := "", false
	flush := func() {
		if word != "" {
			all = append(all, word)
		}
		word = ""
	}
	for _, c := range tail {
		switch {
		case c == '"':
			quoted = !quoted
			word += `"`
		case !quoted && strings.ContainsRune(" \t,;=", c):
			flush()
		case !quoted && c == '/':
			flush()
			word = "/"
		default:
			word += string(c)
		}
	}
	flush()
	return all
}

// split parts the flags (lower case) of a command from its paths, made absolute.
func (s *session) split(args []string) (flags, paths []string) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "/") {
			flags = append(flags, strings.ToLower(arg))
		} else {
			paths = append(paths, disk.Clean(s.dir, arg))
		}
	}
	return flags, paths
}
