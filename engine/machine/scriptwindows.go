package machine

import (
	"strings"

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
