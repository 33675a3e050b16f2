package machine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// The scripts for Windows are plain text between the quotes of -Command, and no -EncodedCommand: a reader of the plan
// can read them, and they may be longer. So they hold no " and no %, and stand on one line. They use nothing that
// PowerShell 2.0 on .NET 3.5 does not have (Windows 7, Server 2008 R2), and are not subject to the execution policy,
// which is for files.

// failWindows gives an error its number, which no language changes, and ends the process.
const failWindows = `function bad($e){if($s){$s.Close()};if($t){[IO.File]::Delete($t)};while($e.InnerException){$e=$e.InnerException};` +
	`'dsplay:error:'+[Runtime.InteropServices.Marshal]::GetHRForException($e)+':'+$e.Message;exit 85};`

const newSHA256 = `$h=New-Object Security.Cryptography.SHA256CryptoServiceProvider;`

// statWindows: GetAttributes tells "missing" from "not allowed", which Exists does not.
const statWindows = `$ErrorActionPreference='Stop';$s=$null;$t=$null;` + failWindows +
	`$f=%s;try{$a=[IO.File]::GetAttributes($f);'dsplay:attributes:'+[int]$a;if(-not([int]$a -band 16)){$i=New-Object IO.FileInfo($f);` +
	`'dsplay:size:'+$i.Length;'dsplay:modified:'+$i.LastWriteTimeUtc.ToFileTimeUtc();$c=[IO.File]::GetAccessControl($f,'Access,Owner');` +
	`'dsplay:owner:'+$c.GetOwner([Security.Principal.SecurityIdentifier]).Value;'dsplay:acl:'+$c.GetSecurityDescriptorSddlForm('Access');` +
	newSHA256 + `$s=New-Object IO.FileStream($f,'Open','Read','ReadWrite');'dsplay:sha256:'+[BitConverter]::ToString($h.ComputeHash($s)).Replace('-','').ToLower();$s.Close()}}` +
	`catch{bad $_.Exception}`

// putWindows reads lines of base64 from standard input: PowerShell itself hands them to process{}, as text, so nothing on
// the way can mistake a byte for a character. The new file is empty when it gets the rights of the old one, and has its
// content only after that. It is made anew: one that was there under its name could be somebody else's, who could then write to it. Replace keeps the rights, the attributes and the owner of the old file, and needs a name for it:
// that is the backup, or is deleted. https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-replacefilew
const putWindows = `begin{$ErrorActionPreference='Stop';$f=%[1]s;$t=%[2]s;$o=%[3]s;$s=$null;` + failWindows + newSHA256 + `$b=New-Object byte[] 0;` +
	`try{[IO.File]::Delete($t);$s=New-Object IO.FileStream($t,'CreateNew','Write','None');if([IO.File]::Exists($f)){$a=New-Object Security.AccessControl.FileSecurity;` +
	`$a.SetSecurityDescriptorSddlForm([IO.File]::GetAccessControl($f,'Access').GetSecurityDescriptorSddlForm('Access'),'Access');[IO.File]::SetAccessControl($t,$a)}}catch{bad $_.Exception}}` +
	`process{try{if($_){$b=[Convert]::FromBase64String($_);[void]$h.TransformBlock($b,0,$b.Length,$b,0);$s.Write($b,0,$b.Length)}}catch{bad $_.Exception}}` +
	`end{try{[void]$h.TransformFinalBlock($b,0,0);$s.Close();$g=[BitConverter]::ToString($h.Hash).Replace('-','').ToLower();` +
	`if($g -ne %[4]s){[IO.File]::Delete($t);exit 86};%[5]s` +
	`if([IO.File]::Exists($f)){[IO.File]::Replace($t,$f,$o)%[6]s}else{[IO.File]::Move($t,$f)}}catch{bad $_.Exception}}`

const getWindows = `$ErrorActionPreference='Stop';$t=$null;` + failWindows +
	`try{$s=New-Object IO.FileStream(%s,'Open','Read','ReadWrite');$b=New-Object byte[] 57000;while(($n=$s.Read($b,0,57000)) -gt 0){[Console]::Out.WriteLine([Convert]::ToBase64String($b,0,$n))};$s.Close()}catch{bad $_.Exception}`

// powershell is a script that gets no input, as a command line of cmd.exe.
func powershell(script string) engine.Command { return scriptLine(engine.PowerShell, script) }

// fedPowerShell is one that gets lines of text from standard input.
func fedPowerShell(script string) engine.Command {
	return scriptLine(engine.PowerShellWithInput, script)
}

func scriptLine(call, script string) engine.Command {
	return engine.Command{Shell: call + `-Command "` + script + `"`, AnyOK: true}
}

// quotePS is a text in a script between the quotes of -Command: cmd.exe would take %NAME% for a variable.
func quotePS(s string) string {
	q := engine.QuotePS(s)
	if !strings.Contains(q, "%") {
		return q
	}
	return "(" + strings.ReplaceAll(q, "%", `'+[char]37+'`) + ")"
}

// absoluteWindows takes C:\x and \\server\share\x.
func absoluteWindows(path string) error {
	drive := len(path) > 3 && path[1] == ':' && path[2] == '\\'
	switch {
	case !drive && !strings.HasPrefix(path, `\\`):
		return engine.BadArg{Arg: "path", Problem: `must be whole, like C:\folder\file: ` + path}
	case strings.ContainsAny(path, "\"\r\n\x00*?<>|/") || strings.Contains(path[2:], ":"):
		return engine.BadArg{Arg: "path", Problem: "contains a character that no file of Windows has in its name: " + path}
	case strings.HasSuffix(path, `\`):
		return engine.BadArg{Arg: "path", Problem: "must be the name of a file, not of a folder: " + path}
	}
	return nil
}

func (h *Host) statWindows(ctx context.Context, shell engine.Shell, s system, path string) (engine.FileInfo, error) {
	if err := absoluteWindows(path); err != nil {
		return engine.FileInfo{}, h.bad(err)
	}
	c := powershell(fmt.Sprintf(statWindows, quotePS(path)))
	r, err := h.render(s, c)
	if err != nil {
		return engine.FileInfo{}, err
	}
	out, err := h.exec(ctx, shell, r, c)
	if err != nil {
		return engine.FileInfo{}, err
	}
	info := engine.FileInfo{Path: path}
	if out.Code != 0 {
		err := h.windowsError("look at "+path, out)
		if errors.Is(err, fs.ErrNotExist) {
			return info, nil
		}
		return info, err
	}
	return parseStatWindows(info, out.Stdout), nil
}

// Attributes of files: https://learn.microsoft.com/dotnet/api/system.io.fileattributes
const (
	attributeDirectory = 16
	attributeReparse   = 1024
)

func parseStatWindows(info engine.FileInfo, text string) engine.FileInfo {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "dsplay:")
		word, value, _ := strings.Cut(rest, ":")
		number, err := strconv.ParseInt(value, 10, 64)
		switch {
		case !ok:
		case word == "attributes" && err == nil:
			info.Exists, info.Kind, info.Link = true, "file", number&attributeReparse != 0
			if number&attributeDirectory != 0 {
				info.Kind = "directory"
			}
		case word == "size":
			info.Size = number
		case word == "modified" && err == nil:
			info.Modified = fromFileTime(number)
		case word == "owner":
			info.Owner = value
		case word == "acl":
			info.ACL = value
		case word == "sha256":
			info.SHA256 = hash64.FindString(value)
		}
	}
	return info
}

// fromFileTime: units of 100 ns since 1601.
func fromFileTime(n int64) time.Time {
	return time.Unix(0, (n-116444736000000000)*100).UTC().Truncate(time.Second)
}

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

// lineBytes are what one line of base64 carries: 76,000 characters.
const lineBytes = 57_000

// linesOf makes lines of base64 of a content. That of a secret is preceded by its hash, which does not stand on the line.
func linesOf(c engine.Content) func(io.Reader) io.Reader {
	return func(r io.Reader) io.Reader {
		lines := &base64Lines{from: r, raw: make([]byte, lineBytes)}
		if c.Secret == "" {
			return lines
		}
		data, err := c.Bytes()
		if err != nil {
			return lines
		}
		lines.text = []byte(sum(data) + "\r\n")
		return lines
	}
}

type base64Lines struct {
	from io.Reader
	raw  []byte
	text []byte // encoded, not yet read
	err  error
}

// Read fills b as far as it can: every Read becomes a message of WinRM.
func (l *base64Lines) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(l.text) == 0 && !l.next() {
			break
		}
		k := copy(b[n:], l.text)
		l.text, n = l.text[k:], n+k
	}
	if n == 0 && len(b) > 0 {
		return 0, l.err
	}
	return n, nil
}

func (l *base64Lines) next() bool {
	if l.err != nil {
		return false
	}
	n, err := io.ReadFull(l.from, l.raw)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	l.err = err
	if n > 0 {
		l.text = append(base64.StdEncoding.AppendEncode(l.text[:0], l.raw[:n]), '\r', '\n')
	}
	return n > 0
}

func (h *Host) readCallWindows(s system, path string, to *sink) (call, error) {
	r, err := h.render(s, powershell(fmt.Sprintf(getWindows, quotePS(path))))
	r.stdout = &decoded{to: to}
	return r, err
}

// decoded is a writer of lines of base64 into to.
type decoded struct {
	to   *sink
	rest []byte
}

func (d *decoded) Write(b []byte) (int, error) {
	d.rest = append(d.rest, b...)
	for {
		i := bytes.IndexByte(d.rest, '\n')
		switch {
		case i < 0 && len(d.rest) > 2*lineBytes: // ours have 76,000 characters
			d.to.err = errors.Join(d.to.err, errNoLine)
			return len(b), d.to.err
		case i < 0:
			return len(b), nil
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(d.rest[:i])))
		if err == nil {
			_, err = d.to.Write(data)
		} else {
			d.to.err = errors.Join(d.to.err, err)
		}
		d.rest = d.rest[i+1:]
		if err != nil {
			return len(b), err
		}
	}
}

var errNoLine = errors.New("a line of the host has no end")

// hresults are Windows' own numbers of errors, with FACILITY_WIN32 before them: https://learn.microsoft.com/windows/win32/debug/system-error-codes
var hresults = map[int32]struct {
	err       error
	msg, hint string
}{
	2:   {fs.ErrNotExist, "there is no such file", ""},
	3:   {fs.ErrNotExist, "there is no such folder", "make it first, with a step before this one"},
	5:   {fs.ErrPermission, "access is denied", "connect as an administrator; a file that is read-only or a program that runs is not replaced either"},
	19:  {syscall.EROFS, "the medium is write-protected", "give a path on another drive"},
	32:  {syscall.EBUSY, "another process uses the file", "stop what uses it first"},
	39:  {syscall.ENOSPC, "the disk is full", "make room on the drive"},
	112: {syscall.ENOSPC, "the disk is full", "make room on the drive"},
	53:  {fs.ErrNotExist, "the server of this path does not answer", "a share needs a login of its own, which WinRM does not pass on"},
}

// windowsError makes sense of "dsplay:error:HRESULT:text".
func (h *Host) windowsError(op string, out engine.Output) error {
	e := &engine.Error{Kind: engine.KindModule, Host: h.host.Name, Op: op, Msg: "exit code " + exitText(out), Hint: "is there a PowerShell on this host?"}
	for line := range strings.Lines(out.Stdout) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "dsplay:error:")
		number, text, _ := strings.Cut(rest, ":")
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			continue
		}
		e.Msg, e.Hint = text, ""
		if known, ok := hresults[int32(n)&0xffff]; ok && uint32(n)>>16 == 0x8007 { //nolint:gosec // the same 32 bits
			e.Msg, e.Hint, e.Err = known.msg+" ("+text+")", known.hint, known.err
		}
	}
	return e
}
