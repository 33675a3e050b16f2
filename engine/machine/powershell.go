package machine

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine"
)

// The frame of every script. It stops at an error that nobody catches, with 1 and the error as plain text on stderr; else
// the code is what exit says, or that of the last program that ran. Progress would only be noise. %[1]s is the code page.
const (
	psBegin = `$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue';try{[Console]::OutputEncoding=$OutputEncoding=%[1]s}catch{}
`
	psEnd = `}catch{[Console]::Error.WriteLine(($_|Out-String -Width 4096).Trim());exit 1}
if($LASTEXITCODE){exit $LASTEXITCODE}`

	// psInline holds the script itself, as a literal: its line numbers in errors are those of the author.
	psInline = psBegin + `try{&([scriptblock]::Create(%[2]s))` + psEnd

	// psStdin reads it from stdin, where a line is "p NAME -BASE64" (a parameter), "i -BASE64" (what the script finds in $input) or
	// "s -BASE64" (the script, last). It is ASCII, so that no code page can spoil it. The hash ties the script to the command
	// line, which is what was approved, and shows that all of it has arrived. The class of the hash is one that FIPS allows.
	psStdin = psBegin + `try{$dsplay=@{p=@{};s=''}
foreach($l in @($input)){$w=$l.Trim().Split(' ');$b=[Convert]::FromBase64String($w[-1].Substring(1));$t=[Text.Encoding]::UTF8.GetString($b)
if($w[0] -eq 'p'){$dsplay.p[$w[1]]=$t}elseif($w[0] -eq 'i'){$dsplay.i=$t}elseif($w[0] -eq 's'){$dsplay.s=$t
$dsplay.h=[BitConverter]::ToString((New-Object Security.Cryptography.SHA256CryptoServiceProvider).ComputeHash($b))}}
if($dsplay.h -ne '%[2]s'){throw 'dsplay: the script did not arrive whole; nothing of it was run'}
$l=$w=$b=$t=$null;$dsplay.b=[scriptblock]::Create($dsplay.s);$dsplayParams=$dsplay.p
if($dsplay.ContainsKey('i')){($dsplay.i -replace '\r?\n\z','') -split '\r?\n'|&$dsplay.b @dsplayParams}else{&$dsplay.b @dsplayParams}` + psEnd
)

// windowsScript renders a script for PowerShell: in the line where it is short and gets nothing, else over stdin.
func windowsScript(c engine.Command, before string, s system) (call, error) {
	encoding := "New-Object Text.UTF8Encoding $false"
	if s.page.Number() != 65001 {
		encoding = fmt.Sprintf("[Text.Encoding]::GetEncoding(%d)", s.page.Number())
	}
	r := call{title: "PowerShell: " + firstLine(c.PowerShell)}
	if c.Stdin.IsZero() && len(c.Params) == 0 {
		r.line = before + engine.PowerShell + "-EncodedCommand " + encoded(fmt.Sprintf(psInline, encoding, engine.QuotePS(c.PowerShell)))
		if len(r.line) <= s.longest {
			return r, nil
		}
	}
	sum := sha256.Sum256([]byte(c.PowerShell))
	r.line = before + engine.PowerShellWithInput + "-EncodedCommand " + encoded(fmt.Sprintf(psStdin, encoding, strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", "-")))
	r.stdin = strings.NewReader(scriptInput(c))
	if len(r.line) > s.longest {
		return call{}, engine.BadArg{Arg: "env", Problem: "and dir are longer than a command line takes besides the script; hand them over as parameters"}
	}
	return r, nil
}

// longestEncoded leaves room for "cmd.exe /C" in what cmd.exe takes.
const longestEncoded = 8150

// scriptInput is what psStdin reads.
func scriptInput(c engine.Command) string {
	var b strings.Builder
	line := func(what, text string) {
		b.WriteString(what + " -" + base64.StdEncoding.EncodeToString([]byte(text)) + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		line("p "+name, c.Params[name].Reveal())
	}
	if !c.Stdin.IsZero() {
		line("i", c.Stdin.Reveal())
	}
	line("s", c.PowerShell)
	return b.String()
}

// encoded is a script as -EncodedCommand takes it: base64 of UTF-16, little end first.
func encoded(script string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(script)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// firstLine is the first line of a script that says something, at most 100 characters.
func firstLine(script string) string {
	text, more := strings.TrimSpace(script), ""
	if first, rest, found := strings.Cut(text, "\n"); found && strings.TrimSpace(rest) != "" {
		text, more = strings.TrimSpace(first), " …"
	}
	if r := []rune(text); len(r) > 100 {
		text, more = string(r[:100]), "…"
	}
	return text + more
}

// scriptable refuses what no script can get.
func scriptable(s system, c engine.Command) error {
	switch {
	case c.PowerShell == "" && len(c.Params) > 0:
		return engine.BadArg{Arg: "parameters", Problem: "are for a script only"}
	case c.PowerShell != "" && s.platform != engine.Windows:
		return engine.BadArg{Arg: "script", Problem: "is for Windows PowerShell; this host is " + string(s.platform)}
	}
	for name := range c.Params {
		if !isVariable(name) {
			return engine.BadArg{Arg: "parameters", Problem: "has a name that no parameter can have: " + name}
		}
	}
	return nil
}
