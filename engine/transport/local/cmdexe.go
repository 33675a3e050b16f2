package local

import (
	"errors"
	"strings"
)

// commandLine is the text with which cmd.exe is started so that it gets line as it is. No word is quoted here, as exec.Cmd
// would do it: with /s cmd.exe takes away the first and the last quote, and reads what is between them. /d keeps the
// AutoRun commands of the registry out.
// https://learn.microsoft.com/windows-server/administration/windows-commands/cmd
func commandLine(program, line string) (string, error) {
	if strings.ContainsAny(line, "\x00\r\n") { // cmd.exe would do the first line, and be silent about the rest
		return "", errors.New("cmd.exe takes one line: there is a line end or a NUL in it")
	}
	return `"` + program + `" /d /s /c "` + line + `"`, nil
}

// errorlevel is an exit code as cmd.exe shows it: `exit -1` is -1, not 4294967295, and an access violation -1073741819.
func errorlevel(code uint32) int { return int(int32(code)) } //nolint:gosec // the same 32 bits, with a sign
