package machine_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

const (
	objs     = "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">"
	progress = `<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN><MS><I64 N="SourceId">1</I64>` +
		`<PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil /><PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj>`
)

// says runs a line on a Windows that answers with these bytes, in parts of n.
func says(t testing.TB, stdout, stderr string, n int) (engine.Output, error) {
	t.Helper()
	h := &host{family: "windows", run: func(_ context.Context, p engine.Process) (int, error) {
		for _, s := range []struct {
			w    io.Writer
			text string
		}{{p.Stdout, stdout}, {p.Stderr, stderr}} {
			for text := s.text; text != ""; {
				part := text[:min(n, len(text))]
				text = text[len(part):]
				_, _ = io.WriteString(s.w, part)
			}
		}
		return 1, nil
	}}
	return on(h, machine.Options{}).Run(t.Context(), engine.Command{Shell: "x"})
}

func TestCLIXML(t *testing.T) {
	for name, test := range map[string]struct{ came, want string }{
		"plain":            {"Access is denied.\r\n", "Access is denied.\r\n"},
		"an error":         {objs + `<S S="Error">x : no_x000D__x000A_</S><S S="Error">At line:1_x000D__x000A_</S></Objs>`, "x : no\r\nAt line:1\r\n"},
		"progress only":    {objs + progress + `</Objs>`, ""},
		"progress before":  {objs + progress + `<S S="Error">no_x000D__x000A_</S></Objs>`, "no\r\n"},
		"streams":          {objs + `<S S="warning">low</S><S S="verbose">on it</S><S S="debug">d</S><S S="information">i</S></Objs>`, "WARNING: low\nVERBOSE: on it\nDEBUG: d\ni\n"},
		"an object":        {objs + `<Obj S="Error" RefId="0"><TN RefId="0"><T>E</T></TN><ToString>it broke</ToString><Props><S N="m">x</S></Props></Obj></Objs>`, "it broke"},
		"escapes":          {objs + `<S S="Error">_x005F_x000D_ &lt;a&gt; &amp; _xD83D__xDE00_ _x12 _xZZZZ_ 日本</S></Objs>`, "_x000D_ <a> & 😀 _x12 _xZZZZ_ 日本"},
		"text around":      {"before\r\n" + objs + `<S S="Error">e_x000A_</S></Objs>after`, "before\r\ne\nafter"},
		"two documents":    {objs + `<S S="Error">1_x000A_</S></Objs>` + "\r\n" + strings.TrimPrefix(objs, "#< CLIXML\r\n") + `<S S="Error">2_x000A_</S></Objs>`, "1\n2\n"},
		"two marks":        {objs + `<S S="Error">1_x000A_</S></Objs>between ` + objs + `<S S="Error">2_x000A_</S></Objs>`, "1\nbetween 2\n"},
		"cut off":          {objs + `<S S="Error">half`, objs + `<S S="Error">half`},
		"cut after one":    {objs + `<S S="Error">1_x000A_</S></Objs><Objs><S`, "1\n<Objs><S"},
		"broken":           {objs + `<S S="Error">a</T></Objs> tail`, objs + `<S S="Error">a</T></Objs> tail`},
		"a control":        {objs + "<S S=\"Error\">\x01</S></Objs>", objs + "<S S=\"Error\">\x01</S></Objs>"},
		"a mark alone":     {"#< CLIXML\r\n", "#< CLIXML\r\n"},
		"a mark in a text": {"see #< CLIXML for more", "see #< CLIXML for more"},
		"nothing in it":    {objs + `</Objs>`, ""},
	} {
		for _, n := range []int{1, 7, 1 << 20} {
			if out, _ := says(t, "", test.came, n); out.Stderr != test.want {
				t.Errorf("%s: %q, want %q", name, out.Stderr, test.want)
			}
		}
	}
}

func FuzzCLIXML(f *testing.F) {
	f.Add(objs + `<S S="Error">a_x000A_</S></Objs>`)
	f.Add("x" + objs + progress + "</Objs>" + objs)
	f.Fuzz(func(t *testing.T, text string) {
		out, _ := says(t, "", text, 1<<20)
		if !utf8.ValidString(out.Stderr) {
			t.Errorf("%q", out.Stderr)
		}
		if !strings.Contains(text, "#< CLIXML") && utf8.ValidString(text) && out.Stderr != text {
			t.Errorf("%q became %q", text, out.Stderr)
		}
	})
}

// Bytes that are not in the code page are seen; which code page they look like is a hint.
func TestOutputOfAnotherCodePage(t *testing.T) {
	for _, test := range []struct{ came, want, hint string }{
		{"fertig\r\n", "fertig\r\n", ""},
		{"日本", "日本", ""},
		{"f\xfcr", `f\xFCr`, `"cp1252"`},
		{"\x83T\x81[\x83r\x83X", `\x83T\x81[\x83r\x83X`, `"cp932"`},
	} {
		for _, n := range []int{1, 2, 100} {
			out, err := says(t, test.came, "", n)
			if hint := engine.HintOf(err); out.Stdout != test.want || strings.Contains(hint, "encoding = ") != (test.hint != "") || !strings.Contains(hint, test.hint) && n > 1 {
				t.Errorf("%q: %q, %s", test.came, out.Stdout, hint)
			}
		}
	}
}

// japanese is a connection that was told its code page.
type japanese struct{ *shell }

func (japanese) Encoding() string { return "cp932" }

func (j japanese) Get(context.Context, *engine.Host) (engine.Conn, error) { return j, nil }

func TestEncoding(t *testing.T) {
	var input string
	s := &shell{exec: func(_ context.Context, _, _ string, stdin io.Reader, stdout, stderr io.Writer) int {
		data, _ := io.ReadAll(stdin)
		input = string(data)
		for _, b := range []byte("\x83T\x81[\x83r\x83X\xfd") {
			_, _ = stdout.Write([]byte{b})
		}
		_, _ = io.WriteString(stderr, "\x8e\xb8\x94s")
		return 0
	}}
	s.host = &host{family: "windows"}
	m := machine.New(japanese{s}, &engine.Host{Name: "win1"}, machine.Options{})
	out, err := m.Run(t.Context(), engine.Command{Shell: "x", Stdin: engine.Plain("失敗")})
	if err != nil || out.Stdout != `サービス\xFD` || out.Stderr != "失敗" || input != "\x8e\xb8\x94s" {
		t.Errorf("%+v, %q, %v", out, input, err)
	}
	if _, err := m.Run(t.Context(), engine.Command{Shell: "x", Stdin: engine.Plain("€")}); err == nil || !strings.Contains(err.Error(), "€") {
		t.Error(err)
	}
	data, err := m.ReadFile(t.Context(), `C:\x`)
	if err != nil || string(data) != "\x83T\x81[\x83r\x83X\xfd" {
		t.Errorf("a file is bytes: %q, %v", data, err)
	}
}
