package windows

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// The scripts for files that this guest understands. They are known by their whole text, with holes for the names in them;
// what they do is done here step by step on the disk of the guest, and can fail at each step as on Windows. A script that
// differs by one character is not simulated, and fails.
const (
	psFail = `function bad($e){if($s){$s.Close()};if($t){[IO.File]::Delete($t)};while($e.InnerException){$e=$e.InnerException};` +
		`'dsplay:error:'+[Runtime.InteropServices.Marshal]::GetHRForException($e)+':'+$e.Message;exit 85};`
	psHash = `$h=New-Object Security.Cryptography.SHA256CryptoServiceProvider;`
	psStat = `$ErrorActionPreference='Stop';$s=$null;$t=$null;` + psFail + `$f=HOLE;try{$a=[IO.File]::GetAttributes($f);'dsplay:attributes:'+[int]$a;if(-not([int]$a -band 16)){$i=New-Object IO.FileInfo($f);` +
		`'dsplay:size:'+$i.Length;'dsplay:modified:'+$i.LastWriteTimeUtc.ToFileTimeUtc();$c=[IO.File]::GetAccessControl($f,'Access,Owner');` +
		`'dsplay:owner:'+$c.GetOwner([Security.Principal.SecurityIdentifier]).Value;'dsplay:acl:'+$c.GetSecurityDescriptorSddlForm('Access');` +
		psHash + `$s=New-Object IO.FileStream($f,'Open','Read','ReadWrite');'dsplay:sha256:'+[BitConverter]::ToString($h.ComputeHash($s)).Replace('-','').ToLower();$s.Close()}}catch{bad $_.Exception}`
	psPut = `begin{$ErrorActionPreference='Stop';$f=HOLE;$t=HOLE;$o=HOLE;$s=$null;` + psFail + psHash + `$b=New-Object byte[] 0;SECRET` +
		`try{[IO.File]::Delete($t);$s=New-Object IO.FileStream($t,'CreateNew','Write','None');if([IO.File]::Exists($f)){$a=New-Object Security.AccessControl.FileSecurity;` +
		`$a.SetSecurityDescriptorSddlForm([IO.File]::GetAccessControl($f,'Access').GetSecurityDescriptorSddlForm('Access'),'Access');[IO.File]::SetAccessControl($t,$a)}}catch{bad $_.Exception}}` +
		`process{try{FIRSTif($_){$b=[Convert]::FromBase64String($_);[void]$h.TransformBlock($b,0,$b.Length,$b,0);$s.Write($b,0,$b.Length)}}catch{bad $_.Exception}}` +
		`end{try{[void]$h.TransformFinalBlock($b,0,0);$s.Close();$g=[BitConverter]::ToString($h.Hash).Replace('-','').ToLower();` +
		`if($g -ne WANT){[IO.File]::Delete($t);exit 86};JUDGE` +
		`if([IO.File]::Exists($f)){[IO.File]::Replace($t,$f,$o)FORGET}else{[IO.File]::Move($t,$f)}}catch{bad $_.Exception}}`
	// Two scripts go round a transfer by other means: the first makes room, the second compares and moves.
	psPrepare = `$ErrorActionPreference='Stop';$f=HOLE;$t=HOLE;$s=$null;` + psFail +
		`try{[IO.File]::Delete($t);$s=New-Object IO.FileStream($t,'CreateNew','Write','None');if([IO.File]::Exists($f)){$a=New-Object Security.AccessControl.FileSecurity;` +
		`$a.SetSecurityDescriptorSddlForm([IO.File]::GetAccessControl($f,'Access').GetSecurityDescriptorSddlForm('Access'),'Access');[IO.File]::SetAccessControl($t,$a)};` +
		`$s.SetLength(NUMBER);$s.Close()}catch{bad $_.Exception}`
	psFinish = `$ErrorActionPreference='Stop';$f=HOLE;$t=HOLE;$o=HOLE;$s=$null;` + psFail + psHash +
		`try{$s=New-Object IO.FileStream($t,'Open','Read','Read');$g=[BitConverter]::ToString($h.ComputeHash($s)).Replace('-','').ToLower();$s.Close();` +
		`if($g -ne WANT){[IO.File]::Delete($t);exit 86};JUDGE` +
		`if([IO.File]::Exists($f)){[IO.File]::Replace($t,$f,$o)FORGET}else{[IO.File]::Move($t,$f)}}catch{bad $_.Exception}`
	psJudge = `cmd.exe /d /c (VALUE);if($LASTEXITCODE -ne 0){[IO.File]::Delete($t);exit 89};`
	psGet   = `$ErrorActionPreference='Stop';$t=$null;` + psFail + `try{$s=New-Object IO.FileStream(HOLE,'Open','Read','ReadWrite');$b=New-Object byte[] 57000;` +
		`while(($n=$s.Read($b,0,57000)) -gt 0){[Console]::Out.WriteLine([Convert]::ToBase64String($b,0,$n))};$s.Close()}catch{bad $_.Exception}`
	psDelete = `$t=HOLE;if([IO.File]::Exists($t)){[IO.File]::Delete($t)}`
)

const psText = `'(?:[^']|'')*'`

// pattern makes a regular expression of a script with holes.
func pattern(script string) *regexp.Regexp {
	text := `(` + psText + `|\(` + psText + `(?:\+(?:` + psText + `|\[char\]37))*\))`
	judge := strings.Replace(regexp.QuoteMeta(psJudge), "VALUE", `([^;]*)`, 1)
	return regexp.MustCompile("^" + strings.NewReplacer("HOLE", text, "NUMBER", `(\d+)`, "WANT", `(\$w|`+psText+`)`, "SECRET", `(\$w=\$null;)?`, "FIRST", `(if\(-not \$w\)\{\$w=\$_\}else)?`,
		"JUDGE", `(?:`+judge+`)?`, "FORGET", `(;\[IO\.File\]::Delete\(\$o\))?`).Replace(regexp.QuoteMeta(script)) + "$")
}

// files runs one of the scripts; false: text is none of them.
func (g *Guest) fileScript(ctx context.Context, p *cmdexe.Process, text string) (code uint32, known bool) {
	for script, run := range map[string]func(context.Context, *cmdexe.Process, []string) uint32{
		psStat: g.psStat, psPut: g.psPut, psGet: g.psGet, psDelete: g.psDelete, psPrepare: g.psPrepare, psFinish: g.psFinish,
	} {
		if holes := pattern(script).FindStringSubmatch(text); holes != nil {
			return run(ctx, p, holes[1:]), true
		}
	}
	return 0, false
}

// psValue is the value of a text: 'it”s', or ('50'+[char]37).
func psValue(text string) string {
	var b strings.Builder
	for _, part := range regexp.MustCompile(psText+`|\[char\]37`).FindAllString(text, -1) {
		if part == "[char]37" {
			b.WriteByte('%')
			continue
		}
		b.WriteString(strings.NewReplacer("''", "'", "\u2018\u2018", "\u2018", "\u2019\u2019", "\u2019").Replace(part[1 : len(part)-1]))
	}
	return b.String()
}

// bad prints what the function bad does: HRESULT and text.
func bad(p *cmdexe.Process, err error) uint32 {
	numbers := map[error]uint32{disk.ErrNoFile: 2, disk.ErrNoPath: 3, disk.ErrNoDrive: 3, disk.ErrDenied: 5, disk.ErrReadOnly: 19, disk.ErrInUse: 32, disk.ErrFull: 112}
	number := uint32(0x80131537) // a FormatException
	for known, n := range numbers {
		if errors.Is(err, known) {
			number = 0x80070000 | n
		}
	}
	line(p, "dsplay:error:%d:%s", int32(number), err)
	return 85
}

func (g *Guest) psStat(_ context.Context, p *cmdexe.Process, holes []string) uint32 {
	name := clean(p, psValue(holes[0]))
	info, ok := g.disk.Stat(name)
	if !ok {
		_, err := g.disk.Read(name)
		return bad(p, err)
	}
	if info.Dir {
		return line(p, "dsplay:attributes:16")
	}
	data, err := g.disk.Read(name)
	if err == nil {
		err = g.disk.Openable(name)
	}
	line(p, "dsplay:attributes:32\r\ndsplay:size:%d\r\ndsplay:modified:%d\r\ndsplay:owner:S-1-5-32-544\r\ndsplay:acl:%s", info.Size, fileTime(info.Modified), info.ACL)
	if err != nil {
		return bad(p, err)
	}
	return line(p, "dsplay:sha256:%x", sha256.Sum256(data))
}

func (g *Guest) psDelete(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	name := clean(p, psValue(holes[0]))
	if info, ok := g.disk.Stat(name); !ok || info.Dir {
		return 0
	}
	if err := g.disk.Remove(name); err != nil {
		return g.fail(p, 1, "%s", err)
	}
	return 0
}

func (g *Guest) psGet(_ context.Context, p *cmdexe.Process, holes []string) uint32 {
	name := clean(p, psValue(holes[0]))
	data, err := g.disk.Read(name)
	if err == nil {
		err = g.disk.Openable(name)
	}
	if err != nil {
		return bad(p, err)
	}
	for len(data) > 0 {
		n := min(57000, len(data))
		line(p, "%s", base64.StdEncoding.EncodeToString(data[:n]))
		data = data[n:]
	}
	return 0
}

// psUpload is the state of the script that puts a file.
type psUpload struct {
	g                  *Guest
	p                  *cmdexe.Process
	file, temp, backup string
	forget             bool   // the backup is not wanted
	want               string // the hash; of a secret it comes as the first line
	first              bool
	judge              string // an expression for cmd.exe; "": none
}

func (g *Guest) psPut(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	secret := holes[5] == "$w"
	if secret != (holes[3] != "") || secret != (holes[4] != "") {
		return g.fail(p, 1, "You cannot call a method on a null-valued expression.")
	}
	u := &psUpload{g: g, p: p, file: clean(p, psValue(holes[0])), temp: clean(p, psValue(holes[1])), backup: clean(p, psValue(holes[2])),
		first: secret, judge: holes[6], forget: holes[7] != ""}
	if !secret {
		u.want = psValue(holes[5])
	}
	if err := u.begin(); err != nil {
		return bad(p, err)
	}
	hash := sha256.New()
	if err := u.process(ctx, hash); err != nil {
		if ctx.Err() != nil {
			return cmdexe.Killed // nobody tidies up
		}
		_ = g.disk.Remove(u.temp)
		return bad(p, err)
	}
	if fmt.Sprintf("%x", hash.Sum(nil)) != u.want {
		_ = g.disk.Remove(u.temp)
		return 86
	}
	return u.end(ctx)
}

func (u *psUpload) begin() error {
	if err := u.g.disk.Write(u.temp, nil); err != nil {
		return err
	}
	if old, ok := u.g.disk.Stat(u.file); ok && !old.Dir {
		u.g.disk.SetACL(u.temp, old.ACL)
	}
	return nil
}

// process takes the lines as they come.
func (u *psUpload) process(ctx context.Context, hash io.Writer) error {
	if u.p.Stdin == nil {
		return nil
	}
	in := bufio.NewReaderSize(u.p.Stdin, 1<<16)
	for {
		text, err := in.ReadString('\n')
		text = strings.TrimRight(text, "\r\n")
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case text == "":
		case u.first:
			u.want, u.first = text, false
		default:
			data, bad := base64.StdEncoding.DecodeString(text)
			if bad != nil {
				return errors.New("The input is not a valid Base-64 string.")
			}
			_, _ = hash.Write(data) // it cannot fail
			if bad := u.g.disk.Append(u.temp, data); bad != nil {
				return bad
			}
		}
		if err != nil {
			return nil //nolint:nilerr // the end of the input
		}
	}
}

func (u *psUpload) end(ctx context.Context) uint32 {
	if u.judge != "" {
		command := psValue(strings.ReplaceAll(u.judge, "$t", "'"+strings.ReplaceAll(u.temp, "'", "''")+"'"))
		var out bytes.Buffer
		child := *u.p
		child.Stdin, child.Stdout, child.Stderr = nil, &out, u.p.Stderr
		if code := cmdexe.Run(ctx, u.g.system, &child, command); code != 0 {
			fmt.Fprint(u.p.Stdout, out.String())
			_ = u.g.disk.Remove(u.temp)
			return 89
		}
	}
	err := u.g.disk.Replace(u.temp, u.file, u.backup)
	if err == nil && u.forget {
		_ = u.g.disk.Remove(u.backup) // where there was no old file there is none
	}
	if err != nil {
		_ = u.g.disk.Remove(u.temp)
		return bad(u.p, err)
	}
	return 0
}

// psPrepare makes room for a file, under its temporary name.
func (g *Guest) psPrepare(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	u := &psUpload{g: g, p: p, file: clean(p, psValue(holes[0])), temp: clean(p, psValue(holes[1]))}
	size, err := strconv.Atoi(holes[2])
	if err == nil {
		err = u.begin()
	}
	if err == nil {
		err = g.disk.Append(u.temp, make([]byte, size))
	}
	if err != nil {
		_ = g.disk.Remove(u.temp)
		return bad(p, err)
	}
	return 0
}

// psFinish compares the temporary file and moves it.
func (g *Guest) psFinish(ctx context.Context, p *cmdexe.Process, holes []string) uint32 {
	touch.Mark(ctx)
	u := &psUpload{g: g, p: p, file: clean(p, psValue(holes[0])), temp: clean(p, psValue(holes[1])), backup: clean(p, psValue(holes[2])),
		want: psValue(holes[3]), judge: holes[4], forget: holes[5] != ""}
	data, err := g.disk.Read(u.temp)
	if err == nil {
		err = g.disk.Openable(u.temp)
	}
	if err != nil {
		return bad(p, err)
	}
	if fmt.Sprintf("%x", sha256.Sum256(data)) != u.want {
		_ = g.disk.Remove(u.temp)
		return 86
	}
	return u.end(ctx)
}
