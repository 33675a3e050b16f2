package machine

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// windowsNames are the files beside the one that is written.
type windowsNames struct {
	temp, old string
	forget    string // the statement that removes old; "": it is the backup
}

func namesWindows(u engine.Upload) windowsNames {
	folder := u.Path[:strings.LastIndexByte(u.Path, '\\')+1]
	hash := sha256.Sum256([]byte(u.Path))
	n := windowsNames{temp: fmt.Sprintf("%s.dsplay-%x.tmp", folder, hash[:4]), old: u.Backup}
	if n.old == "" {
		n.old, n.forget = n.temp+".old", ";[IO.File]::Delete($o)"
	}
	return n
}

// planWindows is one process: powershell.exe, fed through its standard input; or two with a transfer between them, where the
// connection carries files.
func (h *Host) planWindows(s system, shell engine.Shell, u engine.Upload) (upload, error) {
	if err := absoluteWindows(u.Path); err != nil {
		return upload{}, h.bad(err)
	}
	if u.Mode != "" || u.Owner != "" || u.Group != "" {
		return upload{}, h.bad(errors.New("mode, owner and group are not for Windows: an old file keeps its rights, a new one has those of its folder"))
	}
	n := namesWindows(u)
	remove, err := h.render(s, powershell(fmt.Sprintf(`$t=%s;if([IO.File]::Exists($t)){[IO.File]::Delete($t)}`, quotePS(n.temp))))
	if err != nil {
		return upload{}, err
	}
	judge := func(out engine.Output) error {
		if out.Code == putHash || out.Code == putInvalid {
			return putError(h.host.Name, "copy to "+u.Path, out)
		}
		return h.windowsError("copy to "+u.Path, out)
	}
	p := upload{u: u, undo: &remove}
	if h.carriesFiles(shell, s) && u.Content.Size > smallFile && u.Content.Secret == "" {
		p.steps, err = h.nativeWindows(s, u, n, judge)
		return p, err
	}
	r, err := h.render(s, fedPowerShell(streamWindows(u, n)))
	p.steps = []step{{call: r, line: r.line, feed: linesOf(u.Content), judge: judge}}
	return p, err
}

// streamWindows is the script that gets the content as its standard input.
func streamWindows(u engine.Upload, n windowsNames) string {
	want := engine.QuotePS(u.Content.SHA256)
	if u.Content.Secret != "" {
		want = "$w"
	}
	script := fmt.Sprintf(putWindows, quotePS(u.Path), quotePS(n.temp), quotePS(n.old), want, validateWindows(u.Validate), n.forget)
	if u.Content.Secret != "" { // the first line is the hash of the secret
		script = strings.Replace(script, "$b=New-Object byte[] 0;", "$b=New-Object byte[] 0;$w=$null;", 1)
		script = strings.Replace(script, "if($_){", "if(-not $w){$w=$_}elseif($_){", 1)
	}
	return script
}

// validateWindows runs a command by cmd.exe with the new file.
func validateWindows(command string) string {
	if command == "" {
		return ""
	}
	parts := strings.Split(command, "%s")
	for i, part := range parts {
		parts[i] = quotePS(part)
	}
	return "cmd.exe /d /c (" + strings.Join(parts, "+$t+") + ");if($LASTEXITCODE -ne 0){[IO.File]::Delete($t);exit 89};"
}
