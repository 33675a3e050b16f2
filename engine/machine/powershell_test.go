package machine_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/machine"
)

// guest is the lab's Windows; spoil may change what is sent.
func guest(spoil func(stdin string) string) (*machine.Host, *[]string) {
	g := windows.New(windows.Config{Name: "win1"})
	var lines []string
	s := &shell{user: `CORP\ops`, exec: func(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int {
		lines = append(lines, line)
		if spoil != nil {
			data, _ := io.ReadAll(stdin)
			stdin = strings.NewReader(spoil(string(data)))
		}
		return int(int32(g.Exec(ctx, user, line, stdin, stdout, stderr)))
	}}
	s.host = &host{family: "windows"}
	return machine.New(s, &engine.Host{Name: "win1"}, machine.Options{}), &lines
}

func TestPowerShell(t *testing.T) {
	long := "# " + strings.Repeat("long ", 900) + "\n"
	for name, test := range map[string]struct {
		c              engine.Command
		stdout, stderr string
		code           int
	}{
		"output":          {engine.Command{PowerShell: "'äöü 日本'"}, "äöü 日本\r\n", "", 0},
		"quotes":          {engine.Command{PowerShell: "Write-Output " + engine.QuotePS(`it's ‘so’ "and" %PATH% ^& | <b> ]]> !x!`)}, "it's ‘so’ \"and\" %PATH% ^& | <b> ]]> !x!\r\n", "", 0},
		"lines":           {engine.Command{PowerShell: "'a'\r\n'b'\n\n# no\n'c';'d'\n"}, "a\r\nb\r\nc\r\nd\r\n", "", 0},
		"exit":            {engine.Command{PowerShell: "exit 3\n'never'"}, "", "", 3},
		"exit 300":        {engine.Command{PowerShell: "exit 300"}, "", "", 300},
		"exit -1":         {engine.Command{PowerShell: "exit -1"}, "", "", -1},
		"exit alone":      {engine.Command{PowerShell: "exit"}, "", "", 0},
		"throw":           {engine.Command{PowerShell: "throw 'no'\n'never'"}, "", "no\r\nAt line:1 char:1\r\n", 1},
		"error":           {engine.Command{PowerShell: "Write-Error 'no'\n'never'"}, "", "no\r\nAt line:1 char:1\r\n", 1},
		"warning":         {engine.Command{PowerShell: "Write-Warning 'low'\n'on'"}, "on\r\n", "WARNING: low\n", 0},
		"program":         {engine.Command{PowerShell: "sc.exe query nonsense"}, "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n\r\nThe specified service does not exist as an installed service.\r\n", "", 1060},
		"program, exit":   {engine.Command{PowerShell: "sc.exe query nonsense\nexit 0"}, "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n\r\nThe specified service does not exist as an installed service.\r\n", "", 0},
		"no such program": {engine.Command{PowerShell: "nonsense.exe"}, "", "nonsense.exe : The term 'nonsense.exe' is not recognized as the name of a cmdlet, function, script file, or operable program.\r\n", 1},
		"environment":     {engine.Command{PowerShell: `"$env:A"`, Env: map[string]string{"A": "1 & 2"}}, "1 & 2\r\n", "", 0},
		"directory":       {engine.Command{PowerShell: "cmd.exe /c cd", Dir: `C:\Program Files`}, "C:\\Program Files\r\n", "", 0},
		"input":           {engine.Command{PowerShell: "$input", Stdin: engine.Plain("a ä\r\nb\n日本\n")}, "a ä\r\nb\r\n日本\r\n", "", 0},
		"parameters":      {engine.Command{PowerShell: "param($Name, [string]$Password)\n\"$name/$password\"", Params: map[string]engine.Secret{"Name": engine.Plain("é 1"), "Password": engine.Plain("s3 'cret\"")}}, "é 1/s3 'cret\"\r\n", "", 0},
		"both":            {engine.Command{PowerShell: "param($a)\n$a;$input", Params: map[string]engine.Secret{"a": engine.Plain("1")}, Stdin: engine.Plain("2")}, "1\r\n2\r\n", "", 0},
		"an empty one":    {engine.Command{PowerShell: "param($a, $b)\n\"<$a>\"", Params: map[string]engine.Secret{"a": engine.Plain(""), "b": engine.Plain("x")}}, "<>\r\n", "", 0},
		"no such one":     {engine.Command{PowerShell: "'x'", Params: map[string]engine.Secret{"a": engine.Plain("1")}}, "", "A parameter cannot be found that matches parameter name 'a'.\r\n", 1},
		"long":            {engine.Command{PowerShell: long + "'done'\nexit 7"}, "done\r\n", "", 7},
		"very long":       {engine.Command{PowerShell: strings.Repeat(long, 100) + "'done'"}, "done\r\n", "", 0},
	} {
		m, lines := guest(nil)
		test.c.AnyOK = true
		out, err := m.Run(t.Context(), test.c)
		if err != nil || out.Stdout != test.stdout || out.Stderr != test.stderr || out.Code != test.code {
			t.Errorf("%s: %q %q %d, %v", name, out.Stdout, out.Stderr, out.Code, err)
		}
		for _, line := range *lines {
			if planned, _ := m.Line(t.Context(), test.c); line != planned || len(line) > 8150 || strings.Contains(decoded(t, line)+line, "s3 '") {
				t.Errorf("%s: %s", name, decoded(t, line))
			}
		}
	}
}

// decoded is what -EncodedCommand says.
func decoded(t testing.TB, line string) string {
	t.Helper()
	_, text, _ := strings.Cut(line, "-EncodedCommand ")
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\x00", "")
}

// The whole of what PowerShell is told, so that a change of it is seen.
func TestLinesOfPowerShell(t *testing.T) {
	m, _ := guest(nil)
	for _, test := range []struct {
		c                  engine.Command
		before, flags, say string
	}{
		{engine.Command{PowerShell: "Get-Date"}, "", "-NoProfile -NonInteractive -InputFormat None",
			"$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue';try{[Console]::OutputEncoding=$OutputEncoding=New-Object Text.UTF8Encoding $false}catch{}\n" +
				"try{&([scriptblock]::Create('Get-Date'))}catch{[Console]::Error.WriteLine(($_|Out-String -Width 4096).Trim());exit 1}\nif($LASTEXITCODE){exit $LASTEXITCODE}"},
		{engine.Command{PowerShell: "a", Stdin: engine.Plain("x"), Dir: `C:\x`, Env: map[string]string{"A": "1"}}, `cd /d "C:\x"||exit 1&set A=1&`, "-NoProfile -NonInteractive", ""},
	} {
		line, err := m.Line(t.Context(), test.c)
		if err != nil || !strings.HasPrefix(line, test.before+"powershell.exe "+test.flags+" -EncodedCommand ") || test.say != "" && decoded(t, line) != test.say {
			t.Errorf("%v: %s\n%s", err, line, decoded(t, line))
		}
	}
	one, _ := m.Line(t.Context(), engine.Command{PowerShell: "a", Stdin: engine.Plain("x")})
	two, _ := m.Line(t.Context(), engine.Command{PowerShell: "b", Stdin: engine.Plain("x")})
	three, _ := m.Line(t.Context(), engine.Command{PowerShell: "b", Stdin: engine.Plain("y")})
	if one == two || two != three {
		t.Error("the line does not bind the script, or it tells of the input")
	}
}

// What does not arrive whole is not run.
func TestPowerShellOverStdinIsWhole(t *testing.T) {
	c := engine.Command{PowerShell: "'ran'", Params: map[string]engine.Secret{"a": engine.Plain("1")}}
	for name, spoil := range map[string]func(string) string{
		"cut": func(s string) string { s, _, _ = strings.Cut(s, "\ns "); return s },
		"another": func(s string) string {
			return strings.Replace(s, "\ns ", "\ns -"+base64.StdEncoding.EncodeToString([]byte("'x'\n")), 1)
		},
		"nothing": func(string) string { return "" },
	} {
		m, _ := guest(spoil)
		if out, err := m.Run(t.Context(), c); engine.KindOf(err) != engine.KindExit || strings.Contains(out.Stdout, "ran") {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestErrorsOfPowerShell(t *testing.T) {
	m, lines := guest(nil)
	_, err := m.Run(t.Context(), engine.Command{PowerShell: "\n  throw 'no'\n'x'"})
	if err == nil || err.Error() != "run PowerShell: throw 'no' …: exit code 1: no / At line:1 char:1" {
		t.Error(err)
	}
	*lines = nil
	for name, c := range map[string]engine.Command{
		"a parameter's name":     {PowerShell: "x", Params: map[string]engine.Secret{"a b": engine.Plain("")}},
		"parameters of no":       {Shell: "x", Params: map[string]engine.Secret{"a": engine.Plain("")}},
		"two things":             {Shell: "x", PowerShell: "x"},
		"a long environment":     {PowerShell: "x", Env: map[string]string{"A": strings.Repeat("x", 8000)}},
		"a line end in a folder": {PowerShell: "x", Dir: "a\nb"},
	} {
		var bad engine.BadArg
		if _, err := m.Run(t.Context(), c); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	posix := on(&host{says: linux}, machine.Options{})
	if _, err := posix.Run(t.Context(), engine.Command{PowerShell: "x"}); err == nil || !strings.Contains(err.Error(), "Windows") {
		t.Error(err)
	}
	if len(*lines) > 0 {
		t.Error(fmt.Sprint(*lines))
	}
}
