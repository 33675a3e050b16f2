package windows

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"sync"

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

// fileScript is a script with what it does; holes are what stands in its holes.
type fileScript struct {
	known *regexp.Regexp
	run   func(g *Guest, ctx context.Context, p *cmdexe.Process, holes []string) uint32
}

var fileScripts = sync.OnceValue(func() []fileScript {
	return []fileScript{{pattern(psStat), (*Guest).psStat}, {pattern(psPut), (*Guest).psPut}, {pattern(psGet), (*Guest).psGet},
		{pattern(psDelete), (*Guest).psDelete}, {pattern(psPrepare), (*Guest).psPrepare}, {pattern(psFinish), (*Guest).psFinish}}
})

// fileScript runs one of the scripts; false: text is none of them.
func (g *Guest) fileScript(ctx context.Context, p *cmdexe.Process, text string) (code uint32, known bool) {
	for _, s := range fileScripts() {
		if holes := s.known.FindStringSubmatch(text); holes != nil {
			return s.run(g, ctx, p, holes[1:]), true
		}
	}
	return 0, false
}

var psParts = regexp.MustCompile(psText + `|\[char\]37`)

// psValue is the value of a text: 'it”s', or ('50'+[char]37).
func psValue(text string) string {
	var b strings.Builder
	for _, part := range psParts.FindAllString(text, -1) {
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
